"""The commands that ship with the core."""

from __future__ import annotations

from promptvision.plugins.commands import Command

__all__ = ["COMMANDS"]

COMMANDS = tuple(
    Command(name, summary, f"promptvision.cli.{name}:{name}")
    for name, summary in (
        ("run", "Edit or examine an image according to TEXT."),
        ("batch", "Edit or examine many images according to TEXT."),
        ("chat", "Talk about an image in the terminal."),
        ("serve", "Serve the HTTP interface."),
        ("setup", "Download models for this machine and choose a language model."),
        ("keys", "Store the API key of an LLM host."),
        ("demo", "Run five instructions on sample images and write a report."),
        ("plugins", "List plugins and their state."),
        ("tools", "List tools, or run one without a planner."),
        ("models", "List, pull, verify and remove model weights, and show their memory."),
        ("cache", "Show and clear cached results of stages of tools."),
        ("doctor", "Check what works here and what is missing."),
        ("history", "List, show, rename, export and delete conversations."),
        ("store", "Copy conversations and images, and delete old ones."),
        ("plugin", "Create a plugin project."),
        ("completion", "Print a shell completion script."),
    )
)
