"""Run one instruction: ``python examples/script.py photo.jpg "make it black and white" out.png``."""

from __future__ import annotations

import sys

from promptvision import Agent


def main(image: str, prompt: str, output: str) -> int:
    """Run the instruction, print the answer and the steps, and write the resulting image."""
    with Agent() as agent:
        reply = agent.run_sync(prompt, image=image)
        print(reply.text_response)
        for step in reply.steps:
            print(f"  {step.operation} by {step.tool}: {step.status} in {step.seconds:.2f} s")
        if reply.image is None:
            return 1
        reply.save(output)
        return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
