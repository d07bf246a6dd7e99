from __future__ import annotations

from promptvision.plugin import Settings, missing_requirements, operations
from promptvision_openai_images.plugin import KEY, OpenAIImagesSection, promptvision_tools


def test_tools_serve_the_shared_operations_after_local_ones() -> None:
    wanted = [operations.EDIT, operations.GENERATE, operations.ASK]
    assert [tool.operation for tool in promptvision_tools()] == wanted
    assert all(tool.priority < 50 and not tool.cacheable for tool in promptvision_tools())


def test_limits_state_the_cost_and_that_the_image_is_sent() -> None:
    for tool in promptvision_tools():
        assert "leaves this machine and each call costs money" in tool.limits
        settings = Settings.from_mapping({"OPENAI_API_KEY": "key of the planner"})
        (missing,) = missing_requirements(tool.requires, has_model=lambda _: None, setting=settings.value)
        assert KEY in missing.what + missing.fix
        assert "costs money" in missing.what + missing.fix


def test_key_is_not_shown() -> None:
    section = Settings.from_mapping({KEY: "sk-secret"}).section(OpenAIImagesSection)
    assert "sk-secret" not in repr(section)
