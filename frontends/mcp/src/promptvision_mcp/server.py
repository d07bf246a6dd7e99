"""The MCP server: its handlers, for all transports."""

from __future__ import annotations

import base64
import logging
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mcp_types as types
from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from promptvision.plugin import LOCAL_USER, InputError, NotFound, PromptvisionError, hold_response, user_of
from promptvision_mcp.catalog import list_tools
from promptvision_mcp.conversation import Conversation
from promptvision_mcp.elicitation import complete_arguments
from promptvision_mcp.progress import follow_turn
from promptvision_mcp.prompts import get_prompt, list_prompts
from promptvision_mcp.results import Results, error_result
from promptvision_mcp.settings import McpSettings, Show
from promptvision_mcp.sources import SCHEME, ImageSources, image_uri

if TYPE_CHECKING:
    from promptvision import Agent

__all__ = ["make_server"]

log = logging.getLogger(__name__)

_Context = ServerRequestContext[Any]
_COPIES = 5  # of an image in memory while it is sent: bytes, base64, JSON, and the event with it
_INSTRUCTIONS = (
    "promptvision edits and examines images. Every image has a handle such as img_1; tools take handles and "
    "return handles of new images, and nothing is ever overwritten. Use `do` for a whole job in one "
    "sentence, the other tools for single steps. Show results with `get_image`; go back with `undo`."
)


def make_server(
    agent: Agent,
    *,
    conversation_id: str = "mcp",
    roots: Sequence[Path] = (),
    show: Show | None = None,
) -> Server[Any]:
    """Make the server.

    Args:
        agent: runs the calls.
        conversation_id: the conversation of a client without a session of its own.
        roots: folders in which a client may name images by path; only for a client on this machine.
        show: how results show their image; default: as the settings say.
    """
    handlers = _Handlers(
        agent, conversation_id, ImageSources(roots), show or agent.settings.section(McpSettings).mcp_images
    )
    return Server(
        "promptvision",
        title="promptvision",
        version=version("promptvision-mcp"),
        instructions=_INSTRUCTIONS,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
        on_list_resources=handlers.list_resources,
        on_list_resource_templates=handlers.list_templates,
        on_read_resource=handlers.read_resource,
        on_list_prompts=handlers.list_prompts,
        on_get_prompt=handlers.get_prompt,
    )


