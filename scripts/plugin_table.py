"""Write the plugin table into README.md, or with --check report whether it is up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from promptvision.plugins.registry import Registry
from promptvision.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
START, END = "<!-- plugin table: scripts/plugin_table.py -->", "<!-- end of plugin table -->"


def main() -> int:
    """Return 1 when --check finds the table out of date."""
    readme = ROOT / "README.md"
    text = readme.read_text("utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    made = f"{before}{START}\n{table()}\n{END}{after}"
    if "--check" in sys.argv:
        if made != text:
            print("README.md: the plugin table is out of date; run `uv run python scripts/plugin_table.py`")
            return 1
        return 0
    readme.write_text(made, "utf-8")
    return 0


def table() -> str:
    """One row per distribution: what it offers and what its weights are licensed under."""
    registry = Registry.load(Settings(strict_plugins=True))
    rows = ["| distribution | offers | weights |", "|---|---|---|"]
    for plugin in registry.plugins:
        tools = [tool for tool in registry.tools.values() if tool.plugin == plugin.name]
        offers = [f"`{tool.operation.name}` by `{tool.name}`" for tool in tools]
        offers += [
            hook.removeprefix("promptvision_").replace("_", " ").replace("llm", "LLM")
            for hook, made in plugin.offers.items()
            if made and hook not in ("promptvision_tools", "promptvision_models", "promptvision_settings")
        ]
        models = [spec for spec in registry.models.values() if spec.plugin == plugin.name]
        weights = ", ".join(f"{spec.id} ({spec.license})" for spec in models) or "none"
        rows.append(f"| `{plugin.distribution}` | {', '.join(offers)} | {weights} |")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
