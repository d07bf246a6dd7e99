"""Builds an untrained Qwen3 of 40,000 parameters in the real file layout, and trains it on single replies.

Tests of any package may load this file by its path. The tokenizer is trained on the text given, with the
control tokens of the real one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["HERMES_TEMPLATE", "PLAIN_TEMPLATE", "build", "train"]

POSITIONS = 16_384
CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
TAGS = ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>")

HERMES_TEMPLATE = """\
{%- if tools %}<|im_start|>system
{% if messages[0].role == 'system' %}{{ messages[0].content }}

{% endif %}<tools>{% for tool in tools %}
{{ tool | tojson }}{% endfor %}
</tools><|im_end|>
{% elif messages[0].role == 'system' %}<|im_start|>system
{{ messages[0].content }}<|im_end|>
{% endif %}
{%- for message in messages %}{% if message.role == 'tool' %}<|im_start|>user
<tool_response>
{{ message.content }}
</tool_response><|im_end|>
{% elif not (loop.first and message.role == 'system') %}<|im_start|>{{ message.role }}
{{ message.content }}{% for call in message.tool_calls or [] %}<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{% endfor %}<|im_end|>
{% endif %}{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% if enable_thinking is false %}<think>

</think>

{% endif %}{% endif %}"""
"""Functions, calls and results as the templates of Hermes and Qwen write them."""

PLAIN_TEMPLATE = """\
{%- for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
"""A template without support for functions."""


def build(
    folder: Path,
    text: Iterable[str] = (),
    *,
    seed: int = 0,
    width: int = 32,
    template: str = HERMES_TEMPLATE,
    vocabulary: int = 600,
) -> Path:
    """Write the checkpoint.

    Args:
        folder: where to; made if it is not there.
        text: what the tokenizer is trained on.
        seed: of the random weights.
        width: of the hidden states.
        template: chat template.
        vocabulary: number of tokens.

    Returns:
        ``folder``.
    """
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(seed)
    tokenizer = _tokenizer(text, template, vocabulary)
    tokenizer.save_pretrained(folder)
    config = Qwen3Config(
        vocab_size=len(tokenizer) + 7,  # padded, as the real one
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=width // 4,
        max_position_embeddings=POSITIONS,
        initializer_range=0.3,  # wide enough that the untrained model does not repeat one token forever
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model: Any = Qwen3ForCausalLM(config)
    model.generation_config.eos_token_id = [
        tokenizer.eos_token_id,
        tokenizer.convert_tokens_to_ids(CONTROL[0]),
    ]
    model.save_pretrained(folder)
    return folder


def train(folder: Path, pairs: Sequence[tuple[list[int], str]], *, steps: int = 400) -> None:
    """Train the checkpoint until it gives each reply to its prompt.

    Args:
        folder: with a checkpoint of :func:`build`.
        pairs: tokens of prompts with the text of their replies.
        steps: how many, at most.

    Raises:
        AssertionError: the loss is still too high after that.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder).train()
    batches = []
    for prompt, reply in pairs:
        answer = [*tokenizer(reply, add_special_tokens=False).input_ids, tokenizer.eos_token_id]
        ids = torch.tensor([prompt + answer])
        batches.append((ids, torch.tensor([[-100] * len(prompt) + answer])))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(steps):
        losses = []
        for ids, labels in batches:
            loss = model(input_ids=ids, labels=labels).loss
            loss.backward()
            losses.append(loss.item())
        optimizer.step()
        optimizer.zero_grad()
        if max(losses) < 0.02:
            break
    assert max(losses) < 0.2, f"the loss of the tiny model is too high: {losses}"
    model.eval().save_pretrained(folder)


def _tokenizer(text: Iterable[str], template: str, vocabulary: int) -> Any:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    make: Any = PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=[],
        show_progress=False,
    )
    raw.train_from_iterator(text, trainer)
    raw.add_special_tokens([AddedToken(token, special=True) for token in CONTROL])
    raw.add_tokens([AddedToken(token, special=False) for token in TAGS])
    return make(
        tokenizer_object=raw,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=template,
        clean_up_tokenization_spaces=False,
    )


def call_text(name: str, arguments: dict[str, Any]) -> str:
    """A call as the template of the checkpoint writes it."""
    return f'<tool_call>\n{{"name": "{name}", "arguments": {json.dumps(arguments)}}}\n</tool_call>'
