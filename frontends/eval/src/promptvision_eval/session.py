"""One evaluation: choose evaluator, examples and targets, run them, and close everything."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from promptvision.plugin import (
    EvalSetup,
    Evaluation,
    Evaluator,
    InputError,
    Missing,
    Settings,
    SetupError,
    Tool,
    UserError,
    load_settings,
)
from promptvision_eval.document import Request, make_document
from promptvision_eval.planner_target import PlannerTarget
from promptvision_eval.run import Outcome, Plan, choose_cases, run_target
from promptvision_eval.targets import Target, ToolTarget

if TYPE_CHECKING:
    from promptvision import Agent

__all__ = ["PLANNER", "EvalSession"]

PLANNER = "planner"
"""In place of an operation."""
NOT_PREDICTIVE = ("PROMPTVISION_CONVERSATIONS", "PROMPTVISION_HOME", "PROMPTVISION_IMAGES")
"""Settings that no prediction depends on."""
SECRETS = ("_KEY", "_PASSWORD", "_SECRET", "_TOKEN")
"""How the names of settings end that no prediction depends on."""

Writer = Callable[[Path], None]


class EvalSession:
    """Runs one request.

    Args:
        request: what the user asked for.
        is_fresh: whether predictions of earlier runs are ignored.
    """

    def __init__(self, request: Request, *, is_fresh: bool = False) -> None:
        self._request = request
        self._is_fresh = is_fresh

    async def run(self) -> tuple[dict[str, Any], Writer]:
        """The document, and a function that writes the report.

        Raises:
            UserError: the operation, a tool or the layout is not known.
            SetupError: a tool cannot run here.
            InputError: the data cannot be used.
        """
        from promptvision import Agent

        with ExitStack() as stack:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="promptvision-eval-")))
            agent = Agent(load_settings(images=scratch.as_uri(), conversations="memory:"))
            try:
                return await self._run(agent)
            finally:
                await agent.close()

    async def _run(self, agent: Agent) -> tuple[dict[str, Any], Writer]:
        request = self._request
        evaluator = self._choose_evaluator(agent.registry.evaluators())
        folder = agent.settings.home / "eval" / evaluator.name
        setup = EvalSetup(
            data=request.data,
            options=request.options,
            settings=agent.settings,
            folder=folder / "images",
        )
        targets = self._planners(agent) if request.operation == PLANNER else self._tools(agent)
        evaluation = evaluator.load()(setup)
        cases = [*evaluation.cases()]
        if not cases:
            raise InputError(f"eval: {request.data} holds no example", hint=evaluator.summary)
        plan = Plan(
            evaluator=evaluator,
            evaluation=evaluation,
            cases=choose_cases(cases, request.limit, request.seed),
            options=request.options,
            arguments=request.arguments,
            folder=folder,
            seed=request.seed,
            resamples=request.resamples,
            is_fresh=self._is_fresh,
        )
        try:
            outcomes = [await run_target(plan, target) for target in targets]
        finally:
            for target in targets:
                await target.close()
        document = make_document(request, evaluator.name, outcomes, len(cases))
        return document, _writer(document, evaluation, outcomes)

    def _choose_evaluator(self, evaluators: Sequence[Evaluator]) -> Evaluator:
        request = self._request
        mine = [each for each in evaluators if each.operation == request.operation]
        if not mine:
            known = ", ".join(sorted({each.operation for each in evaluators}))
            raise UserError(f"eval: nothing scores {request.operation!r}; it can score: {known}")
        named = [each for each in mine if not request.evaluator or each.name == request.evaluator]
        if not named:
            names = ", ".join(each.name for each in mine)
            raise UserError(f"eval: no evaluator {request.evaluator!r}; use one of: {names}")
        found = next((each for each in named if request.evaluator or each.accepts(request.data)), None)
        if found is None:
            layouts = "; ".join(f"{each.name}: {each.summary}" for each in named)
            raise InputError(
                f"eval: {request.data} has no layout that scores {request.operation}",
                hint=f"the layouts are: {layouts}",
            )
        if unknown := sorted(set(request.options) - set(found.options)):
            names = ", ".join(sorted(found.options)) or "none"
            raise UserError(f"eval: {found.name} has no option {unknown[0]!r}; its options are: {names}")
        return found

    def _tools(self, agent: Agent) -> list[Target]:
        request, registry = self._request, agent.registry
        installed = registry.candidates(request.operation)
        if not installed:
            names = ", ".join(sorted(registry.operations)) or "none"
            raise UserError(f"eval: no tool of {request.operation!r} is installed; operations: {names}")
        chosen = [self._find(installed, name) for name in request.tools]
        chosen = chosen or registry.runnable(request.operation)[:1] or installed[:1]
        for tool in chosen:
            if missing := registry.missing(tool):
                raise SetupError(
                    f"eval: tool {tool.name!r}: {_missing_text(missing)}",
                    hint="or choose another with --tool",
                )
            if unknown := sorted(set(request.arguments) - set(tool.args.model_fields)):
                names = ", ".join(tool.args.model_fields)
                raise UserError(
                    f"eval: tool {tool.name!r} has no argument {unknown[0]!r}; its arguments: {names}"
                )
            self._check_arguments(tool)
        identity = _identity(agent.settings)
        return [ToolTarget(agent, tool, self._arguments(tool), identity) for tool in chosen]

    def _check_arguments(self, tool: Tool) -> None:
        """Raise for a value that the tool refuses; arguments of the data set are checked with each call."""
        given = self._request.arguments
        try:
            tool.args.model_validate(given)
        except ValidationError as exc:
            for error in exc.errors():
                name = str(error["loc"][0]) if error["loc"] else ""
                if name in given:
                    raise UserError(f"eval: -a {name}={given[name]}: {error['msg']}") from exc

    def _arguments(self, tool: Tool) -> dict[str, Any]:
        seeded = {"seed": self._request.seed} if "seed" in tool.args.model_fields else {}
        return {**seeded, **self._request.arguments}

    def _find(self, installed: Sequence[Tool], name: str) -> Tool:
        for tool in installed:
            if name in (tool.name, tool.qualified_name):
                return tool
        names = ", ".join(tool.name for tool in installed)
        raise UserError(f"eval: no tool {name!r} of {self._request.operation}; use one of: {names}")

    def _planners(self, agent: Agent) -> list[Target]:
        registry, settings = agent.registry, agent.settings
        factories = {factory.name: factory for factory in registry.providers}
        ready = [name for name, factory in factories.items() if factory.unavailable(settings) is None]
        owners = {
            factory.name: plugin
            for plugin in registry.plugins
            for factory in plugin.offers.get("promptvision_llm_providers", ())
        }
        targets: list[Target] = []
        for name in self._request.tools or ready[:1]:
            if name not in factories:
                raise UserError(f"eval: no planner {name!r}; use one of: {', '.join(factories)}")
            if (missing := factories[name].unavailable(settings)) is not None:
                raise SetupError(f"eval: planner {name!r}: {missing}", hint="or choose another with --tool")
            planner = factories[name].make(settings, agent.services.runtime.pool)
            owner = owners[name]
            targets.append(
                PlannerTarget(
                    planner,
                    plugin=owner.name,
                    version=owner.version,
                    functions=registry.functions(),
                    operations=registry.operations,
                    identity=_identity(settings),
                )
            )
        return targets


def _missing_text(missing: Sequence[Missing]) -> str:
    """What a tool needs, with one command for all models."""
    models = [each.model for each in missing if each.model]
    parts = [each.what if each.model else f"{each.what}; {each.fix}" for each in missing]
    pull = [f"run `promptvision models pull {' '.join(models)}`"] if models else []
    return "; ".join([*parts, *pull])


def _identity(settings: Settings) -> dict[str, str]:
    """A digest of the settings that predictions may depend on, and weights that replace published ones."""
    names = sorted(filter(_is_predictive, settings.names))
    values = {name: settings.value(name) for name in names if settings.value(name) is not None}
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
    weights = {name: str(value) for name, value in values.items() if name.startswith("PROMPTVISION_MODEL_")}
    return {"settings": digest, **{name: f"{value}@{_changed(value)}" for name, value in weights.items()}}


def _is_predictive(name: str) -> bool:
    is_ours = name.startswith("PROMPTVISION_") and name not in NOT_PREDICTIVE and not name.endswith(SECRETS)
    return is_ours or name == "LLM_NAME" or name.endswith("_BASE_URL")


def _changed(path: str) -> int:
    """When a file or folder of weights was changed, in ns; 0 for a name of the hub."""
    try:
        return Path(path).expanduser().stat().st_mtime_ns
    except OSError:
        return 0


def _writer(document: dict[str, Any], evaluation: Evaluation, outcomes: Sequence[Outcome]) -> Writer:
    def write(path: Path) -> None:
        from promptvision_eval.report import write_report

        write_report(path, document, evaluation, outcomes)

    return write
