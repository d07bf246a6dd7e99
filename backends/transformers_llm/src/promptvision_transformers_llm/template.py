"""Prompts in the format of a model's chat template."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jinja2 import TemplateError

from promptvision.plugin import ChatRequest, Function, Message
from promptvision_transformers_llm.cache import shared_length

__all__ = ["HERMES", "CallSyntax", "ChatTemplate", "brief_schema"]

_OPTIONS = {"enable_thinking": False}
"""Variables of templates; each template ignores those of others."""

_NAME, _KEY, _VALUE = "probe_name", "probe_key", "probe_value"
_PROBE = Function(
    name=_NAME,
    description="probe",
    parameters={"type": "object", "properties": {_KEY: {"type": "string"}}, "required": [_KEY]},
)


@dataclass(frozen=True)
class CallSyntax:
    """How a model writes a call: four texts around the name and the arguments, which are JSON.

    Args:
        opening: before the name.
        middle: between the name and the arguments.
        closing: after the arguments.
    """

    opening: str
    middle: str
    closing: str

    def write(self, name: str, arguments: Mapping[str, Any]) -> str:
        """A call as text."""
        return f"{self.opening}{name}{self.middle}{json.dumps(arguments)}{self.closing}"


HERMES = CallSyntax('<tool_call>\n{"name": "', '", "arguments": ', "}\n</tool_call>")
"""The syntax of Hermes and Qwen models. Also used for models whose template has no calls."""

_HERMES_SYSTEM = """\

You may call one of these functions:
<tools>
{tools}
</tools>
To call one, answer with nothing but:
{call}"""


class ChatTemplate:
    """The chat template of a model.

    Args:
        tokenizer: a fast tokenizer of transformers that has a chat template.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        added = sorted(tokenizer.get_added_vocab(), key=len, reverse=True)
        self._added = re.compile("|".join(map(re.escape, added)) or "(?!)")
        native = self._native_syntax()
        self._is_native = native is not None
        self.syntax = native or HERMES

    def encode(self, request: ChatRequest) -> list[int]:
        """The tokens of a request, up to the start of the reply."""
        functions = request.functions if request.tool_choice == "auto" else ()
        messages = [self._harmless(message) for message in request.messages]
        if self._is_native:
            return self._tokens(
                [_native_message(message) for message in messages], [_tool(each) for each in functions]
            )
        return self._tokens(_hermes_messages(messages, functions), [])

    def _tokens(
        self,
        messages: list[dict[str, Any]],
        tools: list[dict[str, Any]],
        *,
        add_generation_prompt: bool = True,
    ) -> list[int]:
        ids: list[int] = self._tokenizer.apply_chat_template(
            messages,
            tools=tools or None,
            add_generation_prompt=add_generation_prompt,
            return_dict=False,
            **_OPTIONS,
        )
        return ids

    def _text(self, ids: list[int]) -> str:
        text: str = self._tokenizer.decode(ids, clean_up_tokenization_spaces=False)
        return text

    def _harmless(self, message: Message) -> Message:
        """A message without control tokens, which would end it and start another one."""
        return replace(message, content=self._added.sub(" ", message.content))

    def _native_syntax(self) -> CallSyntax | None:
        """How the template writes a call; None if it does not support functions, or not as JSON.

        The template is applied to a sample call, and the result is parsed.
        """
        user = {"role": "user", "content": "hello"}
        called = {"type": "function", "function": {"name": _NAME, "arguments": {_KEY: _VALUE}}}
        answer = {"role": "assistant", "content": "", "tool_calls": [called]}
        try:
            prompt = self._tokens([user], [_tool(_PROBE)])
            written = self._tokens([user, answer], [_tool(_PROBE)], add_generation_prompt=False)
        except (TemplateError, TypeError, ValueError):
            return None
        if _NAME not in self._text(prompt):
            return None
        # Compared as tokens: texts could differ in the middle of a tag.
        reply = self._text(written[shared_length(prompt, written) :])
        opening, has_name, rest = reply.partition(_NAME)
        found = re.fullmatch(
            rf"(.*?)(\{{\s*\"{_KEY}\":\s*\"{_VALUE}\"\s*\}})(.*)", rest.partition(self._end)[0], re.DOTALL
        )
        if not has_name or not opening.strip() or found is None:
            return None
        return CallSyntax(opening.lstrip(), found[1], found[3].rstrip())

    @property
    def _end(self) -> str:
        return str(self._tokenizer.eos_token)


def brief_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a JSON schema that a model must read; the grammar enforces the rest."""
    variants = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    merged = {**(variants[0] if len(variants) == 1 else {}), **schema}
    kept = {
        key: merged[key] for key in ("type", "enum", "description", "required", "$ref") if merged.get(key)
    }
    if len(variants) > 1:
        kept["anyOf"] = [brief_schema(each) for each in variants]
    if isinstance(merged.get("items"), Mapping):
        kept["items"] = brief_schema(merged["items"])
    for group in ("properties", "$defs"):
        if group in merged:
            kept[group] = {name: brief_schema(each) for name, each in merged[group].items()}
    return kept


def _tool(function: Function) -> dict[str, Any]:
    described = {
        "name": function.name,
        "description": function.description,
        "parameters": brief_schema(function.parameters),
    }
    return {"type": "function", "function": described}


def _arguments(raw: str | Mapping[str, Any]) -> dict[str, Any]:
    try:
        value = json.loads(raw) if isinstance(raw, str) else raw
    except ValueError:
        value = {}
    return dict(value) if isinstance(value, Mapping) else {}


def _native_message(message: Message) -> dict[str, Any]:
    made: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        made["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": _arguments(call.arguments)},
            }
            for call in message.tool_calls
        ]
    if message.role == "tool":
        made |= {"name": message.name, "tool_call_id": message.tool_call_id}
    return made


def _hermes_messages(messages: Sequence[Message], functions: Sequence[Function]) -> list[dict[str, Any]]:
    """Functions in the system message, calls and results as text; roles alternate, as templates require."""
    made: list[dict[str, Any]] = []
    for message in messages:
        role = {"tool": "user"}.get(message.role, message.role)
        parts = [message.content] if message.content else []
        parts += [HERMES.write(call.name, _arguments(call.arguments)) for call in message.tool_calls]
        text = "\n".join(parts)
        if message.role == "tool":
            text = f"<tool_response>\n{text}\n</tool_response>"
        if made and made[-1]["role"] == role:
            made[-1]["content"] += f"\n{text}"
        else:
            made.append({"role": role, "content": text})
    if functions:
        lines = "\n".join(json.dumps(_tool(each)) for each in functions)
        described = _HERMES_SYSTEM.format(tools=lines, call=HERMES.write("NAME", {"ARGUMENT": "VALUE"}))
        if not made or made[0]["role"] != "system":
            made.insert(0, {"role": "system", "content": ""})
        made[0]["content"] = (made[0]["content"] + described).strip()
    return made
