"""Hook implementations and operations of promptvision-basics."""

from __future__ import annotations

from promptvision.plugin import ImageArgs, Operation, Phrase, Tool, hookimpl
from promptvision_basics import lexicons
from promptvision_basics.models import (
    AdjustArgs,
    AdjustResult,
    BlurArgs,
    BlurResult,
    CombineArgs,
    CombineResult,
    ConvertArgs,
    ConvertResult,
    CropArgs,
    CropResult,
    DrawTextArgs,
    DrawTextResult,
    FlipArgs,
    FlipResult,
    InfoResult,
    ResizeArgs,
    ResizeResult,
    RotateArgs,
    RotateResult,
)

__all__ = ["PLUGIN_API", "promptvision_tools"]

PLUGIN_API = 1

_CLOCKWISE, _COUNTER = ("direction", "clockwise"), ("direction", "counterclockwise")
_PARTS = ("left half", "right half", "top half", "bottom half")

CROP = Operation(
    name="crop_image",
    description="Crop an image to a box, an object in it, a named part or an aspect ratio.",
    args=CropArgs,
    result=CropResult,
    lexicons=lexicons.CROP,
    phrases=(
        "crop it to {aspect}",
        "crop to {aspect}",
        "crop it to an aspect ratio of {aspect}",
        "crop to the {target}",
        "crop it around {target}",
        "crop around {target}",
        "cut out the part with {target}",
        "zoom in on {target}",
        Phrase("make it square", (("aspect", "1:1"),)),
        Phrase("crop it square", (("aspect", "1:1"),)),
        Phrase("crop it to a square", (("aspect", "1:1"),)),
        Phrase("crop it", (("part", "center"),)),
        Phrase("crop the center", (("part", "center"),)),
        Phrase("crop it to the center", (("part", "center"),)),
        *(Phrase(f"crop it to the {part}", (("part", part),)) for part in _PARTS),
        *(Phrase(f"crop the {part}", (("part", part),)) for part in _PARTS),
        *(Phrase(f"keep only the {part}", (("part", part),)) for part in _PARTS),
        *(Phrase(f"keep the {part}", (("part", part),)) for part in _PARTS),
    ),
)

ROTATE = Operation(
    name="rotate_image",
    description="Rotate an image by any angle.",
    args=RotateArgs,
    result=RotateResult,
    lexicons=lexicons.ROTATE,
    phrases=(
        "rotate it {degrees} degrees",
        "rotate it by {degrees} degrees",
        "rotate by {degrees} degrees",
        "turn it by {degrees} degrees",
        "turn it {degrees} degrees",
        Phrase("rotate it {degrees} degrees clockwise", (_CLOCKWISE,)),
        Phrase("rotate it {degrees} degrees to the right", (_CLOCKWISE,)),
        Phrase("rotate it {degrees} degrees counterclockwise", (_COUNTER,)),
        Phrase("rotate it {degrees} degrees anticlockwise", (_COUNTER,)),
        Phrase("rotate it {degrees} degrees to the left", (_COUNTER,)),
        Phrase("rotate it", (("degrees", 90), _CLOCKWISE)),
        Phrase("rotate it right", (("degrees", 90), _CLOCKWISE)),
        Phrase("rotate it to the right", (("degrees", 90), _CLOCKWISE)),
        Phrase("rotate it clockwise", (("degrees", 90), _CLOCKWISE)),
        Phrase("rotate it left", (("degrees", 90), _COUNTER)),
        Phrase("rotate it to the left", (("degrees", 90), _COUNTER)),
        Phrase("rotate it counterclockwise", (("degrees", 90), _COUNTER)),
        Phrase("turn it upside down", (("degrees", 180), _CLOCKWISE)),
    ),
)

FLIP = Operation(
    name="flip_image",
    description="Mirror an image left to right or top to bottom.",
    args=FlipArgs,
    result=FlipResult,
    lexicons=lexicons.FLIP,
    phrases=(
        "flip it",
        "mirror it",
        Phrase("flip it horizontally", (("direction", "horizontal"),)),
        Phrase("flip it left to right", (("direction", "horizontal"),)),
        Phrase("mirror it horizontally", (("direction", "horizontal"),)),
        Phrase("flip it vertically", (("direction", "vertical"),)),
        Phrase("flip it top to bottom", (("direction", "vertical"),)),
        Phrase("mirror it vertically", (("direction", "vertical"),)),
    ),
)

RESIZE = Operation(
    name="resize_image",
    description="Change the size of an image in pixels or percent.",
    args=ResizeArgs,
    result=ResizeResult,
    lexicons=lexicons.RESIZE,
    phrases=(
        "resize it to {width} x {height}",
        "resize it to {width}x{height}",
        "resize it to {width} by {height}",
        "resize it to {width} pixels wide",
        "make it {width} pixels wide",
        "resize it to {height} pixels high",
        "make it {height} pixels high",
        "make it {height} pixels tall",
        "resize it to {percent} percent",
        "resize it to {percent}%",
        "resize it by {percent} percent",
        "scale it to {percent} percent",
        "scale it to {percent}%",
        "resize it to {longest_side} pixels",
        "scale it down to {longest_side} pixels",
        Phrase("make it half the size", (("percent", 50),)),
        Phrase("make it half as big", (("percent", 50),)),
        Phrase("make it smaller", (("percent", 50),)),
        Phrase("scale it down", (("percent", 50),)),
        Phrase("shrink it", (("percent", 50),)),
        Phrase("double its size", (("percent", 200),)),
        Phrase("make it twice as big", (("percent", 200),)),
        Phrase("make it larger", (("percent", 200),)),
        Phrase("make it bigger", (("percent", 200),)),
        Phrase("enlarge it", (("percent", 200),)),
    ),
)

