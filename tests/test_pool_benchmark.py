"""The policies of the model pool against those of other projects, on a simulated GPU."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "pool.py"


def test_the_pool_meets_every_target() -> None:
    done = subprocess.run(
        [sys.executable, BENCHMARK, "--check"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
