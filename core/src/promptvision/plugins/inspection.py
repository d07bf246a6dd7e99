"""Read a plugin's distribution without importing it: entry point, metadata, dependencies and source."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import Distribution, EntryPoint, entry_points, packages_distributions
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from promptvision.plugins.discovery import GROUP
from promptvision.plugins.heavy_modules import HEAVY_MODULES
from promptvision.plugins.specs import Finding

__all__ = ["Inspection"]

PUBLIC = ("promptvision", "promptvision.plugin", "promptvision.testing")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True)
class Inspection:
    """The checks of one distribution.

    Args:
        distribution: of the plugin.
        packages: folders of its import packages; the file, where it is a single module.
    """

    distribution: Distribution
    packages: tuple[Path, ...]

    @property
    def points(self) -> list[EntryPoint]:
        """Its entry points for promptvision."""
        return [point for point in self.distribution.entry_points if point.group == GROUP]

    def findings(self) -> Iterator[Finding]:
        """All findings, a line each; those that are ``ok`` too."""
        yield self._entry_point()
        yield self._metadata()
        yield self._license()
        yield self._dependencies()
        yield self._imports()
        yield self._typed()
        yield self._source()

    def _entry_point(self) -> Finding:
        if not self.points:
            fix = (
                f'add [project.entry-points.{GROUP}] with one line, such as NAME = "promptvision_NAME.plugin"'
            )
            return Finding("entry point", "fail", f"none in the group {GROUP!r}", fix)
        for point in self.points:
            if not _NAME.fullmatch(point.name):
                fix = "use lower-case letters, digits and '_', beginning with a letter"
                return Finding("entry point", "fail", f"the name {point.name!r} is not valid", fix)
            if point.attr:
                seen = f"{point.value!r} names an attribute, not a module"
                return Finding("entry point", "fail", seen, f"write {point.module!r}")
            if other := self._other_owner(point.name):
                seen = f"the name {point.name!r} is also that of {other}"
                return Finding("entry point", "fail", seen, "choose another name")
        return Finding("entry point", "ok", ", ".join(f"{one.name} = {one.value}" for one in self.points))

    def _other_owner(self, name: str) -> str | None:
        mine = canonicalize_name(self.distribution.name)
        for point in entry_points(group=GROUP, name=name):
            if point.dist is not None and canonicalize_name(point.dist.name) != mine:
                return point.dist.name
        return None

    def _metadata(self) -> Finding:
        metadata = self.distribution.metadata
        wanted = {"Summary": "description", "Requires-Python": "requires-python", "Description": "readme"}
        # importlib.metadata moves the body of the file to "Description"
        missing = [field for key, field in wanted.items() if key not in metadata]
        if missing:
            return Finding("metadata", "warn", f"{', '.join(missing)} missing", "add it to [project]")
        return Finding("metadata", "ok", f"{self.distribution.name} {self.distribution.version}")

    def _license(self) -> Finding:
        metadata = self.distribution.metadata
        names = [metadata[key] for key in ("License-Expression", "License") if key in metadata]
        if not names:
            fix = 'add license = "MIT", or another SPDX expression, to [project]'
            return Finding("license", "fail", "the metadata names no licence", fix)
        if not metadata.get_all("License-File"):
            seen = f"{names[0]}, without its text"
            return Finding("license", "warn", seen, "add a file LICENSE to the wheel")
        return Finding("license", "ok", names[0].partition("\n")[0])

    @cached_property
    def _requirements(self) -> dict[str, Requirement]:
        """Declared requirements by normalised name, those of extras too."""
        found: dict[str, Requirement] = {}
        for line in self.distribution.requires or ():
            try:
                requirement = Requirement(line)
            except InvalidRequirement:
                continue
            found[canonicalize_name(requirement.name)] = requirement
        return found

    def _dependencies(self) -> Finding:
        core = self._requirements.get("promptvision")
        fix = 'write "promptvision>=0.1,<1"'
        if core is None:
            return Finding("dependencies", "fail", "promptvision is not among them", fix)
        if not core.specifier:
            return Finding("dependencies", "warn", "promptvision has no version range", fix)
        pinned = [
            str(one)
            for one in self._requirements.values()
            if any(part.operator in ("==", "===") for part in one.specifier)
        ]
        if pinned:
            seen = f"exact versions: {', '.join(pinned)}"
            return Finding("dependencies", "warn", seen, "give ranges; other plugins share the environment")
        return Finding("dependencies", "ok", f"{len(self._requirements)}, promptvision{core.specifier}")

    def _imports(self) -> Finding:
        providers = packages_distributions()
        declared = {*self._requirements, canonicalize_name(self.distribution.name)}
        missing = {
            name
            for name in self._imported_modules
            if not declared.intersection(map(canonicalize_name, providers.get(name, [name])))
        }
        if missing:
            names = ", ".join(sorted(missing))
            return Finding("imports", "fail", f"{names} not declared", "add it to [project] dependencies")
        return Finding("imports", "ok", "all declared as dependencies")

    @cached_property
    def _imported_modules(self) -> set[str]:
        """Top-level names of all imports, those inside functions too, without the standard library."""
        names: set[str] = set()
        for _, node in self._nodes:
            if isinstance(node, ast.Import):
                names.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
        own = {package.stem for package in self.packages}
        return {name for name in names if name not in sys.stdlib_module_names and name not in own}

    @cached_property
    def _nodes(self) -> list[tuple[Path, ast.AST]]:
        """Every node of the source, with its file."""
        return [
            (file, node)
            for package in self.packages
            for file in ([package] if package.is_file() else sorted(package.rglob("*.py")))
            for node in ast.walk(ast.parse(file.read_text("utf-8")))
        ]

    def _typed(self) -> Finding:
        untyped = [package.name for package in self.packages if not (package / "py.typed").exists()]
        if untyped:
            return Finding(
                "types", "warn", f"{', '.join(untyped)} has no py.typed", "add an empty file py.typed"
            )
        return Finding("types", "ok", "py.typed")

    def _source(self) -> Finding:
        found = [
            f"{file.parent.name}/{file.name}:{getattr(node, 'lineno', 0)} {problem}"
            for file, node in self._nodes
            if (problem := _problem(node))
        ]
        for package in self.packages:
            init = package / "__init__.py"
            if init.exists() and (heavy := _heavy_imports(init)):
                found.append(f"{package.name}/__init__.py imports {', '.join(heavy)}")
        if not found:
            return Finding("source", "ok", "nothing unsafe, and no internal module of promptvision")
        fix = "load weights as safetensors, import heavy modules where they are used, and only the public API"
        return Finding("source", "fail", "; ".join(found[:5]), fix)


def _heavy_imports(file: Path) -> list[str]:
    """Heavy modules that a file imports at its top level."""
    names: list[str] = []
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.Import):
            names += [alias.name.partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module.partition(".")[0])
    return [name for name in names if name in HEAVY_MODULES]


def _problem(node: ast.AST) -> str:
    """What a node does that no plugin should; an empty string for nothing."""
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        is_internal = node.module.startswith("promptvision.") and node.module not in PUBLIC
        return f"imports the internal module {node.module}" if is_internal else ""
    if isinstance(node, ast.Import):
        internal = [
            alias.name
            for alias in node.names
            if alias.name.startswith("promptvision.") and alias.name not in PUBLIC
        ]
        return f"imports the internal module {internal[0]}" if internal else ""
    if not isinstance(node, ast.Call):
        return ""
    options = {word.arg: word.value.value for word in node.keywords if isinstance(word.value, ast.Constant)}
    if options.get("trust_remote_code") is True:
        return "runs code of a model repository (trust_remote_code)"
    if options.get("shell") is True:
        return "passes a command to the shell (shell=True)"
    called = ast.unparse(node.func)
    if called in ("pickle.load", "pickle.loads"):
        return "reads a pickle, which can run any code"
    if called == "torch.load" and options.get("weights_only") is not True:
        return "calls torch.load without weights_only=True"
    return ""
