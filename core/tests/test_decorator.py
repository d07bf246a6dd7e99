"""Tools written with the decorator ``@tool``."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, Literal

import PIL.Image
import pytest
from PIL import Image

from promptvision import Image as PublicImage
from promptvision.errors import PluginError
from promptvision.testing.context import make_context, run_tool
from promptvision.tools.context import ToolContext
from promptvision.tools.decorator import as_tool, tool
from promptvision.tools.requirements import Requirements
from promptvision.tools.schema import function_parameters
from promptvision.tools.tool import Result, Tool
from promptvision.types import Box, ImageRef, MaskRef


@tool(phrases=["turn it by {degrees} degrees"], priority=70, limits="Square only.", cacheable=False)
def turn(image: Image.Image, degrees: float = 90.0, way: Literal["left", "right"] = "left") -> Image.Image:
    """Turn an image.

    It keeps
    its size.

    Args:
        image: the image to turn.
        degrees: how far,
            in degrees.
    """
    return image.rotate(degrees if way == "left" else -degrees)


@pytest.fixture
def sample() -> Image.Image:
    made = Image.new("RGB", (4, 4), "white")
    made.putpixel((0, 0), (255, 0, 0))
    return made


def test_signature_and_docstring_become_the_tool() -> None:
    made = turn.tool
    assert isinstance(made, Tool)
    assert (made.name, made.operation.name, made.priority, made.limits) == (
        "turn",
        "turn",
        70,
        "Square only.",
    )
    assert made.operation.description == "Turn an image. It keeps its size."
    assert made.cacheable is False
    assert made.requires == Requirements()


def test_schema_holds_types_defaults_and_descriptions() -> None:
    assert function_parameters(turn.tool.args) == {
        "type": "object",
        "properties": {
            "image": {"type": "string", "description": "the image to turn."},
            "degrees": {"type": "number", "default": 90.0, "description": "how far, in degrees."},
            "way": {"type": "string", "enum": ["left", "right"], "default": "left", "description": "way"},
        },
        "required": ["image"],
        "additionalProperties": False,
    }


def test_returned_image_is_stored_with_its_parent(sample: Image.Image) -> None:
    context = make_context()
    source = context.save(sample, kind="input")
    result = run_tool(turn, context=context, image=source, degrees=90)
    assert result.original_image_url == source
    assert context.open(result.turn_image_url).getpixel((0, 3)) == (255, 0, 0)
    assert (context.saved[-1].kind, context.saved[-1].parent) == ("edit", source.id)


def test_public_image_type_is_the_same(sample: Image.Image) -> None:
    @tool()
    def same(image: PublicImage) -> PublicImage:
        """Do nothing."""
        return image

    context = make_context()
    result = run_tool(same, context=context, image=context.save(sample))
    assert context.open(result.same_image_url).size == (4, 4)


def test_context_is_handed_in_and_hidden_from_the_schema(sample: Image.Image) -> None:
    @tool()
    def seeded(image: Image.Image, context: ToolContext) -> int:
        """Return the seed as text."""
        return context.seed

    assert list(seeded.tool.args.model_fields) == ["image"]
    context = make_context(seed=7)
    assert run_tool(seeded, context=context, image=context.save(sample)).seeded_result == 7


def test_coroutine_function_gets_and_gives_images_too(sample: Image.Image) -> None:
    @tool()
    async def mirror(image: Image.Image, context: ToolContext) -> Image.Image:
        """Mirror an image, after a while.

        Args:
            image: the image.
        """
        await asyncio.sleep(0)
        context.progress(1, 1)
        return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)

    context = make_context()
    result = run_tool(mirror, sample, context=context)
    assert mirror.tool.is_async
    assert context.open(result.mirror_image_url).getpixel((3, 0)) == (255, 0, 0)
    assert result.original_image_url is not None


def test_coroutine_function_gives_other_values_too() -> None:
    @tool()
    async def ask(question: str) -> str:
        """Ask a user.

        Args:
            question: what to ask.
        """
        await asyncio.sleep(0)
        return f"{question} Yes."

    assert run_tool(ask, question="Is it?").ask_result == "Is it? Yes."


def test_other_values_become_name_result_and_its_type_links(sample: Image.Image) -> None:
    @tool()
    def corners(image: Image.Image) -> list[Box]:
        """Find the whole image."""
        return [Box(0, 0, image.width, image.height)]

    context = make_context()
    result = run_tool(corners, context=context, image=context.save(sample))
    assert result.corners_result == [Box(0, 0, 4, 4)]


def test_result_model_is_returned_as_it_stands(sample: Image.Image) -> None:
    @tool()
    def measure(image: Image.Image) -> Sized:
        """Measure."""
        return Sized(width=image.width, message="measured")

    context = make_context()
    assert measure.tool.result is Sized
    result = run_tool(measure, context=context, image=context.save(sample))
    assert result == Sized(width=4, message="measured")


def test_nothing_returned_is_success(sample: Image.Image) -> None:
    @tool()
    def look(image: Image.Image) -> None:
        """Look at it."""

    context = make_context()
    result = run_tool(look, context=context, image=context.save(sample))
    assert result.success
    assert list(look.tool.result.model_fields) == ["success", "message", "original_image_url"]


def test_optional_image_and_mask(sample: Image.Image) -> None:
    @tool()
    def blend(image: Image.Image, mask: MaskRef, other: Image.Image | None = None) -> Image.Image | None:
        """Blend two images, if there are two."""
        return None if other is None else Image.blend(image, other, 0.5)

    context = make_context()
    ref = context.save(sample)
    mask = context.save_mask(sample)
    assert function_parameters(blend.tool.args)["required"] == ["image", "mask"]
    assert run_tool(blend, context=context, image=ref, mask=mask).blend_image_url is None
    both = run_tool(blend, context=context, image=ref, mask=mask, other=ref)
    assert isinstance(both.blend_image_url, ImageRef)


def test_value_of_another_type_than_declared_is_not_a_result(sample: Image.Image) -> None:
    @tool()
    def mistyped(image: Image.Image) -> int:
        """Return text."""
        return "many"  # type: ignore[return-value]

    context = make_context()
    with pytest.raises(
        PluginError,
        match=r"tool 'mistyped': it returned str 'many', but is annotated '-> int': Input should be a",
    ):
        run_tool(mistyped, context=context, image=context.save(sample))


class Sized(Result):
    width: int


def undocumented(image: Image.Image) -> int:
    return 1


def only_arguments(x: int) -> int:
    """
    Args:
        x: a number.
    """
    return x


def unresolved(x: Elsewhere) -> int:  # type: ignore[name-defined]  # noqa: F821
    """An annotation that names nothing."""
    return 1


def bare(image) -> int:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """No annotation."""
    return 1


def open_ended(image: Image.Image):  # type: ignore[no-untyped-def]  # noqa: ANN201
    """No return annotation."""


def many(*images: Image.Image) -> int:
    """Any number."""
    return 1


def any_names(**values: int) -> int:
    """Any names."""
    return 1


def positional(x: int, /) -> int:
    """By position."""
    return x


def Shout(x: int) -> int:  # noqa: N802
    """A name with capitals."""
    return x


@pytest.mark.parametrize(
    ("function", "fault"),
    [
        (undocumented, "'undocumented' needs a docstring"),
        (only_arguments, "'only_arguments' needs a description"),
        (unresolved, "'unresolved': name 'Elsewhere' is not defined; import .* TYPE_CHECKING"),
        (bare, "'bare': parameter 'image' needs a type annotation"),
        (open_ended, "'open_ended': the return annotation is missing"),
        (many, r"'many': parameter \*images.* cannot be given by name"),
        (any_names, r"'any_names': parameter \*\*values.* cannot be given by name"),
        (positional, "'positional': parameter x.* cannot be given by name"),
        (Shout, "name 'Shout' must match"),
    ],
)
def test_function_that_cannot_be_a_tool_is_refused_by_name(function: Callable[..., Any], fault: str) -> None:
    for decorate in (tool, tool()):
        with pytest.raises(ValueError, match=fault):
            decorate(function)


def test_name_may_be_given_and_phrases_are_checked() -> None:
    assert tool(name="loud")(Shout).tool.name == "loud"
    with pytest.raises(ValueError, match="names 'volume', which is not an argument"):
        tool(name="loud", phrases=["shout at {volume}"])(Shout)


def test_bare_decorator_keeps_the_function_callable(sample: Image.Image) -> None:
    @tool
    def halve(image: Image.Image, times: int = 1) -> Image.Image:
        """Make an image smaller."""
        return image.reduce(2**times)

    assert halve(sample).size == (2, 2)
    assert halve(sample, times=2).size == (1, 1)
    assert (halve.__name__, halve.__doc__) == ("halve", "Make an image smaller.")
    assert repr(halve) == f"<tool 'halve' of {__name__}>"
    assert as_tool(halve) is as_tool(halve.tool) is halve.tool
    context = make_context()
    assert context.open(run_tool(halve, sample, context=context).halve_image_url).size == (2, 2)


def test_decorated_coroutine_function_is_still_a_coroutine_function() -> None:
    @tool
    async def ask(question: str) -> str:
        """Ask a user."""
        return f"{question} Yes."

    assert asyncio.run(ask("Is it?")) == "Is it? Yes."


def test_only_functions_can_be_decorated() -> None:
    with pytest.raises(TypeError, match=r"'mirror' is not a function; write @tool or @tool\(name="):
        tool("mirror")  # type: ignore[call-overload]


def module_for_type(image: PIL.Image) -> int:  # type: ignore[valid-type]
    """The module in place of the class."""
    return 1


def list_of_images(images: list[Image.Image]) -> int:
    """Several images in one argument."""
    return 1


def bytes_default(key: bytes = b"x") -> int:
    """A default that JSON cannot hold."""
    return 1


def object_argument(lock: threading.Event) -> int:
    """A type that JSON cannot hold."""
    return 1


def object_result(x: int) -> threading.Event:
    """A result that JSON cannot hold."""
    return threading.Event()


@pytest.mark.parametrize(
    ("function", "fault"),
    [
        (
            module_for_type,
            r"parameter 'image' is annotated with the module PIL.Image, not a type; write",
        ),
        (list_of_images, "parameter 'images' holds images inside another type"),
        (bytes_default, "parameter 'key' has a default of type bytes, which JSON cannot hold"),
        (object_argument, "parameter 'lock' has the type Event, which JSON cannot hold"),
        (object_result, "the return value has the type Event, which JSON cannot hold"),
    ],
)
def test_type_that_cannot_be_an_argument_is_named_with_the_fix(
    function: Callable[..., Any], fault: str
) -> None:
    with pytest.raises(ValueError, match=f"tool {function.__name__!r}: {fault}"):
        tool(function)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"phrases": "turn it"}, r"phrases is one string; write phrases=\('turn it',\)"),
        ({"phrases": [3]}, "phrases must be a tuple of str or Phrase, not int 3"),
        ({"priority": "high"}, "priority must be an int, not str 'high'"),
        ({"requires": ("cv2",)}, "requires must be a Requirements, not tuple"),
        ({"limits": None}, "limits must be a str, not NoneType None"),
        ({"cacheable": 1}, "cacheable must be a bool, not int 1"),
    ],
)
def test_option_of_the_wrong_type_names_tool_and_option(options: dict[str, Any], fault: str) -> None:
    def turn(x: int) -> int:
        """Turn."""
        return x

    with pytest.raises(TypeError, match=f"tool 'turn': {fault}"):
        tool(**options)(turn)


def test_nothing_in_place_of_an_image_is_named(sample: Image.Image) -> None:
    @tool
    def forgetful(image: Image.Image) -> Image.Image:  # type: ignore[empty-body]
        """Forget to return."""

    with pytest.raises(
        PluginError, match="tool 'forgetful': it returned None, but is annotated '-> Image': Field required"
    ):
        run_tool(forgetful, sample)
