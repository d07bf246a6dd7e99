"""Distributions of this project: their entry-point and tool names take precedence over others."""

from __future__ import annotations

__all__ = ["FIRST_PARTY", "INSTALL_ALL", "INSTALL_TOOLS"]

INSTALL_TOOLS = 'pip install "promptvision[standard]"'
"""The command that installs the standard tools."""
INSTALL_ALL = 'pip install "promptvision[full]"'
"""The command that installs the tools with neural models as well."""

FIRST_PARTY = frozenset(
    f"promptvision-{name}"
    for name in (
        *("basics", "bw", "cutout", "erase", "florence", "grounding-dino", "openai-images", "opencv"),
        *("rapidocr", "sam", "sd-inpaint", "sdxl-inpaint", "tesseract", "upscale", "vqa"),
        *("cloudinary", "groq", "openai", "ray", "s3", "supabase", "telemetry", "transformers-llm"),
        *("eval", "mcp", "web"),
    )
)
"""Normalised names. An index reserves distribution names, but not entry-point names."""