ADJUST = Operation(
    name="adjust_image",
    description="Adjust brightness, contrast, saturation, sharpness or gamma; sepia; invert (negative).",
    args=AdjustArgs,
    result=AdjustResult,
    lexicons=lexicons.ADJUST,
    phrases=tuple(
        Phrase(text, ((field, value),))
        for field, value, texts in (
            ("brightness", 1.3, ("make it brighter", "brighten it", "lighten it", "make it lighter")),
            ("brightness", 1.3, ("increase the brightness", "brighten it up")),
            ("brightness", 0.7, ("make it darker", "darken it", "reduce the brightness")),
            (
                "contrast",
                1.4,
                ("increase the contrast", "more contrast", "add contrast", "boost the contrast"),
            ),
            ("contrast", 0.7, ("reduce the contrast", "less contrast", "lower the contrast")),
            ("saturation", 1.5, ("make it more colorful", "make it more colourful", "make it more vivid")),
            ("saturation", 1.5, ("increase the saturation", "make the colors pop", "make it vivid")),
            ("saturation", 0.5, ("reduce the saturation", "make it less colorful", "make it paler")),
            ("sharpness", 2.0, ("sharpen it", "make it sharper", "increase the sharpness")),
            ("sharpness", 0.0, ("soften it", "make it softer")),
            ("sepia", True, ("make it sepia", "turn it sepia", "add a sepia tone", "make it look old")),
            ("sepia", True, ("give it a sepia tone", "make it look vintage", "apply sepia")),
            ("invert", True, ("invert it", "invert the colors", "invert the colours", "make it a negative")),
            ("invert", True, ("make it negative",)),
        )
        for text in texts
    ),
)

BLUR = Operation(
    name="blur_image",
    description="Blur, pixelate or black out an image, an object in it, or everything except the object.",
    args=BlurArgs,
    result=BlurResult,
    lexicons=lexicons.BLUR,
    phrases=(
        "blur it",
        "blur {target}",
        "blur out {target}",
        "blur {target} in it",
        Phrase("pixelate it", (("style", "pixelate"),)),
        Phrase("pixelate {target}", (("style", "pixelate"),)),
        Phrase("anonymize {target}", (("style", "pixelate"),)),
        Phrase("anonymise {target}", (("style", "pixelate"),)),
        Phrase("censor {target}", (("style", "pixelate"),)),
        Phrase("make {target} unrecognizable", (("style", "pixelate"),)),
        Phrase("hide {target}", (("style", "pixelate"),)),
        Phrase("black out {target}", (("style", "solid"),)),
        Phrase("redact {target}", (("style", "solid"),)),
        Phrase("blur everything except {target}", (("keep_target", True),)),
        Phrase("blur everything but {target}", (("keep_target", True),)),
        Phrase("blur the background behind {target}", (("keep_target", True),)),
    ),
)

DRAW_TEXT = Operation(
    name="draw_text",
    description="Write a text on an image.",
    args=DrawTextArgs,
    result=DrawTextResult,
    lexicons=lexicons.DRAW_TEXT,
    phrases=(
        "write {text} on it",
        "add the text {text}",
        "add the text {text} to it",
        "put the text {text} on it",
        "add a caption that says {text}",
        *(Phrase(f"write {{text}} at the {place}", (("place", place),)) for place in ("top", "bottom")),
        *(
            Phrase(f"add the text {{text}} at the {place}", (("place", place),))
            for place in ("top", "bottom")
        ),
    ),
)

COMBINE = Operation(
    name="combine_images",
    description="Put several images into one: side by side, stacked, as a grid, or one pasted on another.",
    args=CombineArgs,
    result=CombineResult,
    lexicons=lexicons.COMBINE,
)

CONVERT = Operation(
    name="convert_format",
    description="Store an image as a PNG, JPEG, WebP, AVIF or TIFF file, with a quality.",
    args=ConvertArgs,
    result=ConvertResult,
    lexicons=lexicons.CONVERT,
    phrases=(
        "convert it to {format}",
        "convert it to {format} with quality {quality}",
        "convert it to {format} at quality {quality}",
        "save it as {format}",
        "save it as {format} with quality {quality}",
        "export it as {format}",
    ),
)

INFO = Operation(
    name="image_info",
    description="Report the size, mode, stored format and main colours of an image.",
    args=ImageArgs,
    result=InfoResult,
    lexicons=lexicons.INFO,
    phrases=(
        "what size is it",
        "what is the size of it",
        "what is its size",
        "how big is it",
        "how large is it",
        "what are the dimensions of it",
        "what are its dimensions",
        "what resolution is it",
        "what is the resolution of it",
        "what format is it",
        "what colors are in it",
        "what colours are in it",
        "what color is it",
        "what colour is it",
        "what are the main colors",
        "what are the main colours",
        "what is the dominant color",
        "what is the dominant colour",
        "tell me the size of it",
    ),
)

_TOOLS = (
    ("pillow_crop", CROP, "geometry:crop"),
    ("pillow_rotate", ROTATE, "geometry:rotate"),
    ("pillow_flip", FLIP, "geometry:flip"),
    ("pillow_resize", RESIZE, "geometry:resize"),
    ("pillow_adjust", ADJUST, "adjust:adjust"),
    ("pillow_blur", BLUR, "blur:blur"),
    ("pillow_text", DRAW_TEXT, "text:draw_text"),
    ("pillow_combine", COMBINE, "combine:combine"),
    ("pillow_convert", CONVERT, "convert:convert"),
    ("pillow_info", INFO, "info:describe"),
)


@hookimpl
def promptvision_tools() -> list[Tool]:
    """One tool per operation, without models or downloads."""
    return [
        Tool(name=name, operation=operation, run=f"promptvision_basics.{run}")
        for name, operation, run in _TOOLS
    ]
