"""Hook implementations of promptvision-openai-images: edit, generate and ask about images."""

from __future__ import annotations

from pydantic import Field, SecretStr

from promptvision.plugin import Operation, Requirements, Section, Tool, hookimpl, operations

__all__ = ["ASK", "EDIT", "GENERATE", "KEY", "PLUGIN_API", "promptvision_settings", "promptvision_tools"]

PLUGIN_API = 1

KEY = "PROMPTVISION_OPENAI_IMAGES_KEY"

COSTS = "The image leaves this machine and each call costs money"
"""Shown wherever one of the tools is listed."""

_NEEDS = Requirements(
    modules={"openai": "pip install openai"},
    settings={KEY: f"API key of the host. {COSTS}, so the key of the planner is not used for it"},
)


class OpenAIImagesSection(Section):
    """Settings for editing, generating and asking about images with OpenAI or a compatible host."""

    openai_images_key: SecretStr | None = Field(
        None, description="API key. Setting it allows images to be sent to the host, which costs money."
    )
    openai_images_url: str = Field(
        "https://api.openai.com/v1", description="URL of the host, such as http://localhost:8000/v1."
    )
    openai_images_model: str = Field("gpt-image-1.5", description="Model that edits and generates images.")
    openai_images_chat_model: str = Field("gpt-5-mini", description="Model that answers questions.")
    openai_images_timeout_s: float = Field(180, gt=0, le=3600, description="Seconds for one call.")


def _tool(name: str, operation: Operation, run: str, limits: str) -> Tool:
    return Tool(
        name=name,
        operation=operation,
        run=f"promptvision_openai_images.{run}",
        priority=40,
        requires=_NEEDS,
        limits=f"{limits} {COSTS}.",
        cacheable=False,
        leaves_machine=True,
        costs_money=True,
    )


EDIT = _tool(
    "openai_edit", operations.EDIT, "edit:edit", "Redraws the whole image unless a mask or target limits it."
)
GENERATE = _tool("openai_generate", operations.GENERATE, "generate:generate", "Three formats.")
ASK = _tool("openai_ask", operations.ASK, "ask:ask", "Small print and exact counts are unreliable.")


@hookimpl
def promptvision_tools() -> list[Tool]:
    """The three tools of this plugin."""
    return [EDIT, GENERATE, ASK]


@hookimpl
def promptvision_settings() -> list[type[Section]]:
    """The host, its key and the models."""
    return [OpenAIImagesSection]
