from __future__ import annotations

import json
import random
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llguidance import LLMatcher

from promptvision.plugin import Function, Settings
from promptvision.testing import Registry
from promptvision_transformers_llm.grammar import Constraint, bounded, reply_grammar
from promptvision_transformers_llm.template import HERMES, CallSyntax


@pytest.fixture(scope="session")
def functions() -> tuple[Function, ...]:
    """Every operation of every plugin that is installed."""
    registry = Registry.load(Settings(strict_plugins=True))
    return (*registry.functions(), *registry.unavailable())


def write(chat: Any, grammar: str, rng: random.Random, limit: int, *, is_greedy: bool = False) -> str:
    """A random reply that is closed after ``limit`` tokens; greedy: by one random order of tokens."""
    constraint, ids = Constraint(chat.vocabulary, grammar), list[int]()
    order = rng.sample(range(chat.vocabulary.size), chat.vocabulary.size)
    while not constraint.is_complete:
        assert len(ids) < limit + 400
        allowed = constraint.allowed(is_closing=len(ids) >= limit).nonzero().flatten().tolist()
        token = min(allowed, key=order.__getitem__) if is_greedy else rng.choice(allowed)
        if token in chat.vocabulary.tokens.eos_tokens:
            break
        ids += [token, *constraint.accept(token)]
    text: str = chat.vocabulary.tokens.decode_str(ids)
    return text


def check_call(text: str, syntax: CallSyntax, functions: tuple[Function, ...]) -> str:
    assert text.startswith(syntax.opening)
    assert text.endswith(syntax.closing)
    name, _, rest = text.removeprefix(syntax.opening).partition(syntax.middle)
    (function,) = (each for each in functions if each.name == name)
    jsonschema.validate(json.loads(rest.removesuffix(syntax.closing)), function.parameters)
    return name


def test_schemas_of_all_operations_are_enforced_completely(
    chat: Any, functions: tuple[Function, ...]
) -> None:
    assert len(functions) >= 15
    for function in functions:
        schema = json.dumps({**bounded(function.parameters), "x-guidance": {"coerce_one_of": True}})
        grammar = LLMatcher.grammar_from_json_schema(schema)
        found = LLMatcher.validate_grammar_with_warnings(grammar, chat.vocabulary.tokens)
        assert found == (False, []), function.name


@pytest.mark.parametrize("limit", [0, 30, 200])
def test_random_tokens_make_a_valid_call(chat: Any, functions: tuple[Function, ...], limit: int) -> None:
    grammar = reply_grammar(functions, HERMES, chat.vocabulary.special).replace("start: text | ", "start: ")
    rng = random.Random(limit)
    texts = [write(chat, grammar, rng, limit, is_greedy=number % 2 == 0) for number in range(60)]
    assert len({check_call(text, HERMES, functions) for text in texts}) > 8


@pytest.mark.parametrize(
    "syntax", [CallSyntax('{"name": "', '", "parameters": ', "}"), CallSyntax("<|im_start|> [", "(", ")]")]
)
def test_other_syntaxes_are_enforced_too(
    chat: Any, functions: tuple[Function, ...], syntax: CallSyntax
) -> None:
    grammar = reply_grammar(functions[:2], syntax, chat.vocabulary.special).replace(
        "start: text | ", "start: "
    )
    rng = random.Random(1)
    for _ in range(10):
        check_call(write(chat, grammar, rng, 20), syntax, functions[:2])


def test_text_never_looks_like_a_call(chat: Any) -> None:
    grammar = reply_grammar((), HERMES, chat.vocabulary.special)
    rng = random.Random(2)
    for _ in range(100):
        text = write(chat, grammar, rng, 20)
        assert text
        assert not text[0].isspace()
        assert "<" not in text
        assert text[0] not in "{[`"


def test_special_tokens_are_not_text(chat: Any) -> None:
    assert "<tool_call>" in chat.vocabulary.special
    mask = Constraint(chat.vocabulary, reply_grammar((), HERMES, chat.vocabulary.special)).allowed()
    assert not any(mask[id_] for id_ in chat.vocabulary.special.values())


def test_padding_of_the_vocabulary_is_never_allowed(chat: Any) -> None:
    mask = Constraint(chat.vocabulary, reply_grammar((), HERMES, {})).allowed()
    assert len(mask) == chat.model.config.vocab_size
    assert not mask[-7:].any()


SCHEMAS = st.recursive(
    st.sampled_from(
        [
            {"type": "string"},
            {"type": "string", "minLength": 3, "maxLength": 40},
            {"type": "string", "pattern": "^[1-9]\\d{0,4}:\\d+$"},
            {"type": "number"},
            {"type": "integer", "minimum": 3},
            {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
            {"type": "number", "minimum": -1, "exclusiveMaximum": 0},
            {"type": "boolean"},
            {"enum": ["a", 'b"', None, 3]},
        ]
    ),
    lambda inner: st.one_of(
        inner.map(lambda each: {"type": "array", "items": each, "minItems": 2, "maxItems": 5}),
        inner.map(lambda each: {"type": "array", "items": each}),
        inner.map(lambda each: {"anyOf": [each, {"type": "null"}]}),
        st.dictionaries(st.sampled_from("abc"), inner, min_size=1).map(
            lambda each: {
                "type": "object",
                "properties": each,
                "required": sorted(each)[:1],
                "additionalProperties": False,
            }
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(schema=SCHEMAS, seed=st.integers(0, 2**32), limit=st.integers(0, 60), is_greedy=st.booleans())
def test_any_schema_is_kept_whenever_the_reply_must_end(
    chat: Any, schema: dict[str, Any], seed: int, limit: int, is_greedy: bool
) -> None:
    function = Function(
        name="f",
        description="",
        parameters={"type": "object", "properties": {"x": schema}, "required": ["x"]},
    )
    grammar = reply_grammar([function], HERMES, chat.vocabulary.special).replace("start: text | ", "start: ")
    text = write(chat, grammar, random.Random(seed), limit, is_greedy=is_greedy)
    check_call(text, HERMES, (function,))


def test_numbers_get_bounds_and_data_is_unchanged() -> None:
    schema = {
        "properties": {"a": {"type": "number", "exclusiveMinimum": 0}, "b": {"enum": [{"type": "number"}]}}
    }
    assert bounded(schema) == {
        "properties": {
            "a": {"type": "number", "exclusiveMinimum": 0, "maximum": 1e9},
            "b": {"enum": [{"type": "number"}]},
        }
    }


def test_invalid_grammar_is_an_error(chat: Any) -> None:
    with pytest.raises(ValueError, match="missing"):
        Constraint(chat.vocabulary, "start: missing")
