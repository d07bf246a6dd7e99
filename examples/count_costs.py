"""Add up the tokens and paid calls of each user, and stop a turn that goes over a budget.

Run: python count_costs.py photo.jpg "make it black and white"
"""

import sys
from collections import Counter

from promptvision import Agent
from promptvision.plugin import (
    ChatReply,
    Middleware,
    PlanRequest,
    Result,
    StepInfo,
    StopTurn,
    TurnInfo,
)


class CountCosts(Middleware):
    """Counts tokens, and calls of tools that declare that they cost money.

    Args:
        budget_tokens: a user who has used more is refused.
    """

    is_required = True  # nothing runs uncounted

    def __init__(self, budget_tokens: int) -> None:
        self.tokens: Counter[str] = Counter()
        self.paid_calls: Counter[str] = Counter()
        self._budget = budget_tokens

    async def before_planner(self, turn: TurnInfo, request: PlanRequest) -> None:
        """Refuse a user who is over the budget."""
        if self.tokens[turn.key.user_id] >= self._budget:
            raise StopTurn(f"the budget of {self._budget} tokens is used up")

    async def after_planner(self, turn: TurnInfo, request: PlanRequest, reply: ChatReply) -> None:
        """Count the tokens of a request and its reply."""
        self.tokens[turn.key.user_id] += reply.usage.input_tokens + reply.usage.output_tokens

    async def after_step(self, step: StepInfo, result: Result) -> None:
        """Count a call that costs money."""
        if step.tool.costs_money and step.turn is not None:
            self.paid_calls[step.turn.key.user_id] += 1


def main(image: str, prompt: str) -> None:
    """Run one turn and print what it cost."""
    costs = CountCosts(budget_tokens=100_000)
    with Agent(middleware=[costs]) as agent:
        agent.run_sync(prompt, image=image, user_id="alice")
    print(f"alice: {costs.tokens['alice']} tokens, {costs.paid_calls['alice']} paid calls")


if __name__ == "__main__":
    main(*sys.argv[1:3])
