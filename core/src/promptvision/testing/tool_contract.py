"""Tests that every tool must pass; a plugin runs them by subclassing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, ClassVar

import pytest
from PIL import Image, ImageDraw

from promptvision.errors import Cancelled, PromptvisionError
from promptvision.models.spec import ModelSpec
from promptvision.plugins.heavy_modules import HEAVY_MODULES
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.context import CallContext
from promptvision.testing.context import make_context, run_tool
from promptvision.testing.side_effects import lasting_state, shared_state, written_files
from promptvision.tools.artifacts import image_fields, link_types, plain_type
from promptvision.tools.decorator import ToolLike, as_tool
from promptvision.tools.requirements import Missing, missing_requirements
from promptvision.tools.schema import function_parameters
from promptvision.tools.tool import Result, Tool
from promptvision.types import Box, ImageRef, MaskRef

__all__ = ["ToolContract"]

HOSTILE_IMAGES = (
    ("L", (1, 1)),
    ("LA", (2, 1)),
    ("RGBA", (1, 200)),
    ("RGB", (200, 1)),
    ("RGB", (3, 3)),
)
"""Mode and size of images that a tool must handle."""


class ToolContract:
    """Subclass it in a test file, set :attr:`tool`, and :attr:`example` where an argument has no default.

    Required images, masks and boxes are created by :meth:`arguments`. If the requirements of the tool are not
    met, the tests that call it are skipped.
    """

    tool: ClassVar[ToolLike]
    """The tool under test."""
    example: ClassVar[Mapping[str, Any]] = {}
    """Arguments of one typical call, without images, masks and boxes."""
    plugin_module: ClassVar[str]
    """The module of the entry point, such as ``promptvision_bw.plugin``."""
    models: ClassVar[tuple[ModelSpec, ...]] = ()
    """Model specs that the tool may lease."""

    @property
    def made(self) -> Tool:
        """The tool, also where :attr:`tool` is a decorated function."""
        return as_tool(self.tool)

    def image(self, mode: str = "RGB", size: tuple[int, int] = (96, 64)) -> Image.Image:
        """The input image: a few shapes on a plain background."""
        image = Image.new("RGB", size, "white")
        draw = ImageDraw.Draw(image)
        draw.rectangle((size[0] // 8, size[1] // 4, size[0] // 2, size[1] // 2), fill="red")
        draw.ellipse((size[0] // 2, size[1] // 2, size[0] - 1, size[1] - 1), fill="blue")
        return image.convert(mode)

    def arguments(self, context: CallContext, image: Image.Image) -> dict[str, Any]:
        """Arguments of one call: :attr:`example`, and a value for each required image, mask and box list."""
        values: dict[str, Any] = dict(self.example)
        for name, field in self.made.args.model_fields.items():
            kind = plain_type(field.annotation)
            if name in values or not field.is_required():
                continue
            if kind is ImageRef:
                values[name] = context.save(image, kind="input")
            elif kind == list[ImageRef]:
                values[name] = [context.save(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), kind="input")]
            elif kind is MaskRef:
                values[name] = context.save_mask(Image.new("L", image.size, 255))
            elif kind == list[Box]:
                values[name] = [Box(0, 0, image.width, image.height)]
        return values

    def context(self, **changes: Any) -> CallContext:
        """The context of one call; override it for settings or a home folder."""
        return make_context(models=self.models, **changes)

    def call(self, image: Image.Image | None = None, context: CallContext | None = None) -> Result:
        """Make one call; skip the test if the requirements of the tool are not met."""
        context = context or self.context()
        if missing := list(self.missing(context)):
            pytest.skip(f"tool {self.made.name!r} cannot run here: {missing[0].what}")
        made: Result = run_tool(self.tool, context=context, **self.arguments(context, image or self.image()))
        return made

    def missing(self, context: CallContext) -> list[Missing]:
        """Requirements that are not met here, models of :attr:`models` excepted."""
        declared = {spec.id for spec in self.models}
        return list(
            missing_requirements(
                self.made.requires,
                has_model=lambda model: None if model in declared else Missing(f"model {model!r}", ""),
                setting=context.settings.value,
            )
        )

    @pytest.fixture(autouse=True)
    def keep_state(self) -> Iterator[None]:
        """Fail the test in which the tool, or a module that it imports, changes lasting state."""
        before = lasting_state()
        yield
        changed = [name for name, value in lasting_state().items() if value != before[name]]
        assert not changed, f"the call changes {', '.join(changed)}, which all calls share"

    def test_every_argument_is_described(self) -> None:
        """An LLM chooses the tool and its arguments by their descriptions."""
        assert len(self.made.operation.description.split()) >= 2, "the description is a word, not a sentence"
        linked = {*link_types(self.made.args), *image_fields(self.made.args)}
        for name, field in function_parameters(self.made.args)["properties"].items():
            description = (field.get("description") or "").strip()
            is_described = description not in ("", name) or name in linked
            assert is_described, f"argument {name!r} has no description"

    def test_schema_is_closed(self) -> None:
        """Hosts in strict mode reject objects with undeclared members."""
        assert not list(_open_objects(function_parameters(self.made.args))), "an object accepts any member"

    def test_module_imports_nothing_heavy_and_prints_nothing(self) -> None:
        """The module is imported for every command, ``--help`` included."""
        code = (
            f"import sys, {self.plugin_module}\n"
            f"print([name for name in {HEAVY_MODULES!r} if name in sys.modules], file=sys.stderr)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == ""
        assert done.stderr.strip().endswith("[]"), f"{self.plugin_module} imports {done.stderr.strip()}"

    def test_result_is_json(self) -> None:
        """The result reaches the planner and HTTP clients as JSON."""
        assert json.loads(self.call().model_dump_json())["success"] in (True, False)

    def test_call_prints_nothing_on_stdout(self, capfd: pytest.CaptureFixture[str]) -> None:
        """Stdout holds the data of ``--json`` and ``--jsonl``."""
        self.call()
        assert not (printed := capfd.readouterr().out), f"the call prints on stdout: {printed[:80]!r}"

    def test_images_of_the_arguments_are_not_changed(self) -> None:
        """An image is shared by all calls that work on it."""
        context = self.context()
        image = self.image()
        given = context.save(image, kind="input")
        shared = context.open(given)
        self.call(image, context)
        is_kept = context.open(given).tobytes() == shared.tobytes() == image.tobytes()
        assert is_kept, "the call changes the image of its argument; work on a copy"

    def test_same_seed_gives_the_same_result(self) -> None:
        """Results are cached by arguments, pixels and seed; ``cacheable=False``: they may differ."""
        if not self.made.cacheable:
            pytest.skip("the tool declares that equal calls may differ")
        first, second = (self.call(context=self.context(seed=7)) for _ in range(2))
        is_same = first.model_dump(mode="json") == second.model_dump(mode="json")
        assert is_same, "equal calls differ; take random numbers from context.seed, or say cacheable=False"

    def test_only_declared_models_are_leased(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The models of ``requires`` are checked before a call and placed on the GPU together."""
        context = self.context()
        leased: list[str] = []
        lease = context.lease

        def noted(*models: str, **options: Any) -> Any:
            leased.extend(models)
            return lease(*models, **options)

        monkeypatch.setattr(context, "lease", noted)
        self.call(context=context)
        undeclared = set(leased) - set(self.made.requires.chosen_models(context.settings.value))
        assert not undeclared, f"the call leases {', '.join(undeclared)}, which Requirements does not name"

    def test_cancelled_call_stops(self) -> None:
        """A call stops when it saves an image, reports progress or calls ``check_cancelled``."""
        cancel = CancelToken()
        context = self.context(cancel=cancel)
        if missing := list(self.missing(context)):
            pytest.skip(f"tool {self.made.name!r} cannot run here: {missing[0].what}")
        arguments = self.arguments(context, self.image())
        cancel.cancel("enough")
        try:
            run_tool(self.tool, context=context, **arguments)
        except Cancelled:
            return
        pytest.fail("a cancelled call ends as if nothing had happened; call context.check_cancelled()")

    def test_call_writes_no_files(self) -> None:
        """Images are saved in the image store by ``context.save``; temporary files are allowed."""
        self.call()  # imports modules, which may fill caches of their own
        context = self.context()
        with written_files(context.settings.home) as written:
            self.call(context=context)
        assert not written, f"the call writes {', '.join(written[:3])}; save images with context.save"

    def test_call_changes_no_state_of_the_process(self) -> None:
        """Locale, logging, environment, random generators and the like are shared by all calls."""
        self.call()  # imports modules, which may change the environment
        before = shared_state()
        self.call()
        changed = [name for name, value in shared_state().items() if value != before[name]]
        assert not changed, f"the call changes {', '.join(changed)}, which all calls share"

    @pytest.mark.parametrize(("mode", "size"), HOSTILE_IMAGES)
    def test_odd_images_give_a_result_or_a_clear_error(self, mode: str, size: tuple[int, int]) -> None:
        """One pixel, a line, greyscale, transparency: an error must be one that names its cause."""
        with suppress(PromptvisionError):
            self.call(self.image(mode, size))


def _open_objects(schema: Any) -> list[Any]:
    if isinstance(schema, list):
        return [found for item in schema for found in _open_objects(item)]
    if not isinstance(schema, dict):
        return []
    is_open = schema.get("type") == "object" and schema.get("additionalProperties") is not False
    return [schema] * is_open + [found for value in schema.values() for found in _open_objects(value)]
