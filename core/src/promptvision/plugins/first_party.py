"""Distributions of this project: their entry-point and tool names take precedence over others."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["FIRST_PARTY", "INSTALL_ALL", "INSTALL_TOOLS"]

INSTALL_TOOLS = 'pip install "promptvision[standard]"'
"""The command that installs the standard tools."""
INSTALL_ALL = 'pip install "promptvision[full]"'
"""The command that installs the tools with neural models as well."""

FIRST_PARTY: Mapping[str, str] = {
    "promptvision-basics": "Everyday image tools (crop, rotate, resize, adjust, blur, text) for promptvision",
    "promptvision-bw": "Black and white conversion for promptvision",
    "promptvision-cloudinary": "Cloudinary as the image store of promptvision",
    "promptvision-cutout": "Background removal (BiRefNet and IS-Net as ONNX) for promptvision",
    "promptvision-erase": "Object removal (MI-GAN and LaMa as ONNX) for promptvision",
    "promptvision-eval": (
        "promptvision eval: score installed tools and planners on labelled data, with the field's own metrics"
    ),
    "promptvision-florence": "Captions, detection and OCR (Florence-2) for promptvision",
    "promptvision-groq": "Groq as the planner of promptvision",
    "promptvision-grounding-dino": "Zero-shot object detection (Grounding DINO) for promptvision",
    "promptvision-mcp": (
        "promptvision as an MCP server: every tool for Claude, ChatGPT, editors and other MCP clients"
    ),
    "promptvision-openai": "OpenAI-compatible models as the planner of promptvision",
    "promptvision-openai-images": (
        "Image editing, generation and questions by OpenAI-compatible hosts for promptvision"
    ),
    "promptvision-opencv": "Zero-download vision tools (OpenCV, scikit-image) for promptvision",
    "promptvision-rapidocr": "Text in images (RapidOCR with its ONNX models) for promptvision",
    "promptvision-ray": "Run the tools of promptvision on a Ray cluster",
    "promptvision-s3": "S3, GCS and Azure as image stores of promptvision",
    "promptvision-sam": "Segmentation (SAM 2.1) for promptvision",
    "promptvision-sd-inpaint": "Inpainting in a few steps (Stable Diffusion 1.5 with LCM) for promptvision",
    "promptvision-sdxl-inpaint": "Inpainting (SDXL base and refiner) for promptvision",
    "promptvision-supabase": "Supabase as the conversation store of promptvision",
    "promptvision-telemetry": "OpenTelemetry traces and metrics of promptvision",
    "promptvision-tesseract": "Text in images (Tesseract OCR) for promptvision",
    "promptvision-transformers-llm": (
        "A local LLM as the planner of promptvision, in-process through transformers"
    ),
    "promptvision-upscale": "Super-resolution (Swin2SR as ONNX) for promptvision",
    "promptvision-vqa": "Questions about images (SmolVLM) for promptvision",
    "promptvision-web": "The web page of promptvision: chat, canvas, masks, tools and history in a browser",
}
"""Normalised name to description. An index reserves distribution names, but not entry-point names."""
