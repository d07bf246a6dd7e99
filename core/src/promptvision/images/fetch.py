"""Fetch an image from an untrusted URL, with SSRF and DNS-rebinding protection.

A host name is resolved once, all of its addresses must be public, and the connection uses a checked address,
so a second DNS answer has no effect. The check is part of the network backend, below
redirects: every request passes it.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import anyio
import httpcore

from promptvision.errors import InputError, TooLarge
from promptvision.images.addresses import MAX_URL_CHARS, is_public

__all__ = ["Network", "fetch"]

_PORTS = {"http": 80, "https": 443}
_MAX_REDIRECTS = 5
_MAX_ADDRESSES = 4
_REDIRECTS = {301, 302, 303, 307, 308}
_AUTHORITY = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([^\[\]:]+))(?::([0-9]{0,5}))?")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f\\]")
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_HEADERS = [
    (b"User-Agent", b"promptvision"),
    (b"Accept", b"image/*"),
    (b"Accept-Encoding", b"identity"),
    (b"Connection", b"close"),
]
_ALLOW = "an operator can allow a host with PROMPTVISION_ALLOWED_HOSTS"


class Network:
    """Resolves names and opens connections; all network access of this module goes through it."""

    async def resolve(self, host: str, port: int) -> list[str]:
        """All numeric addresses of a host.

        Raises:
            OSError: the host has no address.
        """
        found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(address[0]) for *_, address in found))

    async def connect(self, address: str, port: int) -> httpcore.AsyncNetworkStream:
        """Open a TCP connection to a numeric address."""
        return await httpcore.AnyIOBackend().connect_tcp(address, port)


@dataclass(frozen=True)
class _Origin:
    scheme: str
    host: str
    port: int
    path: str

    @property
    def name(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return [(b"Host", f"{self.name}{port}".encode()), *_HEADERS]

    @property
    def url(self) -> httpcore.URL:
        return httpcore.URL(
            scheme=self.scheme.encode(), host=self.host.encode(), port=self.port, target=self.path.encode()
        )


class _Guard(httpcore.AsyncNetworkBackend):
    """Connects only to checked addresses."""

    def __init__(self, network: Network, allowed_hosts: Sequence[str]) -> None:
        self._network = network
        self._allowed_hosts = allowed_hosts

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature; fetch has one deadline for all
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            addresses = await self._network.resolve(host, port)
        except (OSError, UnicodeError) as exc:
            raise InputError(f"image URL: no such host {host!r}") from exc
        if not addresses:
            raise InputError(f"image URL: no such host {host!r}")
        if not _is_allowed(host, port, self._allowed_hosts):
            _check_port(host, port)
            if not all(map(is_public, addresses)):
                raise InputError(f"image URL: host {host!r} has an address that is not public", hint=_ALLOW)
        return await self._dial(addresses[:_MAX_ADDRESSES], port)

    async def _dial(self, addresses: list[str], port: int) -> httpcore.AsyncNetworkStream:
        for address in addresses[:-1]:
            try:
                with anyio.fail_after(2):
                    return await self._network.connect(address, port)
            except (httpcore.ConnectError, TimeoutError):
                continue
        return await self._network.connect(addresses[-1], port)


async def fetch(
    url: str,
    *,
    allowed_hosts: Sequence[str] = (),
    limit: int = 20_000_000,
    deadline_s: float = 10.0,
    network: Network | None = None,
) -> bytes:
    """The bytes behind an http or https URL on the public internet.

    Args:
        url: the untrusted URL. Ports 80 and 443 only, no user name, at most five redirects, none of them from
            https to http.
        allowed_hosts: ``name`` or ``name:port`` entries that may be private and use other ports.
        limit: largest body in bytes.
        deadline_s: total time limit in seconds, redirects included.
        network: resolves names and opens connections; default: the real network.

    Raises:
        TooLarge: the body is over ``limit``; reading stops there.
        InputError: the URL is refused, cannot be reached, or answers with anything but 200.
    """
    guard = _Guard(network or Network(), allowed_hosts)
    try:
        with anyio.fail_after(deadline_s):
            async with httpcore.AsyncConnectionPool(network_backend=guard) as pool:
                return await _follow(pool, url, allowed_hosts, limit)
    except TimeoutError as exc:
        raise InputError(f"image URL: no complete answer within {deadline_s:g} seconds") from exc
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as exc:
        raise InputError(f"image URL: cannot be fetched ({str(exc)[:200] or type(exc).__name__})") from exc


async def _follow(
    pool: httpcore.AsyncConnectionPool, url: str, allowed_hosts: Sequence[str], limit: int
) -> bytes:
    target = _parse(url, allowed_hosts)
    for _ in range(_MAX_REDIRECTS + 1):
        async with pool.stream("GET", target.url, headers=target.headers) as response:
            if response.status not in _REDIRECTS:
                return await _read(response, limit)
            url = _join(url, response)
        after = _parse(url, allowed_hosts)
        if target.scheme == "https" and after.scheme == "http":
            raise InputError("image URL: redirects from https to http")
        target = after
    raise InputError(f"image URL: more than {_MAX_REDIRECTS} redirects")


def _parse(url: str, allowed_hosts: Sequence[str]) -> _Origin:
    if len(url) > MAX_URL_CHARS:
        raise InputError(f"image URL: longer than {MAX_URL_CHARS} characters")
    if _UNSAFE.search(url):
        raise InputError("image URL: contains a space, a backslash or a control character")
    try:
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        if scheme not in _PORTS:
            raise InputError(f"image URL: scheme {scheme[:20]!r} is not accepted", hint="use http or https")
        if "@" in parts.netloc:
            raise InputError("image URL: contains a user name or a password")
        host, port = _host_and_port(parts.netloc)
        path = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_PRINTABLE)
    except ValueError as exc:  # UnicodeError too
        raise InputError("image URL: not a valid URL") from exc
    port = _PORTS[scheme] if port is None else port
    if not _is_allowed(host, port, allowed_hosts):
        _check_port(host, port)
    return _Origin(scheme, host, port, path)


def _host_and_port(netloc: str) -> tuple[str, int | None]:
    """The host in the form to resolve (ASCII, lower case, no brackets) and the port, None when not given.

    Stricter than :func:`urllib.parse.urlsplit`, which ignores text after a closing bracket.

    Raises:
        ValueError: neither a host name nor an address.
    """
    if (match := _AUTHORITY.fullmatch(netloc)) is None:
        raise ValueError(f"not a host: {netloc[:80]!r}")
    address, name, digits = match.groups()
    host = str(IPv6Address(address)) if address else name.encode("idna").decode("ascii").lower()
    port = int(digits) if digits else None
    if (port or 0) > 65535 or not (address or _NAME.fullmatch(host)):
        raise ValueError(f"not a host: {netloc[:80]!r}")
    return host, port


def _is_allowed(host: str, port: int, allowed_hosts: Sequence[str]) -> bool:
    name = f"[{host}]" if ":" in host else host
    return any(entry.lower() in (host, name, f"{name}:{port}") for entry in allowed_hosts)


def _check_port(host: str, port: int) -> None:
    if port not in _PORTS.values():
        raise InputError(f"image URL: port {port} of {host!r} is not accepted, only 80 and 443", hint=_ALLOW)


def _header(response: httpcore.Response, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in response.headers if key.lower() == name), "")


def _join(url: str, response: httpcore.Response) -> str:
    try:
        return urljoin(url, _header(response, b"location"))
    except ValueError as exc:
        raise InputError("image URL: redirects to something that is not a URL") from exc


async def _read(response: httpcore.Response, limit: int) -> bytes:
    if response.status != 200:
        raise InputError(f"image URL: the server answered {response.status} instead of 200")
    if _header(response, b"content-encoding").strip().lower() not in ("", "identity"):
        raise InputError("image URL: the server compressed the image although the request refused that")
    length = _header(response, b"content-length")
    body = bytearray()
    async for chunk in response.aiter_stream():
        body += chunk
        if len(body) > limit or (length.isdecimal() and int(length) > limit):
            raise TooLarge(f"image URL: larger than {limit / 1e6:g} MB")
    return bytes(body)
