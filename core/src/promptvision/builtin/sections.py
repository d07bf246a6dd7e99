"""Settings sections of the core: variables that several plugins or the model download read."""

from __future__ import annotations

from pydantic import Field, SecretStr

from promptvision.settings import Section

__all__ = ["HubSection", "LLMSection"]


class LLMSection(Section):
    """Settings that all LLM providers share."""

    name: str | None = Field(None, alias="LLM_NAME", description="Model id at the LLM host.")
    llm_timeout_s: float = Field(60, ge=0.1, le=3600, description="Time limit of one request, in seconds.")
    llm_first_byte_s: float | None = Field(
        None, ge=0.1, le=3600, description="Time limit until the host begins to answer, in seconds."
    )
    llm_temperature: float = Field(0.2, ge=0, le=2, description="Sampling temperature.")
    llm_context_tokens: int | None = Field(
        None, ge=1000, le=10_000_000, description="Context length of the model, in tokens."
    )


class HubSection(Section):
    """Download of model weights from the Hugging Face hub."""

    endpoint: str | None = Field(None, alias="HF_ENDPOINT", description="URL of a mirror of the hub.")
    token: SecretStr | None = Field(None, alias="HF_TOKEN", description="Access token for gated models.")
    is_offline: bool = Field(
        False, alias="HF_HUB_OFFLINE", description="Use only weights that are on disk; never download."
    )
