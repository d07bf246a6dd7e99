"""A real S3 server (moto) on a loopback port, with one bucket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from promptvision_s3.testing import S3Server
from promptvision_s3.testing import s3_server as run_server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    with run_server("images") as server:
        yield server
