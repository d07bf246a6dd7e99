"""The turn of ``benchmarks/agent.py`` in other agent loops: four model calls, three tool calls, an answer.

Each maker returns a coroutine function that runs one turn in a fresh conversation and returns the answer.
Models are scripted with each project's interface for custom models. Nothing is traced or sent anywhere.
"""

# mypy: ignore-errors
# Types are left out: the rivals are not installed where they are checked.
# ruff: noqa: ANN001, ANN002, ANN003, ANN202, A002

from __future__ import annotations

import json
import os
import threading
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

Turn = Callable[[], Awaitable[str]]
TURN = "Look three times"
CALLS = 3


class Looks:
    """The tool as a plain function: it counts its calls and notes whether they run on the loop."""

    def __init__(self) -> None:
        self.count = 0
        self.is_on_loop = False

    def note(self, subject: str) -> str:
        self.count += 1
        self.is_on_loop = threading.current_thread() is threading.main_thread()
        return f"{subject} is there"

    def look(self, subject: str) -> str:
        """Look for a subject.

        Args:
            subject: what to look for.
        """
        return self.note(subject)


class AwaitedLooks(Looks):
    """The tool as a coroutine function."""

    async def look(self, subject: str) -> str:
        """Look for a subject.

        Args:
            subject: what to look for.
        """
        return self.note(subject)


def pydantic_ai(looks: Looks, folder: Path) -> Turn:
    from pydantic_ai import Agent
    from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
    from pydantic_ai.models.function import FunctionModel

    def reply(messages, info):
        asked = sum(isinstance(message, ModelResponse) for message in messages)
        if asked < CALLS:
            return ModelResponse(parts=[ToolCallPart("look", {"subject": f"s{asked}"})])
        return ModelResponse(parts=[TextPart("done")])

    agent = Agent(FunctionModel(reply), tools=[looks.look])

    async def turn() -> str:
        return (await agent.run(TURN)).output

    return turn


def _openai_agents(looks: Looks, session_file: Path | None) -> Turn:
    from agents import (
        Agent,
        Model,
        ModelResponse,
        RunConfig,
        Runner,
        SQLiteSession,
        Usage,
        function_tool,
        set_tracing_disabled,
    )
    from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

    set_tracing_disabled(True)

    class Script(Model):
        async def get_response(self, system_instructions, input, *args, **kwargs):
            items = [] if isinstance(input, str) else input
            asked = sum(item.get("type") == "function_call" for item in items)
            if asked < CALLS:
                arguments = json.dumps({"subject": f"s{asked}"})
                item = ResponseFunctionToolCall(
                    id=f"f{asked}",
                    call_id=f"c{asked}",
                    name="look",
                    arguments=arguments,
                    type="function_call",
                )
            else:
                text = ResponseOutputText(text="done", type="output_text", annotations=[])
                item = ResponseOutputMessage(
                    id="m", role="assistant", status="completed", type="message", content=[text]
                )
            return ModelResponse(output=[item], usage=Usage(), response_id=None)

        def stream_response(self, *args, **kwargs):
            raise NotImplementedError

    agent = Agent(name="bench", model=Script(), tools=[function_tool(looks.look)])

    async def turn() -> str:
        session = SQLiteSession(uuid.uuid4().hex, session_file) if session_file else None
        result = await Runner.run(agent, TURN, session=session, run_config=RunConfig(tracing_disabled=True))
        if session:
            session.close()
        return result.final_output

    return turn


def openai_agents(looks: Looks, folder: Path) -> Turn:
    return _openai_agents(looks, None)


def openai_agents_sqlite(looks: Looks, folder: Path) -> Turn:
    return _openai_agents(looks, folder / "openai-agents.db")


def smolagents(looks: Looks, folder: Path) -> Turn:
    from smolagents import LogLevel, Model, ToolCallingAgent, tool
    from smolagents.models import ChatMessage, ChatMessageToolCall, ChatMessageToolCallFunction, MessageRole

    class Script(Model):
        asked = 0

        def generate(self, messages, **kwargs):
            number, self.asked = self.asked, (self.asked + 1) % (CALLS + 1)
            name, values = (
                ("look", {"subject": f"s{number}"})
                if number < CALLS
                else ("final_answer", {"answer": "done"})
            )
            function = ChatMessageToolCallFunction(name=name, arguments=values)
            made = ChatMessageToolCall(id=f"c{number}", type="function", function=function)
            return ChatMessage(role=MessageRole.ASSISTANT, content="", tool_calls=[made])

    @tool
    def look(subject: str) -> str:
        """Look for a subject.

        Args:
            subject: what to look for.
        """
        return looks.look(subject)

    agent = ToolCallingAgent(tools=[look], model=Script(), verbosity_level=LogLevel.OFF)

    async def turn() -> str:
        return agent.run(TURN)

    return turn


