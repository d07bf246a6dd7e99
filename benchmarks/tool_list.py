"""How many tokens the list of functions takes on the wire with everything installed, and what is left out.

    uv run --with bpe-openai python benchmarks/tool_list.py

Tokens are those of the tokenizer o200k_base on the JSON of ``tools``. Every tool counts as available. For
each labelled sentence of ``benchmarks/planner/`` it is counted whether the functions of the label are sent
with their schemas; the others are sent with the names of their arguments alone. The effect on an LLM is not
measured here.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from importlib import import_module
from typing import Any

from planner import half_of, read_all

from promptvision.agent.planning.prompt import system_prompt
from promptvision.llm.brevity import functions_on_the_wire
from promptvision.llm.dialects import Dialect, plain, strict
from promptvision.llm.messages import Function, Message
from promptvision.plugins.registry import Registry
from promptvision.settings import Settings
from promptvision.testing.agents import make_registry
from promptvision.tools.requirements import Requirements
from promptvision_groq.dialect import lenient

DIALECTS: dict[str, Dialect] = {"any schema": plain, "OpenAI, strict": strict, "Groq": lenient}


def main() -> None:
    encode = import_module("bpe_openai").get_encoding("o200k_base").encode
    tools = [replace(tool, requires=Requirements()) for tool in Registry.load(Settings()).tools.values()]
    functions = make_registry(tools).functions()
    print(f"{len(functions)} functions; system prompt: {len(encode(system_prompt(functions)))} tokens\n")
    print("| dialect | as declared | at most | on average | ms a request |\n|---|---:|---:|---:|---:|")
    sentences = read_all()
    for name, dialect in DIALECTS.items():
        declared = [
            {"type": "function", "function": {**described(function), **dialect(function.parameters)}}
            for function in functions
        ]
        counts, started = [], time.perf_counter()
        lists = [ask(functions, sentence.text, dialect) for sentence in sentences]
        spent = (time.perf_counter() - started) * 1000 / len(sentences)
        counts = [len(encode(wire(tools))) for tools in lists[::5]]
        mean = sum(counts) / len(counts)
        print(f"| {name} | {len(encode(wire(declared)))} | {max(counts)} | {mean:.0f} | {spent:.1f} |")
    print()
    count_schemas(functions, sentences)


def count_schemas(functions: Any, sentences: Any) -> None:
    """Print the share of labelled functions that have their schemas, by half of the sentences."""
    print("| sentences | labelled calls | sent with schema |\n|---|---:|---:|")
    for half in ("tuning", "held-out"):
        total = found = 0
        for sentence in sentences:
            names = (
                {call[0] for call in sentence.labels[0] if call != "?"}
                if half_of(sentence) == half
                else set()
            )
            tools = [tool["function"] for tool in ask(functions, sentence.text, plain)] if names else []
            whole = {tool["name"] for tool in tools if tool["parameters"]["properties"]}
            total += len(names)
            found += len(names & whole)
        print(f"| {half} | {total} | {found / total:.1%} |")


def ask(functions: Any, sentence: str, dialect: Dialect) -> list[dict[str, Any]]:
    return functions_on_the_wire(functions, [Message(role="user", content=sentence)], dialect)


def described(function: Function) -> dict[str, str]:
    return {"name": function.name, "description": function.description}


def wire(tools: Any) -> str:
    return json.dumps(tools, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    main()
