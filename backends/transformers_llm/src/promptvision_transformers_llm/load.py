"""Load a chat model and its tokenizer from a folder or a GGUF file."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from llguidance import LLTokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

from promptvision.plugin import SetupError, load_pretrained
from promptvision_transformers_llm.cache import PromptCache
from promptvision_transformers_llm.grammar import Vocabulary
from promptvision_transformers_llm.plugin import CONTEXT_TOKENS
from promptvision_transformers_llm.template import ChatTemplate

__all__ = ["ChatModel", "load"]

OWNER = "promptvision-transformers-llm"
ANOTHER = "set PROMPTVISION_MODEL_QWEN3_0_6B to a chat model in the format of transformers or GGUF"


@dataclass(frozen=True, kw_only=True)
class ChatModel:
    """A loaded chat model.

    Args:
        model: on its device, in evaluation mode.
        template: writes prompts and knows the syntax of calls.
        vocabulary: the tokens, as the grammars need them.
        cache: keys and values of the last prompt and reply.
        lock: hold it while the model generates.
    """

    model: Any
    template: ChatTemplate
    vocabulary: Vocabulary
    cache: PromptCache
    lock: Lock = field(default_factory=Lock)


def load(path: Path, device: str, dtype: str) -> ChatModel:
    """Load a model from local files only; code in its repository is never run.

    Args:
        path: folder with ``config.json`` and safetensors files, or a GGUF file.
        device: ``cpu`` or ``cuda``.
        dtype: ``float32``, ``float16`` or ``bfloat16``.

    Raises:
        SetupError: weights or the chat template are missing, or the tokenizer cannot be used.
    """
    source: dict[str, Any] = {"trust_remote_code": False}
    folder = path
    if path.is_file():
        folder, source["gguf_file"] = path.parent, path.name
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True, **source)
    _require_chat(path, tokenizer)
    model = load_pretrained(OWNER, AutoModelForCausalLM, folder, device, dtype, **source)
    return ChatModel(
        model=model,
        template=ChatTemplate(tokenizer),
        vocabulary=_vocabulary(tokenizer, model),
        cache=PromptCache(model.config, model.dtype, CONTEXT_TOKENS),
    )


def _require_chat(path: Path, tokenizer: Any) -> None:
    if not tokenizer.is_fast:
        raise SetupError(f"{OWNER}: {path}: it has no tokenizer.json", hint=ANOTHER)
    if not tokenizer.chat_template:
        raise SetupError(f"{OWNER}: {path}: it has no chat template", hint=ANOTHER)
    if tokenizer.eos_token_id is None:
        raise SetupError(f"{OWNER}: {path}: its tokenizer has no end-of-text token", hint=ANOTHER)


def _vocabulary(tokenizer: Any, model: Any) -> Vocabulary:
    """The vocabulary of the model's logits, padded if the model has more tokens than the tokenizer."""
    ends = model.generation_config.eos_token_id
    ends = ends if isinstance(ends, list) else [ends]
    backend = copy(tokenizer.backend_tokenizer)
    backend.no_padding()
    backend.no_truncation()
    tokens = LLTokenizer(
        backend.to_str(),
        n_vocab=max(model.config.get_text_config().vocab_size, len(tokenizer)),
        eos_token=list(dict.fromkeys([tokenizer.eos_token_id, *(end for end in ends if end is not None)])),
    )
    return Vocabulary(tokens, tokenizer.get_added_vocab())
