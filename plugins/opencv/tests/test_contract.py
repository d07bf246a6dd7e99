"""The tools pass the contract of all tools."""

from __future__ import annotations

from promptvision.testing import ToolContract
from promptvision_opencv.plugin import promptvision_tools

TOOLS = {tool.name: tool for tool in promptvision_tools()}


class TestOpencvDetect(ToolContract):
    tool = TOOLS["opencv_detect"]
    plugin_module = "promptvision_opencv.plugin"
    example = {"prompt": "red"}


class TestOpencvSegment(ToolContract):
    tool = TOOLS["opencv_segment"]
    plugin_module = "promptvision_opencv.plugin"


class TestOpencvInpaint(ToolContract):
    tool = TOOLS["opencv_inpaint"]
    plugin_module = "promptvision_opencv.plugin"
    example = {"prompt": "green"}


class TestOpencvCaption(ToolContract):
    tool = TOOLS["opencv_caption"]
    plugin_module = "promptvision_opencv.plugin"
