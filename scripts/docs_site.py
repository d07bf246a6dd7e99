"""Stage the pages of the documentation site in build/docs: what is in docs/, and pages made from the code.

Links that leave docs/ become links to the repository; images outside docs/ are copied.
"""

from __future__ import annotations

import importlib
import inspect
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
from plugin_table import table

from promptvision.cli.main import cli
from promptvision.plugins.registry import Registry
from promptvision.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DOCS, STAGE = ROOT / "docs", ROOT / "build" / "docs"
REPOSITORY = "https://github.com/promptvision/promptvision/blob/main"
MODULES = {
    "promptvision": "For developers who embed the agent in an application.",
    "promptvision.plugin": "For authors of plugins. A plugin imports from nowhere else.",
    "promptvision.testing": "The test kit for authors of plugins.",
}
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def main() -> None:
    """Write all pages."""
    shutil.rmtree(STAGE, ignore_errors=True)
    shutil.copytree(DOCS, STAGE, ignore=shutil.ignore_patterns("*.md"))
    for page in sorted(DOCS.rglob("*.md")):
        write(page.relative_to(DOCS), with_site_links(page.read_text("utf-8"), page))
    write(Path("index.md"), with_site_links((ROOT / "README.md").read_text("utf-8"), ROOT / "README.md"))
    write(Path("all-plugins.md"), all_plugins())
    write(Path("tools/index.md"), all_tools())
    write(Path("reference/commands.md"), commands())
    for module, summary in MODULES.items():
        write(Path("reference") / f"{module.rpartition('.')[2]}.md", api(module, summary))


def write(place: Path, text: str) -> None:
    """Write one staged page."""
    path = STAGE / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def with_site_links(text: str, page: Path) -> str:
    """A page's text with its relative links rewritten for the site."""
    is_inside = page.is_relative_to(DOCS)

    def replace(match: re.Match[str]) -> str:
        is_image, label, target, fragment = match[1], match[2], match[3], match[4] or ""
        if re.match(r"[a-z]+:", target):
            return match[0]
        path = (page.parent / target).resolve()
        if not path.exists():
            raise SystemExit(f"{page.relative_to(ROOT)}: there is no {target}")
        if path.is_relative_to(DOCS):
            inside = path.relative_to(DOCS)
            return match[0] if is_inside else f"{is_image}[{label}]({inside}{fragment})"
        if is_image:
            name = f"{path.parent.name}-{path.name}"
            shutil.copy(path, STAGE / "images" / name)
            up = "../" * (len(page.relative_to(DOCS).parts) - 1 if is_inside else 0)
            return f"![{label}]({up}images/{name})"
        return f"[{label}]({REPOSITORY}/{path.relative_to(ROOT)}{fragment})"

    return _LINK.sub(replace, text)


def all_plugins() -> str:
    """The page of all plugins: the table of README.md, and each plugin's own page below."""
    parts = [
        "# All plugins",
        "",
        "Each is a distribution of its own: `pip install` it, and it is there.",
        "",
        table(),
    ]
    registry = Registry.load(Settings(strict_plugins=True))
    for plugin in registry.plugins:
        found = [*ROOT.glob(f"*/{plugin.name}/README.md")]
        if found:
            page = with_site_links(found[0].read_text("utf-8"), found[0])
            parts += ["", re.sub(r"^#", "##", page, flags=re.MULTILINE)]
    return "\n".join(parts) + "\n"


def all_tools() -> str:
    """The page of all tools: title, first paragraph and first image of each tool's page."""
    parts = ["# Tools", ""]
    for page in sorted((DOCS / "tools").glob("*.md")):
        text = with_site_links(page.read_text("utf-8"), page)
        title, summary = text.split("\n\n")[:2]
        image = re.search(r"!\[[^\]]*\]\([^)]*\)", text)
        parts += [f"## [{title.lstrip('# ')}]({page.name})", "", summary, "", image[0] if image else "", ""]
    return "\n".join(parts)


def commands() -> str:
    """``--help`` of every command."""
    parts = ["# Commands", "", "Written from `promptvision --help`."]
    for path, command in walk(cli, ("promptvision",)):
        context = click.Context(command, info_name=" ".join(path), max_content_width=100)
        parts += ["", f"## {' '.join(path)}", "", "```text", command.get_help(context).strip(), "```"]
    return "\n".join(parts) + "\n"


def walk(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """A command and those below it, in the order in which they are listed."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            if (found := command.get_command(context, name)) is not None:
                yield from walk(found, (*path, name))


def api(module: str, summary: str) -> str:
    """The reference of a public module: everything that it exports, classes first."""
    loaded = importlib.import_module(module)
    objects = {name: getattr(loaded, name) for name in loaded.__all__}
    parts = [f"# {module}", "", summary, ""]
    listed: set[str] = set()
    for title, is_kind in (("Classes", inspect.isclass), ("Functions", inspect.isroutine)):
        names = [name for name, value in objects.items() if is_kind(value) and is_ours(value)]
        listed.update(names)
        parts += [f"## {title}", ""] if names else []
        for name in names:
            path = f"{objects[name].__module__}.{objects[name].__qualname__}"
            parts += [f"::: {path}", "    options:", "      heading_level: 3", ""]
    if rest := [f"`{name}`" for name in objects if name not in listed]:
        parts += ["## Values and types", "", ", ".join(rest), ""]
    return "\n".join(parts)


def is_ours(value: object) -> bool:
    """Whether a class or function is defined in this project."""
    return getattr(value, "__module__", "").startswith("promptvision")


if __name__ == "__main__":
    main()