class _Handlers:
    """Handlers of all requests."""

    def __init__(self, agent: Agent, conversation_id: str, sources: ImageSources, show: Show) -> None:
        self._agent = agent
        self._conversation_id = conversation_id
        self._sources = sources
        self._results = Results(agent, show)
        self._functions: object = None
        self._listed: list[types.Tool] = []

    # Tools

    async def list_tools(
        self, context: _Context, params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=await self._tools())

    async def call_tool(
        self, context: _Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        tool = next((tool for tool in await self._tools() if tool.name == params.name), None)
        try:
            return await self._call(context, params, tool)
        except PromptvisionError as exc:
            return error_result(exc)

    async def _call(
        self, context: _Context, params: types.CallToolRequestParams, tool: types.Tool | None
    ) -> types.CallToolResult | types.InputRequiredResult:
        conversation = self._conversation(context)
        schema = tool.input_schema if tool is not None else self._unavailable_schema(params.name)
        needs_image = await self._missing_image(conversation, params.name)
        arguments = await complete_arguments(context, params, schema, needs_image)
        if isinstance(arguments, types.InputRequiredResult):
            return arguments
        if unknown := [name for name in arguments if name not in schema["properties"]]:
            known = ", ".join(schema["properties"]) or "none"
            raise InputError(f"{unknown[0][:64]}: no such argument", hint=f"the arguments are: {known}")

        def follow(running: Any) -> Any:
            return follow_turn(running, context.session.report_progress)

        if params.name == "do":
            prompt, image = _text(arguments, "prompt"), arguments.get("image")
            reply = await conversation.do(prompt, _text(arguments, "image") if image else None, follow)
            return await self._results.of_turn(reply, await conversation.images())
        if params.name == "list_images":
            return await self._results.of_list(await conversation.images())
        if params.name == "get_image":
            return await self._get_image(conversation, arguments)
        if params.name == "undo":
            record = await conversation.undo(follow)
            text = f"{record.handle} is the current image."
            return await self._results.of_image(record, text, {"current": record.handle})
        reply = await conversation.call(params.name, arguments, follow)
        return await self._results.of_call(reply, await conversation.images())

    async def _get_image(self, conversation: Conversation, arguments: dict[str, Any]) -> types.CallToolResult:
        images = await conversation.images()
        record = images.find(_text(arguments, "image")) if arguments.get("image") else images.current
        if record is None:
            raise NotFound("there is no image yet", hint=f"give one: {self._sources.forms}")
        show: Show = "link" if arguments.get("show") == "link" else "preview"
        return await self._results.of_image(record, "", {}, show)

    async def _tools(self) -> list[types.Tool]:
        """All tools, cached until the available operations change."""
        await self._agent.registry.availability.refresh()
        functions = self._agent.registry.functions()
        if functions is not self._functions:
            self._functions = functions
            self._listed = list_tools(self._agent, self._sources.forms)
        return self._listed

    def _unavailable_schema(self, name: str) -> dict[str, Any]:
        """The arguments of an operation that cannot run here: the call says what is missing.

        Raises:
            MCPError: there is no such tool.
        """
        for function in self._agent.registry.unavailable():
            if function.name == name:
                return {**function.parameters, "required": []}
        raise MCPError(types.INVALID_PARAMS, f"no tool {name[:64]!r}; tools/list lists them")

    async def _missing_image(self, conversation: Conversation, name: str) -> str | None:
        """The image argument of an operation when the conversation has no image yet."""
        for function in self._agent.registry.functions():
            if function.name == name and function.image is not None:
                return None if (await conversation.images()).current else function.image
        return None

    # Resources

    async def list_resources(
        self, context: _Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        images = await self._conversation(context).images()
        newest = {record.image_id: record for record in images.records}
        links = [await self._results.link(record) for record in newest.values()]
        resources = [types.Resource(**link.model_dump(exclude={"type"}, exclude_none=True)) for link in links]
        return types.ListResourcesResult(resources=resources)

    async def list_templates(
        self, context: _Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        template = types.ResourceTemplate(
            uri_template=f"{SCHEME}{{image_id}}",
            name="image",
            title="An image",
            description="A whole image. The id is in the link of each result.",
        )
        return types.ListResourceTemplatesResult(resource_templates=[template])

    async def read_resource(
        self, context: _Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        try:
            image_id = self._sources.image_id(str(params.uri))
            await self._conversation(context).check_owner(image_id)
            images = self._agent.services.images
            stat = await images.stat(image_id)
            if context.request is not None:
                hold_response(context.request, _COPIES * stat.size)
            data = await images.get(image_id)
        except PromptvisionError as exc:
            raise MCPError(types.INVALID_PARAMS, str(exc)) from exc
        blob = types.BlobResourceContents(
            uri=image_uri(image_id), mime_type=stat.media_type, blob=base64.b64encode(data).decode("ascii")
        )
        return types.ReadResourceResult(contents=[blob])

    # Prompts

    async def list_prompts(
        self, context: _Context, params: types.PaginatedRequestParams | None
    ) -> types.ListPromptsResult:
        return types.ListPromptsResult(prompts=list_prompts())

    async def get_prompt(
        self, context: _Context, params: types.GetPromptRequestParams
    ) -> types.GetPromptResult:
        return get_prompt(params.name, params.arguments)

    def _conversation(self, context: _Context) -> Conversation:
        """The conversation of the client: over HTTP that of its key and session.

        Protocol 2026-07-28 has no sessions; there a user has one conversation.
        """
        user, conversation_id = LOCAL_USER, self._conversation_id
        if context.request is not None:
            user = user_of(context.request, self._agent.settings)
            session = context.request.headers.get("mcp-session-id")
            conversation_id = f"mcp-{session}" if session else conversation_id
        return Conversation(self._agent, user, conversation_id, self._sources)


def _text(arguments: dict[str, Any], name: str) -> str:
    """A text argument.

    Raises:
        InputError: it is missing or not a text.
    """
    value = arguments.get(name)
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{name}: is needed, as text")
    return value
