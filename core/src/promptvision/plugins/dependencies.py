"""Declared dependencies of a distribution that are missing or have the wrong version."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, requires, version

__all__ = ["unmet_requirements"]


def unmet_requirements(distribution: str) -> list[str]:
    """Requirements of a distribution that are not met here, each with the installed version.

    Requirements of extras, and those whose marker does not apply, are skipped.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        declared = requires(distribution) or []
    except PackageNotFoundError:
        return []
    unmet = []
    for line in declared:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            unmet.append(f"{line} (not a valid requirement)")
            continue
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            unmet.append(f"{requirement.name}{requirement.specifier} (not installed)")
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            unmet.append(f"{requirement.name}{requirement.specifier} ({installed} is installed)")
    return unmet
