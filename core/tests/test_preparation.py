"""The first request of a prepared planner indexes nothing that a typical request needs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from promptvision.builtin.offline import OfflinePlanner
from promptvision.builtin.planner import books, trees
from promptvision.builtin.planner.reading import read_request
from promptvision.llm.fallback import FallbackProvider
from promptvision.llm.planner import PlannerFunction, PreparingPlanner
from promptvision.testing.agents import make_agent, make_registry
from promptvision.testing.planner import ScriptedPlanner
from promptvision.tools import operations
from promptvision.tools.tool import Lexicon, Phrase, Tool

TOOLS = [Tool(name=f"t_{made.name}", operation=made, run="nowhere:run") for made in operations.ALL]


class Prepared(ScriptedPlanner):
    """A planner that keeps what it was prepared for."""

    def prepare(
        self, functions: Sequence[PlannerFunction], unavailable: Sequence[PlannerFunction] = ()
    ) -> None:
        self.functions = [function.name for function in functions]
        if not functions:
            raise RuntimeError("nothing to prepare for")


def test_a_prepared_planner_has_indexed_the_phrases(monkeypatch: pytest.MonkeyPatch) -> None:
    functions = make_registry(TOOLS).functions()
    available, unavailable = functions[1:], functions[:1]
    planner = OfflinePlanner()
    assert isinstance(planner, PreparingPlanner)
    planner.prepare(available, unavailable)
    indexed: list[str] = []

    def counted(
        phrases: Sequence[Phrase], lexicons: Sequence[Lexicon], language: str, **options: bool
    ) -> object:
        indexed.append(language)
        return trees.phrase_tree(phrases, lexicons, language, **options)

    monkeypatch.setattr(books, "phrase_tree", counted)
    for words in ("remove the ball", "make it brighter", "sing me a song", "mach das Bild heller"):
        for offered in (available, (*available, *unavailable)):
            read_request(words, offered)
    assert not indexed


def test_a_chain_prepares_the_planners_that_can_be() -> None:
    last = Prepared([])
    chain = FallbackProvider([ScriptedPlanner([]), last])
    assert isinstance(chain, PreparingPlanner)
    functions = make_registry(TOOLS).functions()
    chain.prepare(functions)
    assert last.functions == [function.name for function in functions]


def test_an_agent_prepares_its_planner_for_its_operations() -> None:
    planner = Prepared([])
    asyncio.run(make_agent(TOOLS[:2], planner=planner).services.prepare_planner())
    assert sorted(planner.functions) == sorted(tool.operation.name for tool in TOOLS[:2])


def test_a_planner_that_cannot_be_prepared_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    asyncio.run(make_agent(planner=Prepared([])).services.prepare_planner())
    assert "nothing to prepare for" in caplog.text
    asyncio.run(make_agent(planner=ScriptedPlanner([])).services.prepare_planner())
