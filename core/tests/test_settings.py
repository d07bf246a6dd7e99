"""Settings from the environment, ``.env`` and ``promptvision.toml``."""

from __future__ import annotations

from pathlib import Path

import pytest

from promptvision.errors import SetupError
from promptvision.settings import Settings, load_settings


def test_environment_beats_dotenv_beats_toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "promptvision.toml").write_text(
        'PROMPTVISION_PLANNER = "toml"\nPROMPTVISION_EXECUTOR = "toml"\nPROMPTVISION_MAX_STEPS = 3\n'
    )
    (tmp_path / ".env").write_text("PROMPTVISION_PLANNER=dotenv\nPROMPTVISION_EXECUTOR=dotenv\n")
    monkeypatch.setenv("PROMPTVISION_PLANNER", "environment")
    settings = load_settings(tmp_path)
    assert (settings.planner, settings.executor, settings.max_steps) == ("environment", "dotenv", 3)
    assert load_settings(tmp_path, planner="override").planner == "override"


def test_files_are_read_from_the_working_folder_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("PROMPTVISION_MAX_STEPS=7\n")
    monkeypatch.chdir(tmp_path)
    assert load_settings().max_steps == 7


def test_lists_numbers_truths_and_keys_are_read_from_text() -> None:
    settings = Settings.from_mapping(
        {
            "PROMPTVISION_DISABLED_PLUGINS": " sam, florence ,",
            "PROMPTVISION_STRICT_PLUGINS": "1",
            "PROMPTVISION_MODEL_MEMORY": "1000",
            "PROMPTVISION_TURN_TIMEOUT_S": "1.5",
            "PROMPTVISION_API_KEYS": "alice:key1, bob:key:2",
        }
    )
    assert settings.disabled_plugins == ("sam", "florence")
    assert settings.strict_plugins is True
    assert settings.model_memory == 1000
    assert settings.turn_timeout_s == 1.5
    keys = {user: key.get_secret_value() for user, key in settings.api_keys.items()}
    assert keys == {"alice": "key1", "bob": "key:2"}


def test_toml_may_use_its_own_lists_and_tables(tmp_path: Path) -> None:
    (tmp_path / "promptvision.toml").write_text(
        'PROMPTVISION_PREFER = ["bw:bw"]\n[PROMPTVISION_API_KEYS]\nalice = "key1"\n'
    )
    settings = load_settings(tmp_path)
    assert settings.prefer == ("bw:bw",)
    assert settings.api_keys["alice"].get_secret_value() == "key1"


def test_empty_and_valueless_variables_count_as_unset(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PROMPTVISION_EXECUTOR\nPROMPTVISION_PLANNER=\nGROQ_API_KEY=\n")
    settings = load_settings(tmp_path)
    assert (settings.executor, settings.planner) == ("threads", None)
    assert settings.value("GROQ_API_KEY") is None


def test_variables_of_plugins_are_read_by_name() -> None:
    settings = Settings.from_mapping({"GROQ_API_KEY": "k", "PROMPTVISION_MODEL_X": 3})
    assert (settings.value("GROQ_API_KEY"), settings.value("PROMPTVISION_MODEL_X")) == ("k", "3")
    assert settings.value("NO_SUCH") is None
    assert settings.model_copy(update={"max_steps": 2}).value("GROQ_API_KEY") == "k"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PROMPTVISION_MAX_STEPS", "many"),
        ("PROMPTVISION_MAX_STEPS", "0"),
        ("PROMPTVISION_STRICT_PLUGINS", "perhaps"),
        ("PROMPTVISION_TURN_TIMEOUT_S", "0"),
    ],
)
def test_wrong_value_names_the_variable(name: str, value: str) -> None:
    with pytest.raises(SetupError, match=f"^settings: {name}: .*; correct {name}$"):
        Settings.from_mapping({name: value})


def test_wrong_keys_are_refused_without_showing_them() -> None:
    with pytest.raises(SetupError, match="alice:key1,bob:key2") as info:
        Settings.from_mapping({"PROMPTVISION_API_KEYS": "hunter2"})
    assert "hunter2" not in f"{info.value} {info.value.__cause__}"


@pytest.mark.parametrize("keys", ["alice:hunter2,alice:hunter3", "alice:hunter2,bob:hunter2"])
def test_each_user_has_one_key_of_their_own(keys: str) -> None:
    with pytest.raises(SetupError, match=r"PROMPTVISION_API_KEYS: .*give each user") as info:
        Settings.from_mapping({"PROMPTVISION_API_KEYS": keys})
    assert "hunter" not in f"{info.value} {info.value.__cause__}"


def test_keys_are_shown_nowhere() -> None:
    settings = Settings.from_mapping({"PROMPTVISION_API_KEYS": "alice:hunter2", "GROQ_API_KEY": "hunter3"})
    assert "hunter" not in f"{settings!r} {settings} {settings.model_dump()}"


@pytest.mark.parametrize("name", ["promptvision.toml", ".env"])
def test_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xff\xfe = [")
    with pytest.raises(SetupError, match=f"{name}.*correct or remove the file"):
        load_settings(tmp_path)


def test_broken_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "promptvision.toml").write_text("PROMPTVISION_PLANNER = \n")
    with pytest.raises(SetupError, match=r"promptvision\.toml"):
        load_settings(tmp_path)


def test_unknown_override_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="no setting plannner"):
        load_settings(tmp_path, plannner="offline")


def test_home_may_begin_with_a_tilde(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = Settings.from_mapping({"PROMPTVISION_HOME": "~/photos"})
    assert settings.home == tmp_path / "photos"
    assert settings.weights_home == tmp_path / "photos" / "weights"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().max_steps = 5  # type: ignore[misc]
