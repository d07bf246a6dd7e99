"""A tool in ten lines: the decorated function is the tool, its docstring is what the LLM reads."""

from PIL import ImageOps

from promptvision.plugin import Image, tool


@tool(phrases=["mirror it", "flip it left to right"])
def mirror(image: Image) -> Image:
    """Mirror an image left to right."""
    return ImageOps.mirror(image)
