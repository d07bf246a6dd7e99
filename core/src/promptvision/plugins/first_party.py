"""Distributions of this project: their entry-point and tool names go before those of others."""

from __future__ import annotations

__all__ = ["FIRST_PARTY", "INSTALL_TOOLS"]

INSTALL_TOOLS = 'pip install "promptvision[standard]"'
"""The command that installs tools beside the core."""

FIRST_PARTY = frozenset(
    f"promptvision-{name}"
    for name in (
        *("basics", "bw", "cutout", "erase", "florence", "grounding-dino", "openai-images", "opencv"),
        *("rapidocr", "sam", "sd-inpaint", "sdxl-inpaint", "tesseract", "upscale", "vqa"),
        *("cloudinary", "groq", "openai", "ray", "s3", "supabase", "transformers-llm", "mcp", "web"),
    )
)
"""Normalised names. A distribution name belongs to one project of an index, an entry-point name to no one."""
