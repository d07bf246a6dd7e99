"""A real S3 server (moto) for tests, on a loopback port. Needs ``moto[server,s3]`` and boto3."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import boto3  # type: ignore[import-untyped]
from moto.server import ThreadedMotoServer

__all__ = ["S3Server", "s3_server"]

_REGION = "us-east-1"
_KEY = "test"


@dataclass(frozen=True)
class S3Server:
    """A running server.

    Args:
        endpoint: its URL.
        client: a plain client, which reads the bucket without the store.
    """

    endpoint: str
    client: Any

    @property
    def variables(self) -> dict[str, str]:
        """Variables that configure a store for the server."""
        return {
            "AWS_ACCESS_KEY_ID": _KEY,
            "AWS_SECRET_ACCESS_KEY": _KEY,
            "AWS_REGION": _REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    def count(self, bucket: str) -> int:
        """How many objects a bucket holds, of the first page of its listing."""
        return int(self.client.list_objects_v2(Bucket=bucket)["KeyCount"])


@contextmanager
def s3_server(*buckets: str) -> Iterator[S3Server]:
    """Run a server with empty buckets.

    All servers of a process share their buckets, so a name must be new.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name=_REGION,
            aws_access_key_id=_KEY,
            aws_secret_access_key=_KEY,
        )
        with closing(client):
            for bucket in buckets:
                client.create_bucket(Bucket=bucket)
            yield S3Server(endpoint, client)
    finally:
        server.stop()