def _langgraph(looks: Looks, saver) -> Turn:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage
    from langchain_core.outputs import ChatGeneration, ChatResult
    from langchain_core.tools import tool
    from langgraph.graph import START, MessagesState, StateGraph
    from langgraph.prebuilt import ToolNode, tools_condition

    class Script(BaseChatModel):
        @property
        def _llm_type(self):
            return "script"

        def _generate(self, messages, stop=None, run_manager=None, **kwargs):
            asked = sum(isinstance(message, AIMessage) for message in messages)
            call = {"name": "look", "args": {"subject": f"s{asked}"}, "id": f"c{asked}"}
            message = AIMessage("", tool_calls=[call]) if asked < CALLS else AIMessage("done")
            return ChatResult(generations=[ChatGeneration(message=message)])

    model = Script()

    async def think(state: MessagesState):
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("think", think)
    graph.add_node("tools", ToolNode([tool(looks.look)]))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", tools_condition)
    graph.add_edge("tools", "think")

    app = None

    async def turn() -> str:
        nonlocal app
        app = app or graph.compile(checkpointer=await saver() if saver else None)
        config = {"configurable": {"thread_id": uuid.uuid4().hex}}
        state = await app.ainvoke({"messages": [("user", TURN)]}, config)
        return state["messages"][-1].content

    return turn


def langgraph(looks: Looks, folder: Path) -> Turn:
    return _langgraph(looks, None)


def langgraph_sqlite(looks: Looks, folder: Path) -> Turn:
    import aiosqlite
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    async def saver():
        connection = aiosqlite.connect(folder / "langgraph.db")
        connection.daemon = True
        return AsyncSqliteSaver(await connection)

    return _langgraph(looks, saver)


def _llm(looks: Looks, base: str) -> Turn:
    import llm as project

    class Script(getattr(project, base)):
        model_id = "script"
        can_stream = False
        supports_tools = True
        asked = 0

        def reply(self, response):
            number, self.asked = self.asked, (self.asked + 1) % (CALLS + 1)
            if number == CALLS:
                return "done"
            values = {"subject": f"s{number}"}
            response.add_tool_call(project.ToolCall(name="look", arguments=values, tool_call_id=f"c{number}"))
            return ""

    class Blocking(Script):
        def execute(self, prompt, stream, response, conversation):
            yield self.reply(response)

    class Waiting(Script):
        async def execute(self, prompt, stream, response, conversation):
            yield self.reply(response)

    async def blocking() -> str:
        return model.conversation().chain(TURN, tools=[looks.look]).text()

    async def waiting() -> str:
        return await model.conversation().chain(TURN, tools=[looks.look]).text()

    model = Blocking() if base == "Model" else Waiting()
    return blocking if base == "Model" else waiting


def llm(looks: Looks, folder: Path) -> Turn:
    return _llm(looks, "Model")


def llm_async(looks: Looks, folder: Path) -> Turn:
    return _llm(looks, "AsyncModel")


def _agno(looks: Looks, file: Path | None) -> Turn:
    os.environ["AGNO_TELEMETRY"] = "false"
    from agno.agent import Agent
    from agno.db.sqlite import SqliteDb
    from agno.models.base import Model
    from agno.models.response import ModelResponse

    class Script(Model):
        asked = 0

        def invoke(self, *args, **kwargs):
            number, self.asked = self.asked, (self.asked + 1) % (CALLS + 1)
            if number == CALLS:
                return ModelResponse(role="assistant", content="done")
            function = {"name": "look", "arguments": json.dumps({"subject": f"s{number}"})}
            call = {"id": f"c{number}", "type": "function", "function": function}
            return ModelResponse(role="assistant", tool_calls=[call])

        async def ainvoke(self, *args, **kwargs):
            return self.invoke()

        def invoke_stream(self, *args, **kwargs):
            raise NotImplementedError

        ainvoke_stream = _parse_provider_response = _parse_provider_response_delta = invoke_stream

    db = SqliteDb(db_file=str(file)) if file else None
    agent = Agent(model=Script(id="script"), tools=[looks.look], db=db, telemetry=False)

    async def turn() -> str:
        return (await agent.arun(TURN, session_id=uuid.uuid4().hex)).content

    return turn


def agno(looks: Looks, folder: Path) -> Turn:
    return _agno(looks, None)


def agno_sqlite(looks: Looks, folder: Path) -> Turn:
    return _agno(looks, folder / "agno.db")


RIVALS = {
    "pydantic-ai": ("pydantic-ai-slim", pydantic_ai, ""),
    "openai-agents": ("openai-agents", openai_agents, ""),
    "smolagents": ("smolagents", smolagents, ""),
    "langgraph": ("langgraph", langgraph, ""),
    "llm, blocking": ("llm", llm, ""),
    "llm, async": ("llm", llm_async, ""),
    "agno": ("agno", agno, ""),
    "openai-agents, session": ("openai-agents", openai_agents_sqlite, "SQLite"),
    "langgraph, checkpoints": ("langgraph", langgraph_sqlite, "SQLite"),
    "agno, sessions": ("agno", agno_sqlite, "SQLite"),
}
"""Name to distribution, maker, and where turns are kept."""

PLAIN_ONLY = ("smolagents", "llm, blocking")
"""Loops that cannot await a tool."""
