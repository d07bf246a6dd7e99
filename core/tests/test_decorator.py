"""The ten-line way to write a tool."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal

import pytest
from PIL import Image
from pydantic import ValidationError

from promptvision import Image as PublicImage
from promptvision.testing.context import make_context, run_tool
from promptvision.tools.context import ToolContext
from promptvision.tools.decorator import tool
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
def picture() -> Image.Image:
    made = Image.new("RGB", (4, 4), "white")
    made.putpixel((0, 0), (255, 0, 0))
    return made


def test_signature_and_docstring_become_the_tool() -> None:
    assert isinstance(turn, Tool)
    assert (turn.name, turn.operation.name, turn.priority, turn.limits) == (
        "turn",
        "turn",
        70,
        "Square only.",
    )
    assert turn.operation.description == "Turn an image. It keeps its size."
    assert turn.cacheable is False
    assert turn.requires == Requirements()


def test_schema_holds_types_defaults_and_descriptions() -> None:
    assert function_parameters(turn.args) == {
        "type": "object",
        "properties": {
            "image": {"type": "string", "description": "the image to turn."},
            "degrees": {"type": "number", "default": 90.0, "description": "how far, in degrees."},
            "way": {"type": "string", "enum": ["left", "right"], "default": "left", "description": "way"},
        },
        "required": ["image"],
        "additionalProperties": False,
    }


def test_returned_image_is_stored_with_its_parent(picture: Image.Image) -> None:
    context = make_context()
    source = context.save(picture, kind="input")
    result = run_tool(turn, context=context, image=source, degrees=90)
    assert result.original_image_url == source
    assert context.open(result.turn_image_url).getpixel((0, 3)) == (255, 0, 0)
    assert (context.saved[-1].kind, context.saved[-1].parent) == ("edit", source.id)


def test_public_image_type_is_the_same(picture: Image.Image) -> None:
    @tool()
    def same(image: PublicImage) -> PublicImage:
        """Do nothing."""
        return image

    context = make_context()
    result = run_tool(same, context=context, image=context.save(picture))
    assert context.open(result.same_image_url).size == (4, 4)


def test_context_is_handed_in_and_hidden_from_the_schema(picture: Image.Image) -> None:
    @tool()
    def seeded(image: Image.Image, context: ToolContext) -> int:
        """Tell the seed."""
        return context.seed

    assert list(seeded.args.model_fields) == ["image"]
    context = make_context(seed=7)
    assert run_tool(seeded, context=context, image=context.save(picture)).seeded_result == 7


def test_coroutine_function_gets_and_gives_images_too(picture: Image.Image) -> None:
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
    result = run_tool(mirror, picture, context=context)
    assert mirror.is_async
    assert context.open(result.mirror_image_url).getpixel((3, 0)) == (255, 0, 0)
    assert result.original_image_url is not None


def test_coroutine_function_gives_other_values_too() -> None:
    @tool()
    async def ask(question: str) -> str:
        """Ask somebody.

        Args:
            question: what to ask.
        """
        await asyncio.sleep(0)
        return f"{question} Yes."

    assert run_tool(ask, question="Is it?").ask_result == "Is it? Yes."


def test_other_values_become_name_result_and_its_type_links(picture: Image.Image) -> None:
    @tool()
    def corners(image: Image.Image) -> list[Box]:
        """Find the whole image."""
        return [Box(0, 0, image.width, image.height)]

    context = make_context()
    result = run_tool(corners, context=context, image=context.save(picture))
    assert result.corners_result == [Box(0, 0, 4, 4)]


def test_result_model_is_returned_as_it_stands(picture: Image.Image) -> None:
    @tool()
    def measure(image: Image.Image) -> Sized:
        """Measure."""
        return Sized(width=image.width, message="measured")

    context = make_context()
    assert measure.result is Sized
    result = run_tool(measure, context=context, image=context.save(picture))
    assert result == Sized(width=4, message="measured")


def test_nothing_returned_is_success(picture: Image.Image) -> None:
    @tool()
    def look(image: Image.Image) -> None:
        """Look at it."""

    context = make_context()
    result = run_tool(look, context=context, image=context.save(picture))
    assert result.success
    assert list(look.result.model_fields) == ["success", "message", "original_image_url"]


def test_optional_image_and_mask(picture: Image.Image) -> None:
    @tool()
    def blend(image: Image.Image, mask: MaskRef, other: Image.Image | None = None) -> Image.Image | None:
        """Blend two images, if there are two."""
        return None if other is None else Image.blend(image, other, 0.5)

    context = make_context()
    ref = context.save(picture)
    mask = context.save_mask(picture)
    assert function_parameters(blend.args)["required"] == ["image", "mask"]
    assert run_tool(blend, context=context, image=ref, mask=mask).blend_image_url is None
    both = run_tool(blend, context=context, image=ref, mask=mask, other=ref)
    assert isinstance(both.blend_image_url, ImageRef)


def test_value_of_another_type_than_declared_is_no_result(picture: Image.Image) -> None:
    @tool()
    def liar(image: Image.Image) -> int:
        """Lie."""
        return "many"  # type: ignore[return-value]

    context = make_context()
    with pytest.raises(ValidationError, match="liar_result"):
        run_tool(liar, context=context, image=context.save(picture))


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
        (open_ended, "'open_ended': say after '->' what it returns"),
        (many, r"'many': parameter \*images.* cannot be given by name"),
        (any_names, r"'any_names': parameter \*\*values.* cannot be given by name"),
        (positional, "'positional': parameter x.* cannot be given by name"),
        (Shout, "name 'Shout' must match"),
    ],
)
def test_function_that_cannot_be_a_tool_is_refused_by_name(function: Callable[..., Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        tool()(function)


def test_name_may_be_given_and_phrases_are_checked() -> None:
    assert tool(name="loud")(Shout).name == "loud"
    with pytest.raises(ValueError, match="names 'volume', which is no argument"):
        tool(name="loud", phrases=["shout at {volume}"])(Shout)
