"""``promptvision setup``: from an installation to working models, in one command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from promptvision.cli.output import echo_json, echo_table, echo_text, say
from promptvision.cli.pulling import is_terminal, pull_models
from promptvision.models.placement import gigabytes
from promptvision.models.profiles import PROFILES, Profile
from promptvision.plugins.first_party import INSTALL_ALL

if TYPE_CHECKING:
    from promptvision.cli.self_test import CheckedTool
    from promptvision.models.machine import Machine
    from promptvision.plugins.registry import Registry
    from promptvision.plugins.setup_plan import SetupPlan

__all__ = ["setup"]

IMAGE = "photo.jpg"


@click.command()
@click.option("--profile", type=click.Choice(PROFILES), help="Default: full with a GPU, else light.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing; accept the licences that are shown.")
@click.option("--dry-run", is_flag=True, help="Show what would be downloaded, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan and the outcome as JSON.")
def setup(profile: Profile | None, yes: bool, dry_run: bool, as_json: bool) -> int:
    """Download the models that suit this machine, test every tool, and choose a language model.

    Interrupted downloads are resumed. The exit code is 1 if a download or a test failed.
    """
    from promptvision.models.machine import look
    from promptvision.plugins.registry import Registry
    from promptvision.plugins.setup_plan import make_plan
    from promptvision.settings import load_settings

    if not (yes or dry_run or is_terminal()):
        raise click.UsageError("setup asks before it downloads; without a terminal add --yes or --dry-run")
    settings = load_settings()
    registry = Registry.load(settings)
    machine = look(settings.weights_home)
    plan = make_plan(registry, profile or ("full" if machine.gpu_bytes else "light"), machine)
    if not as_json:
        _show(plan, machine)
    if dry_run:
        if as_json:
            echo_json(_document(plan, machine))
        return 0
    if plan.missing and not yes:
        plan = _ask(plan)
    has_failed = bool(plan.missing) and _download(plan, registry, machine)
    tested = _test(registry, plan)
    planner = _choose_planner(registry, yes=yes)
    has_failed = has_failed or any(not one.is_ok for one in tested)
    if as_json:
        echo_json({**_document(plan, machine), "tests": [vars(one) for one in tested], "planner": planner})
    elif not has_failed:
        _show_commands(plan)
    return 1 if has_failed else 0


def _show(plan: SetupPlan, machine: Machine) -> None:
    gpu = f"a GPU with {gigabytes(machine.gpu_bytes)}" if machine.gpu_bytes else "no GPU"
    say(
        f"This machine: {gpu}, {gigabytes(machine.memory_bytes)} of memory, "
        f"{gigabytes(machine.disk_bytes)} of disk free. Profile: {plan.profile}."
    )
    rows = [
        (
            model.spec.id,
            "here" if model.is_here else gigabytes(model.bytes) if model.bytes else "?",
            model.spec.license + (" *" if model.is_restrictive else ""),
            model.speed,
            ", ".join(model.operations),
        )
        for model in plan.models
    ]
    if rows:
        echo_table(("MODEL", "SIZE", "LICENCE", "EXPECTED", "FOR"), rows)
        say(f"To download: {gigabytes(plan.bytes)}.")
    else:
        say(f"No installed tool has models to download. To add some: {INSTALL_ALL}")
    for skipped in plan.skipped:
        say(f"left out: {skipped.tool} ({skipped.operation}): {skipped.reason}", dim=True)
    for licence, url in dict.fromkeys(
        (model.spec.license, model.spec.license_url) for model in plan.models if model.is_restrictive
    ):
        say(f"* {licence} restricts the use of the weights: {url}", fg="yellow")


def _ask(plan: SetupPlan) -> SetupPlan:
    """The plan with what the user agrees to."""
    restricted = [model for model in plan.missing if model.is_restrictive]
    size = f"Download {gigabytes(plan.bytes)}"
    if not restricted:
        agreed = click.confirm(f"{size}?", default=True, err=True)
        return plan if agreed else plan.without(plan.missing)
    answer = click.prompt(
        f"{size} and accept the licences marked *? (y: yes, f: only what is not marked, n: nothing)",
        type=click.Choice(["y", "f", "n"]),
        default="y",
        err=True,
    )
    refused = {"y": [], "f": restricted, "n": plan.missing}[answer]
    return plan.without(refused) if refused else plan


def _download(plan: SetupPlan, registry: Registry, machine: Machine) -> bool:
    """Download and verify; whether something failed."""
    from promptvision.cli.output import complain
    from promptvision.models.download import require_space
    from promptvision.models.pull import verify
    from promptvision.models.weights import locate

    settings = registry.settings
    settings.weights_home.mkdir(parents=True, exist_ok=True)
    require_space(settings.weights_home, 0)
    specs = [model.spec for model in plan.missing]
    has_failed = pull_models(specs, settings)
    registry.availability.invalidate()
    for spec in specs:
        if locate(spec, settings) is None:
            continue
        for problem in verify(spec, settings):
            has_failed = True
            complain(f"{spec.id}: {problem.path} {problem.what}")
        say(f"{spec.id}: downloaded and verified", fg="green")
    return has_failed


def _test(registry: Registry, plan: SetupPlan) -> list[CheckedTool]:
    """Run each tool of the plan once."""
    from promptvision.cli.self_test import check_tools

    ready = [tool for tool in plan.tools if not registry.missing(tool)]
    if not ready:
        return []
    say("Running each tool once on a sample image; the first run loads its model.")
    return check_tools(registry, ready)


def _choose_planner(registry: Registry, *, yes: bool) -> str:
    from promptvision.cli.setup_llm import choose_llm

    return choose_llm(registry, ask=not yes and is_terminal())


def _show_commands(plan: SetupPlan) -> None:
    from promptvision.plugins.setup_plan import ready_commands

    say("Ready. Try:")
    for command in ready_commands(plan.tools, IMAGE):
        echo_text(f"  {command}")


def _document(plan: SetupPlan, machine: Machine) -> dict[str, Any]:
    return {
        "profile": plan.profile,
        "machine": vars(machine),
        "bytes": plan.bytes,
        "models": [
            {
                "id": model.spec.id,
                "operations": list(model.operations),
                "license": model.spec.license,
                "license_url": model.spec.license_url,
                "restrictive": model.is_restrictive,
                "bytes": model.bytes,
                "present": model.is_here,
                "speed": model.speed,
            }
            for model in plan.models
        ],
        "skipped": [vars(skipped) for skipped in plan.skipped],
    }
