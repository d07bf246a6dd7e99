"""Finding and loading plugins, with real distributions on a real path."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, distributions
from pathlib import Path

import pytest

from promptvision import PLUGIN_API
from promptvision.errors import PluginError
from promptvision.plugins import guard
from promptvision.plugins.discovery import (
    HOOKS,
    Plugin,
    PluginState,
    find_plugins,
    load_plugin,
    new_manager,
)
from promptvision.plugins.registry import Registry
from promptvision.settings import Settings

Plant = Callable[..., list[EntryPoint]]

GOOD = """
from promptvision import Image, hookimpl, tool

@tool(phrases=["mirror it"])
def {name}(image: Image) -> Image:
    '''Mirror an image.'''
    return image.transpose(0)

@hookimpl
def promptvision_tools():
    return [{name}]
"""

MIRROR = GOOD.partition("@hookimpl")[0].format(name="mirror")


def good(name: str) -> str:
    return GOOD.format(name=name)


def load(points: list[EntryPoint], *, strict: bool = False) -> list[Plugin]:
    manager = new_manager()
    plugins = find_plugins(points)
    for plugin in plugins:
        if plugin.state is PluginState.LOADED:
            load_plugin(manager, plugin, strict=strict)
    return plugins


def only(plugins: list[Plugin]) -> Plugin:
    (plugin,) = plugins
    return plugin


def test_good_plugin_is_loaded_with_what_it_offers(plant: Plant) -> None:
    plugin = only(load(plant("promptvision-mirror", good("mirror"), version="2.3")))
    assert (plugin.name, plugin.label, plugin.state) == ("mirror", "promptvision-mirror 2.3", "loaded")
    assert [tool.name for tool in plugin.offers["promptvision_tools"]] == ["mirror"]
    assert plugin.offers["promptvision_models"] == []


def test_finding_imports_nothing_and_is_sorted_by_distribution_and_name(plant: Plant) -> None:
    for name in ("zeta", "alpha", "mid"):
        points = plant(f"promptvision-{name}", "raise RuntimeError('imported')")
    forwards, backwards = find_plugins(points), find_plugins(reversed(points))
    assert [plugin.name for plugin in forwards] == ["alpha", "mid", "zeta"]
    assert [plugin.name for plugin in backwards] == ["alpha", "mid", "zeta"]
    assert "promptvision_alpha" not in sys.modules


def test_without_arguments_the_plugins_of_the_environment_are_found() -> None:
    assert "promptvision" in {plugin.name for plugin in find_plugins()}


def test_second_distribution_with_a_name_is_a_duplicate_that_names_both(plant: Plant) -> None:
    plant("promptvision-aaa", good("one"), name="same")
    first, second = load(plant("promptvision-bbb", "raise RuntimeError('imported')", name="same"))
    assert (first.state, second.state) == (PluginState.LOADED, PluginState.DUPLICATE)
    assert "promptvision-aaa 1.0" in second.cause
    assert "promptvision-bbb" in second.cause
    assert "promptvision_bbb" not in sys.modules


def test_installation_cut_short_is_listed_like_any_other(tmp_path: Path) -> None:
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[promptvision]\nbroken = promptvision_nowhere\n")
    points = [point for dist in distributions(path=[str(tmp_path)]) for point in dist.entry_points]
    plugin = only(load(points))
    assert plugin.label == "unknown 0"
    assert plugin.cause == "import: ModuleNotFoundError: No module named 'promptvision_nowhere'"


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("raise OSError('no\\nsuch thing')", "import: OSError: no"),
        ("import sys; sys.exit('bye')", "import: SystemExit: bye"),
        ("def f(:", "import: SyntaxError: "),
        ("raise KeyboardInterrupt", "import: KeyboardInterrupt: "),
        ("class Panic(BaseException): pass\nraise Panic('at line 3')", "import: Panic: at line 3"),
        (
            "def promptvision_tools(): return []",
            "registration: AttributeError: function 'promptvision_tools' is not a hook; decorate it",
        ),
        ("PLUGIN_API = 'one'", "import: TypeError: PLUGIN_API must be an integer, not 'one'"),
        (
            "from promptvision import hookimpl\n@hookimpl\ndef promptvision_tools(registry): return []",
            "registration: PluginValidationError: hook 'promptvision_tools' takes no argument registry; "
            "write 'def promptvision_tools():'",
        ),
        (
            "from promptvision import hookimpl\n@hookimpl\ndef promptvision_tool(): return []",
            "registration: AttributeError: unknown hook 'promptvision_tool'; the hooks are promptvision_",
        ),
        (
            "from promptvision import hookimpl\n@hookimpl\ndef promtvision_tools(): return []",
            "registration: AttributeError: unknown hook 'promtvision_tools'",
        ),
        (
            "from promptvision import hookimpl\n@hookimpl\ndef promptvision_models(): return 1 / 0",
            "promptvision_models: ZeroDivisionError: division by zero",
        ),
        (
            "from promptvision import hookimpl\n@hookimpl\ndef promptvision_tools(): return 5",
            "promptvision_tools: TypeError: it returned int 5; return a list, such as [one, other], or []",
        ),
        (
            "from promptvision import hookimpl\n@hookimpl\ndef promptvision_tools(): pass",
            "promptvision_tools: TypeError: it returned None; return a list",
        ),
        (
            MIRROR + "\n@hookimpl\ndef promptvision_tools(): return mirror",
            "promptvision_tools: TypeError: it returned ToolFunction <tool 'mirror' of ",
        ),
        (
            "from promptvision.plugin import *\nRequirements(modules=('cv2',))",
            "import: TypeError: Requirements: modules must be a dict of str to str, not tuple ('cv2',)",
        ),
        (
            "from promptvision.plugin import *\nRequirements(models='x')",
            "import: TypeError: Requirements: models is one string; write models=('x',)",
        ),
        (
            "from promptvision.plugin import *\nWeightFile(path=3)",
            "import: TypeError: WeightFile 3: path must be a str, not int 3",
        ),
        (
            "import PIL.Image\nfrom promptvision import tool\n@tool\ndef f(image: PIL.Image) -> int: 'X.'",
            "import: ValueError: tool 'f': parameter 'image' is annotated with the module PIL.Image, ",
        ),
        (
            "from promptvision import tool\n@tool()\ndef bare(x: int) -> int:\n    return x",
            "import: ValueError: tool 'bare' needs a docstring",
        ),
    ],
)
def test_failure_says_where_and_why_and_leaves_the_others_alone(
    plant: Plant, source: str, cause: str
) -> None:
    plant("promptvision-aaa", good("first"))
    plant("promptvision-broken", source)
    first, broken, last = load(plant("promptvision-zzz", good("last")))
    assert (first.state, last.state) == (PluginState.LOADED, PluginState.LOADED)
    assert broken.state is PluginState.FAILED
    assert broken.cause.startswith(cause)
    assert "\n" not in broken.cause
    assert "Traceback" in broken.details
    assert broken.offers == {}


def test_strict_raises_the_first_failure_with_its_distribution(plant: Plant) -> None:
    points = plant("promptvision-broken", "raise OSError('no such thing')", version="4.5")
    with pytest.raises(
        PluginError, match=r"^promptvision-broken 4\.5: import: OSError: no such thing$"
    ) as info:
        load(points, strict=True)
    assert isinstance(info.value.__cause__, OSError)


@pytest.mark.parametrize(
    ("api", "advice"),
    [(PLUGIN_API + 1, "upgrade promptvision"), (PLUGIN_API - 2, "upgrade promptvision-other")],
)
def test_other_plugin_api_is_incompatible_with_both_numbers(plant: Plant, api: int, advice: str) -> None:
    plugin = only(load(plant("promptvision-other", f"PLUGIN_API = {api}\n" + good("other"))))
    assert plugin.state is PluginState.INCOMPATIBLE
    assert f"plugin API {api}" in plugin.cause
    assert f"promptvision has {PLUGIN_API}" in plugin.cause
    assert plugin.cause.endswith(advice)
    assert plugin.offers == {}


def test_previous_plugin_api_is_loaded_with_a_deprecation_warning(plant: Plant) -> None:
    points = plant("promptvision-old", f"PLUGIN_API = {PLUGIN_API - 1}\n" + good("old"))
    with pytest.warns(DeprecationWarning, match="promptvision-old: plugin API"):
        assert only(load(points)).state is PluginState.LOADED


def test_failed_plugin_answers_no_hook_afterwards(plant: Plant) -> None:
    source = good("half") + "\n@hookimpl\ndef promptvision_executors():\n    raise KeyError('late')\n"
    manager = new_manager()
    plugin = only(find_plugins(plant("promptvision-half", source)))
    load_plugin(manager, plugin)
    assert plugin.cause == "promptvision_executors: KeyError: 'late'"
    assert manager.get_plugins() == set()
    assert manager.hook.promptvision_tools() == []


def test_every_hook_that_is_called_at_load_is_specified() -> None:
    assert all(hasattr(new_manager().hook, hook) for hook in HOOKS)


def test_disabled_plugin_is_never_imported(plant: Plant) -> None:
    plant("promptvision-off", "raise RuntimeError('imported')")
    registry = Registry.load(
        Settings(disabled_plugins=("off",), strict_plugins=True), plant("promptvision-on", good("on"))
    )
    off, on = registry.plugins
    assert (off.state, on.state) == (PluginState.DISABLED, PluginState.LOADED)
    assert "PROMPTVISION_DISABLED_PLUGINS" in off.cause
    assert "promptvision_off" not in sys.modules


@pytest.mark.parametrize("source", [f"PLUGIN_API = {PLUGIN_API + 1}", "raise OSError", good("good")])
def test_strict_registry_raises_whatever_is_not_loaded(plant: Plant, source: str) -> None:
    if source == good("good"):
        plant("promptvision-good", source, name="same")
        points = plant("promptvision-same", source, name="same")
    else:
        points = plant("promptvision-odd", source)
    with pytest.raises(PluginError):
        Registry.load(Settings(strict_plugins=True), points)


def test_what_is_not_loaded_is_warned_of_in_one_line(plant: Plant, caplog: pytest.LogCaptureFixture) -> None:
    Registry.load(Settings(), plant("promptvision-broken", "raise OSError('no such thing')"))
    assert caplog.messages == ["promptvision-broken 1.0 is not loaded: import: OSError: no such thing"]


def test_decorated_functions_are_tools_without_a_hook(plant: Plant) -> None:
    plugin = only(load(plant("promptvision-mirror", MIRROR)))
    assert [tool.name for tool in plugin.offers["promptvision_tools"]] == ["mirror"]


def test_decorated_function_that_the_hook_returns_too_is_one_tool(plant: Plant) -> None:
    plugin = only(load(plant("promptvision-mirror", good("mirror"))))
    assert [tool.name for tool in plugin.offers["promptvision_tools"]] == ["mirror"]


def test_decorated_functions_of_another_package_are_not_collected(plant: Plant) -> None:
    plant("promptvision-mirror", MIRROR)
    borrower = load(plant("promptvision-borrower", "from promptvision_mirror import mirror"))[0]
    assert (borrower.distribution, borrower.offers["promptvision_tools"]) == ("promptvision-borrower", [])


def test_entry_point_names_cannot_be_taken_from_the_core_or_from_this_project(plant: Plant) -> None:
    plant("aaa-evil", good("evil"), name="promptvision")
    plant("promptvision-aaa", good("other"), name="bw")
    plant("promptvision_bw", good("bw"))
    points = plant("promptvision-mirror", good("mirror"))
    points.append(EntryPoint("promptvision", "promptvision.builtin.plugin", "promptvision"))
    states = {(plugin.distribution, plugin.name): str(plugin.state) for plugin in load(points)}
    assert states == {
        ("unknown", "promptvision"): "loaded",
        ("promptvision_bw", "bw"): "loaded",
        ("aaa-evil", "promptvision"): "duplicate",
        ("promptvision-aaa", "bw"): "duplicate",
        ("promptvision-mirror", "mirror"): "loaded",
    }


def test_what_a_plugin_prints_goes_to_stderr(plant: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    source = "print('at import')\n" + good("mirror")
    source = source.replace("    return [mirror]\n", "    print('in a hook')\n    return [mirror]\n")
    assert only(load(plant("promptvision-mirror", source))).state is PluginState.LOADED
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", "at import\nin a hook\n")


def test_plugin_that_hangs_while_loading_is_skipped_after_a_timeout(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(guard, "WARN_S", 0.05)
    monkeypatch.setattr(guard, "GIVE_UP_S", 0.1)
    plant("promptvision-aaa-stuck", "import threading\nthreading.Event().wait(5)\n" + good("slow"))
    stuck, fine = load(plant("promptvision-bbb", good("mirror")))
    assert stuck.cause == "import: TimeoutError: it was not loaded within 0.1 s"
    assert fine.state is PluginState.LOADED
    assert caplog.messages == [
        "promptvision-aaa-stuck 1.0 has been loading for 0.05 s; waiting for up to 0.1 s"
    ]


def test_time_of_the_import_is_measured(plant: Plant) -> None:
    plugin = only(load(plant("promptvision-mirror", "import time\ntime.sleep(0.02)\n" + good("mirror"))))
    assert plugin.import_ms is not None
    assert plugin.import_ms >= 20


def test_loaded_plugin_that_offers_nothing_says_so(plant: Plant, caplog: pytest.LogCaptureFixture) -> None:
    registry = Registry.load(Settings(), plant("promptvision-empty", "VALUE = 1"))
    plugin = registry.plugins[0]
    assert plugin.state is PluginState.LOADED
    assert plugin.cause == "it offers nothing; decorate a function with @tool, or implement a hook"
    assert caplog.messages == [f"promptvision-empty 1.0 is loaded, but {plugin.cause}"]


def test_entry_point_must_name_a_module(plant: Plant) -> None:
    (point,) = plant("promptvision-mirror", good("mirror"))
    wrong = EntryPoint(point.name, "promptvision_mirror:promptvision_tools", point.group)
    plugin = only(load([wrong]))
    assert plugin.cause == (
        "import: TypeError: the entry point 'promptvision_mirror:promptvision_tools' must name a module, "
        "such as 'promptvision_mirror'"
    )
