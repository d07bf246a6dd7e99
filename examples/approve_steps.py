"""Ask the user before a tool that leaves this machine or costs money, and answer over HTTP.

Run: python approve_steps.py    (it runs the server and a client)
"""

import io

from PIL import Image
from starlette.testclient import TestClient

from promptvision import Agent, tool
from promptvision.plugin import Middleware, StepInfo
from promptvision.server import create_app


class ApproveSteps(Middleware):
    """Asks before a tool runs that declares that it leaves this machine or costs money."""

    is_required = True  # nothing runs unasked

    async def before_step(self, step: StepInfo) -> None:
        """Ask, and wait for the answer."""
        facts = [
            text
            for text, holds in (
                ("sends the image to another machine", step.tool.leaves_machine),
                ("costs money", step.tool.costs_money),
            )
            if holds
        ]
        if facts:
            await step.approve(f"{step.tool.qualified_name} {' and '.join(facts)}. May it run?")


@tool(phrases=["develop it"], leaves_machine=True, costs_money=True)
def develop(image: Image.Image) -> Image.Image:
    """Develop an image in a laboratory; this one only pretends to leave the machine."""
    return image.convert("L")


def send(client: TestClient, prompt_id: str, url: str) -> dict[str, object]:
    """Send one request to ``POST /chat``."""
    body = {"prompt": "develop it", "prompt_id": prompt_id, "conversation_id": prompt_id, "user_id": "u"}
    document: dict[str, object] = client.post("/chat", json={**body, "input_image_url": url}).json()
    return document


def main() -> None:
    """Approve one request and refuse another one."""
    photo = io.BytesIO()
    Image.new("RGB", (40, 30), "orange").save(photo, "PNG")
    agent = Agent(tools=[develop], middleware=[ApproveSteps()])
    with TestClient(create_app(agent=agent), base_url="http://127.0.0.1:5000") as client:
        uploaded = client.post("/images", files={"file": ("photo.png", photo.getvalue(), "image/png")})
        url = uploaded.json()["image_url"]
        for prompt_id, approved in (("yes", True), ("no", False)):
            waiting = send(client, prompt_id, url)
            print(waiting["status"], "-", waiting["text_response"])
            approval = waiting["approval"]
            assert isinstance(approval, dict)
            place = f"/turns/{waiting['turn_id']}/approvals/{approval['approval_id']}?user_id=u"
            answer = {"approved": approved, "reason": "" if approved else "too expensive"}
            assert client.post(place, json=answer).status_code == 200
            reply = send(client, prompt_id, url)  # the same request again waits for its reply
            print(reply["status"], "-", reply["text_response"])


if __name__ == "__main__":
    main()
