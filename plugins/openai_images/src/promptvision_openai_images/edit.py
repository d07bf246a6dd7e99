"""The tool ``openai_edit``: edit an image by an instruction."""

from __future__ import annotations

from typing import Any

from promptvision.plugin import (
    EditArgs,
    EditResult,
    ToolContext,
    choose_window,
    flat_rgb,
    paste_inside,
    read_mask,
)
from promptvision_openai_images.canvas import make_canvas, png
from promptvision_openai_images.host import connect

__all__ = ["edit"]


def edit(args: EditArgs, context: ToolContext) -> EditResult:
    """Redraw the image; with a mask, only the area inside, and the rest is bit-identical.

    With a mask only the surroundings of the masked part are sent.

    Raises:
        ArgumentsError: the mask is empty or has another aspect ratio than the image.
        SetupError: the host rejects the key or does not know the model.
        ToolFailed: the host cannot be reached or fails.
    """
    image = context.open(args.image_url)
    mask = read_mask(context.open(args.mask_url), image.size) if args.mask_url else None
    window = choose_window(mask.image) if mask else (0, 0, *image.size)
    seen = flat_rgb(image).crop(window)
    canvas = make_canvas(seen.size)
    files: dict[str, Any] = {"image": ("image.png", png(canvas.place(seen)), "image/png")}
    if mask is not None:
        part = canvas.place_mask(mask.image.crop(window))
        files["mask"] = ("mask.png", png(part), "image/png")
    with connect(context) as host:
        options = host.image_options
        size = f"{canvas.size[0]}x{canvas.size[1]}"
        made = host.read_image(host.client.images.edit(prompt=args.prompt, size=size, **files, **options))
        name = host.name
    drawn = canvas.take(made)
    result = drawn if mask is None else paste_inside(image, mask.image, drawn, window)
    notes = [*(mask.notes if mask else ()), f"The image was sent to {name}."]
    return EditResult(
        original_image_url=args.image_url,
        edited_image_url=context.save(result, parent=args.image_url),
        message=" ".join(["The image is edited.", *notes]),
    )
