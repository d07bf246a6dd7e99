from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from promptvision.testing.program import Ended, Program

Command = Callable[..., Ended]


@pytest.fixture
def talk(command: Command, photo: Path) -> Command:
    """A program with one conversation, named ``talk``."""
    assert command("run", photo, "mirror it", "-c", "talk").code == 0
    return command


def test_conversations_are_listed_shown_renamed_exported_and_deleted(talk: Command, program: Program) -> None:
    assert "mirror it" in talk("history").out
    (one,) = json.loads(talk("history", "list", "--json").out)["conversations"]
    assert (one["id"], one["turns"], one["title"]) == ("talk", 1, "mirror it")

    shown = talk("history", "show", "talk").out
    assert shown.startswith("> mirror it\n")
    assert "img_2: mirror, file://" in shown

    assert talk("history", "rename", "talk", "  My\x1b[31m \n picture ").code == 0
    (one,) = json.loads(talk("history", "list", "--json").out)["conversations"]
    assert "\n" not in one["title"]
    assert "\x1b" not in talk("history").out

    assert talk("history", "export", "talk", "-o", "talk.json").code == 0
    document = json.loads((program.home / "talk.json").read_text("utf-8"))
    assert document == json.loads(talk("history", "export", "talk").out)
    assert [image["handle"] for image in document["images"]] == ["img_1", "img_2"]
    files = [Path(image["url"].removeprefix("file://")) for image in document["images"]]
    assert all(file.exists() for file in files)

    assert talk("history", "delete", "talk").code == 0
    assert json.loads(talk("history", "--json").out) == {"conversations": []}
    assert not any(file.exists() for file in files)


def test_export_outlives_a_lost_image(talk: Command) -> None:
    document = json.loads(talk("history", "export", "talk").out)
    Path(document["images"][0]["url"].removeprefix("file://")).unlink()
    again = json.loads(talk("history", "export", "talk").out)
    assert again["images"][0]["url"] == document["images"][0]["image_id"]


@pytest.mark.parametrize("words", [("show",), ("export",), ("delete",), ("rename", "title")])
def test_unknown_conversation_is_one_line(command: Command, words: tuple[str, ...]) -> None:
    ended = command("history", words[0], "nobody's", *words[1:])
    assert (ended.code, ended.err.count("\n")) == (1, 1)
    assert "`promptvision history` lists them" in ended.err


def test_empty_history_says_how_to_begin(command: Command) -> None:
    ended = command("history")
    assert (ended.code, ended.out) == (0, "")
    assert "promptvision run" in ended.err
