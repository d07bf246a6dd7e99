from __future__ import annotations

from typing import Annotated, Any, Literal

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, model_validator

from promptvision.testing.example_arguments import complete_arguments, example_value


class Size(BaseModel):
    width: int = Field(gt=8)
    unit: Literal["px", "%"]


class Args(BaseModel):
    image_url: str
    name: str = Field(examples=["a name"])
    kind: Literal["slow", "quick"] | None
    sizes: Annotated[list[Size], Field(min_length=2)]
    is_soft: bool
    note: str | None = None


class OneOf(BaseModel):
    image_url: str
    ratio: str | None = Field(None, pattern=r"^\d+:\d+$")
    width: int | None = Field(None, ge=40)
    height: int | None = Field(None, ge=40)

    @model_validator(mode="after")
    def has_one(self) -> OneOf:
        if sum(one is not None for one in (self.ratio, self.width, self.height)) != 1:
            raise ValueError("give one of ratio, width and height")
        return self


def test_required_arguments_are_made_and_given_ones_kept() -> None:
    assert complete_arguments(Args, {"image_url": "img_7"}) == {
        "image_url": "img_7",
        "name": "a name",
        "kind": "slow",
        "sizes": [{"width": 9, "unit": "px"}] * 2,
        "is_soft": True,
    }


def test_one_optional_argument_is_added_where_one_of_several_is_needed() -> None:
    assert complete_arguments(OneOf, {"image_url": "img_1"}) == {"image_url": "img_1", "width": 40}


def test_arguments_that_cannot_be_made_are_left_as_they_are() -> None:
    class Never(BaseModel):
        code: str = Field(pattern=r"^\d{9}$")

    assert complete_arguments(Never, {}) == {"code": "text"}


@given(st.integers(-100, 100), st.integers(0, 50), st.booleans())
def test_numbers_are_within_their_bounds(low: int, span: int, is_whole: bool) -> None:
    part: dict[str, Any] = {
        "type": "integer" if is_whole else "number",
        "minimum": low,
        "maximum": low + span,
    }
    assert low <= example_value(part, {}) <= low + span
