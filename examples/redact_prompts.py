"""Replace e-mail addresses before the planner sees them, and put them back into its reply.

Run: python redact_prompts.py
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from promptvision import Agent
from promptvision.plugin import ChatReply, Middleware, PlanRequest, TurnInfo

EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")


class RedactPrompts(Middleware):
    """Hides e-mail addresses from the planner, in the user's messages and in texts that tools have read."""

    is_required = True  # nothing is sent unredacted

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    async def before_planner(self, turn: TurnInfo, request: PlanRequest) -> PlanRequest:
        """Replace each address by a placeholder."""
        messages = tuple(
            replace(message, content=self._hide(message.content)) for message in request.messages
        )
        return replace(request, messages=messages, prompt=self._hide(request.prompt))

    async def after_planner(self, turn: TurnInfo, request: PlanRequest, reply: ChatReply) -> ChatReply:
        """Put the addresses back, in the text and in the arguments of calls."""
        calls = tuple(replace(call, arguments=self._show_in(call.arguments)) for call in reply.tool_calls)
        return replace(reply, text=self._show(reply.text), tool_calls=calls)

    def _hide(self, text: str) -> str:
        return EMAIL.sub(lambda found: self._placeholder(found[0]), text)

    def _placeholder(self, address: str) -> str:
        known = {value: name for name, value in self._names.items()}
        name = known.get(address, f"<email-{len(self._names) + 1}>")
        self._names[name] = address
        return name

    def _show(self, text: str) -> str:
        for name, address in self._names.items():
            text = text.replace(name, address)
        return text

    def _show_in(self, arguments: str | Mapping[str, object]) -> str | dict[str, object]:
        if isinstance(arguments, str):
            return self._show(arguments)
        return {
            name: self._show(value) if isinstance(value, str) else value for name, value in arguments.items()
        }


def main() -> None:
    """Show what a planner gets, and what the user gets back."""

    class Parrot:
        """A planner that answers with the user's own words."""

        name = "parrot"
        context_tokens = 10_000

        async def complete(self, request: PlanRequest) -> ChatReply:
            """Repeat the prompt."""
            print("planner:", request.prompt)
            return ChatReply(text=f"I would write to {request.prompt.rsplit(' ', 1)[1]}")

        async def close(self) -> None:
            """Nothing to release."""

    with Agent(planner=Parrot(), middleware=[RedactPrompts()]) as agent:
        reply = agent.run_sync("send it to ann@example.org")
        print("user:", reply.text_response)


if __name__ == "__main__":
    main()
