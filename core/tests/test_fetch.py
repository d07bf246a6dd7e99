"""SSRF protection of the fetcher: resolution, redirects, DNS rebinding and slow origins.

Origins are real servers on the loopback; a public name is one whose (fake) address leads to such a server.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpcore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptvision.errors import InputError, TooLarge
from promptvision.images.addresses import is_public
from promptvision.images.fetch import Network, fetch
from promptvision.testing import Stopwatch

PUBLIC, PUBLIC_6 = "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"
NAMES = {
    "public.example": [PUBLIC],
    "six.example": [PUBLIC_6],
    "mixed.example": [PUBLIC, "10.0.0.1"],
    "private.example": ["192.168.0.7"],
    "localhost": ["127.0.0.1", "::1"],
}
PRIVATE = [
    *("127.0.0.1", "127.8.9.10", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
    *("192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1"),
    *("239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1"),
    *("::ffff:a9fe:a9fe", "::ffff:0:7f00:1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"),
    *("2002:7f00:1::", "2002:a9fe:a9fe::", "2001::1", "2001:db8::1", "3fff::1", "100::1", "5f00::1"),
    *("fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "ff0e::1"),
]
ODD_SPELLINGS = ["2130706433", "0x7f.1", "0x7f000001", "017700000001", "127.1", "0", "localhost", "LOCALHOST"]


class FakeNetwork(Network):
    """Resolves made-up names, and connects every address to one loopback port, if any."""

    def __init__(self, port: int | None = None, names: dict[str, list[str]] | None = None) -> None:
        self.port = port
        self.names = NAMES if names is None else names
        self.dialled: list[tuple[str, int]] = []

    async def resolve(self, host: str, port: int) -> list[str]:
        if host in self.names:
            return self.names[host]
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return [str(address[0]) for *_, address in found]

    async def connect(self, address: str, port: int) -> httpcore.AsyncNetworkStream:
        self.dialled.append((address, port))
        if self.port is None:
            raise httpcore.ConnectError("no server there")
        return await super().connect("127.0.0.1", self.port)


class Origin:
    """A server that answers every request with the same bytes, or with a function's result."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


Answer = bytes | Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def origin(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Origin]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            served.requests.append(request)
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(request, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    served = Origin(server.sockets[0].getsockname()[1])
    try:
        yield served
    finally:
        server.close()


def ok(body: bytes = b"image", *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def redirect(location: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Over there\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode(
        "latin-1"
    )


def in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def refused(url: str, network: FakeNetwork, match: str | None = None, **options: Any) -> None:
    with pytest.raises(InputError, match=match):
        asyncio.run(fetch(url, network=network, **options))


# addresses


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, PUBLIC_6, "1.1.1.1", "2001:4860:4860::8888", "64:ff9b::101:101"])
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_inside_ipv6_is_judged_as_itself(number: int) -> None:
    inner = str(ip_address(number))
    assert is_public(f"::ffff:{inner}") == is_public(f"64:ff9b::{inner}") == is_public(inner)
    assert not is_public(f"::{inner}")


@pytest.mark.parametrize("host", [*map(in_url, PRIVATE), *ODD_SPELLINGS])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_private_literals_are_never_dialled(host: str, scheme: str) -> None:
    network = FakeNetwork()
    refused(f"{scheme}://{host}/x.png", network, "not public|not a valid URL")
    assert network.dialled == []


@pytest.mark.parametrize("address", PRIVATE)
def test_names_of_private_addresses_are_never_dialled(address: str) -> None:
    network = FakeNetwork(names={"rebound.example": [address]})
    refused("https://rebound.example/x.png", network, "not public")
    assert network.dialled == []


@pytest.mark.parametrize("host", [*map(in_url, PRIVATE), *ODD_SPELLINGS, "private.example"])
def test_redirects_inward_are_never_dialled(host: str) -> None:
    async def main() -> None:
        async with origin(redirect(f"http://{host}/x.png")) as server:
            network = FakeNetwork(server.port)
            with pytest.raises(InputError, match="not public"):
                await fetch("http://public.example/x.png", network=network)
            assert network.dialled == [(PUBLIC, 80)]

    asyncio.run(main())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_every_kind_of_redirect_is_checked(status: int) -> None:
    async def main() -> None:
        async with origin(redirect("http://169.254.169.254/latest/meta-data", status)) as server:
            network = FakeNetwork(server.port)
            with pytest.raises(InputError, match="not public"):
                await fetch("http://public.example/", network=network)
            assert network.dialled == [(PUBLIC, 80)]

    asyncio.run(main())


def test_one_private_address_among_public_ones_refuses_the_name() -> None:
    network = FakeNetwork()
    refused("http://mixed.example/", network, "not public")
    assert network.dialled == []


def test_dns_rebinding_between_check_and_connection_has_no_effect() -> None:
    class Flipping(FakeNetwork):
        async def resolve(self, host: str, port: int) -> list[str]:
            self.asked += 1
            return [PUBLIC] if self.asked % 2 else ["127.0.0.1"]

        asked = 0

    async def main() -> Flipping:
        network = Flipping()
        for _ in range(1000):
            with pytest.raises(InputError):
                await fetch("http://flip.example/", network=network)
        return network

    network = asyncio.run(main())
    assert network.asked == 1000
    assert network.dialled == [(PUBLIC, 80)] * 500


def test_names_without_an_address_are_reported() -> None:
    class Empty(FakeNetwork):
        async def resolve(self, host: str, port: int) -> list[str]:
            return []

    refused("http://unknown.example/", FakeNetwork(), "no such host")
    refused("http://unknown.example/", Empty(), "no such host")


# URLs


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("ftp://public.example/", "scheme 'ftp'"),
        ("file:///etc/passwd", "scheme 'file'"),
        ("gopher://public.example/", "scheme"),
        ("//public.example/", "scheme ''"),
        ("http:///x", "not a valid URL"),
        ("http://user:pw@public.example/", "user name"),
        ("http://public.example@127.0.0.1/", "user name"),
        ("http://127.0.0.1#@public.example/", "not public"),
        ("http://public.example\\@127.0.0.1/", "backslash"),
        ("http://127.0.0.1\\.public.example/", "backslash"),
        ("http://public.example/\r\nHost: x", "control character"),
        ("http://public.example/a b", "space"),
        ("http://public.example:8080/", "port 8080"),
        ("http://public.example:22/", "port 22"),
        ("http://public.example:0/", "port 0"),
        ("http://public.example:99999/", "not a valid URL"),
        ("http://[fe80::1%25eth0]/", "not a valid URL"),
        ("http://[::1/", "not a valid URL"),
        (f"http://[{PUBLIC_6}]x:80/", "not a valid URL"),
        (f"http://[{PUBLIC_6}]:80x/", "not a valid URL"),
        ("http://pub%6cic.example/", "not a valid URL"),
        ("http://" + "a" * 70 + ".example/", "not a valid URL"),
        ("http://public.example/" + "a" * 9000, "longer than"),
    ],
)
def test_urls_off_policy_are_refused_before_anything_is_dialled(url: str, match: str) -> None:
    network = FakeNetwork()
    refused(url, network, match)
    assert network.dialled == []


HOSTS = [
    *NAMES,
    *map(in_url, PRIVATE[::5]),
    *ODD_SPELLINGS,
    PUBLIC,
    in_url(PUBLIC_6),
    "b\u00fccher.example",
    "",
]
PIECES = st.one_of(
    st.sampled_from(["@", ":", "/", "\\", "#", "?", "%2f", "[", "]", "\n", ".", "http://", *HOSTS]),
    st.text(max_size=3),
)


@st.composite
def odd_urls(draw: st.DrawFn) -> str:
    """A valid URL with up to two fragments inserted at random positions."""
    scheme = draw(st.sampled_from(["http", "https", "HTTPS", "ftp", "file"]))
    port = draw(st.sampled_from(["", ":80", ":443", ":8080", ":0", ":", ":99999"]))
    url = f"{scheme}://{draw(st.sampled_from(HOSTS))}{port}/a.png"
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(url)))
        url = url[:place] + draw(PIECES) + url[place:]
    return url


def test_odd_urls_never_dial_off_policy() -> None:
    class Anywhere(FakeNetwork):
        async def resolve(self, host: str, port: int) -> list[str]:
            try:
                return await super().resolve(host, port)
            except OSError:
                return [PUBLIC if len(host) % 2 else "10.1.2.3"]

    network = Anywhere()

    @settings(max_examples=500, deadline=None)
    @given(odd_urls())
    def fetch_one(url: str) -> None:
        refused(url, network)

    fetch_one()
    assert len(network.dialled) > 10  # or the test would prove nothing
    assert all(is_public(address) and port in (80, 443) for address, port in network.dialled)


# what comes back


def test_a_public_image_is_fetched_as_asked_for() -> None:
    async def main() -> None:
        async with origin(ok(b"pixels")) as server:
            network = FakeNetwork(server.port)
            url = "http://public.example/\u00e4/b.png?q=\u00f6&r=%20#part"
            assert await fetch(url, network=network) == b"pixels"
            head, *headers = server.requests[0].decode().split("\r\n")
            assert head == "GET /%C3%A4/b.png?q=%C3%B6&r=%20 HTTP/1.1"
            assert {"Host: public.example", "Accept-Encoding: identity"} <= set(headers)
            assert network.dialled == [(PUBLIC, 80)]

    asyncio.run(main())


def test_an_ipv6_literal_is_fetched() -> None:
    async def main() -> None:
        async with origin(ok()) as server:
            assert await fetch(f"http://[{PUBLIC_6}]/", network=FakeNetwork(server.port)) == b"image"
            assert f"Host: [{PUBLIC_6}]\r\n".encode() in server.requests[0]

    asyncio.run(main())


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    class FirstIsDead(FakeNetwork):
        async def connect(self, address: str, port: int) -> httpcore.AsyncNetworkStream:
            if address == PUBLIC_6:
                raise httpcore.ConnectError("no route")
            return await super().connect(address, port)

    async def main() -> None:
        async with origin(ok()) as server:
            network = FirstIsDead(server.port, {"both.example": [PUBLIC_6, PUBLIC]})
            assert await fetch("http://both.example/", network=network) == b"image"

    asyncio.run(main())


@pytest.mark.parametrize("allowed", ["{host}", "127.0.0.1", "127.0.0.1:{port}"])
def test_an_operator_can_allow_a_host(allowed: str) -> None:
    async def main() -> None:
        async with origin(ok()) as server:
            entry = allowed.format(host=server.host, port=server.port)
            assert await fetch(server.url, allowed_hosts=[entry]) == b"image"

    asyncio.run(main())


def test_allowing_one_host_or_port_allows_no_other() -> None:
    async def main() -> None:
        async with origin(ok()) as server:
            for entry in ("localhost", f"127.0.0.1:{server.port + 1}", "127.0.0", "127.0.0.1.example"):
                with pytest.raises(InputError):
                    await fetch(server.url, allowed_hosts=[entry])
            assert server.requests == []

    asyncio.run(main())


def test_a_relative_redirect_is_followed() -> None:
    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(ok() if b"/there.png " in request else redirect("../there.png"))
        await writer.drain()

    async def main() -> None:
        async with origin(answer) as server:
            assert await fetch(f"{server.url}a/b.png", allowed_hosts=[server.host]) == b"image"

    asyncio.run(main())


def test_a_redirect_loop_ends_after_five() -> None:
    async def main() -> None:
        async with origin(redirect("/again")) as server:
            with pytest.raises(InputError, match="more than 5 redirects"):
                await fetch(server.url, allowed_hosts=[server.host])
            assert len(server.requests) == 6

    asyncio.run(main())


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://public.example/", "http://[", "http://a\xff b/"]
)
def test_redirects_to_other_schemes_and_nonsense_are_refused(location: str) -> None:
    async def main() -> None:
        async with origin(redirect(location)) as server:
            with pytest.raises(InputError):
                await fetch(server.url, allowed_hosts=[server.host])
            assert len(server.requests) == 1

    asyncio.run(main())


@pytest.mark.parametrize("status", [204, 206, 304, 401, 404, 500])
def test_other_statuses_are_named(status: int) -> None:
    async def main() -> None:
        async with origin(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode()) as server:
            with pytest.raises(InputError, match=str(status)):
                await fetch(server.url, allowed_hosts=[server.host])

    asyncio.run(main())


def test_a_compressed_answer_is_not_unpacked() -> None:
    async def main() -> None:
        async with origin(ok(b"\x1f\x8b" + b"\0" * 1000, "Content-Encoding: gzip")) as server:
            with pytest.raises(InputError, match="compressed"):
                await fetch(server.url, allowed_hosts=[server.host])

    asyncio.run(main())


def test_an_endless_body_is_cut_at_the_limit() -> None:
    sent = 0

    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"\0" * 65536 + b"\r\n")
            await writer.drain()
            sent += 65536

    async def main() -> None:
        async with origin(answer) as server:
            with pytest.raises(TooLarge, match="1 MB"):
                await fetch(server.url, allowed_hosts=[server.host], limit=1_000_000)

    asyncio.run(main())
    assert 1_000_000 - 65536 < sent < 12_000_000  # the limit, and what the kernel's socket buffers hold


def test_a_body_announced_too_large_is_not_read() -> None:
    async def main() -> None:
        async with origin(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nx") as server:
            with pytest.raises(TooLarge, match="20 MB"):
                await fetch(server.url, allowed_hosts=[server.host])

    asyncio.run(main())


def test_a_body_of_exactly_the_limit_is_taken() -> None:
    async def main() -> None:
        async with origin(ok(b"x" * 1000)) as server:
            assert len(await fetch(server.url, allowed_hosts=[server.host], limit=1000)) == 1000
            with pytest.raises(TooLarge):
                await fetch(server.url, allowed_hosts=[server.host], limit=999)

    asyncio.run(main())


def test_a_slow_origin_is_stopped_at_the_deadline() -> None:
    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async def main() -> None:
        async with origin(answer) as server:
            watch = Stopwatch()
            with pytest.raises(InputError, match=r"within 0\.3 seconds"):
                await fetch(server.url, allowed_hosts=[server.host], deadline_s=0.3)
            assert watch.seconds < 0.8

    asyncio.run(main())


def test_the_deadline_counts_resolving_and_all_redirects() -> None:
    class Slow(FakeNetwork):
        async def resolve(self, host: str, port: int) -> list[str]:
            await asyncio.sleep(0.12)
            return await super().resolve(host, port)

    async def main() -> None:
        async with origin(redirect("/again")) as server:
            with pytest.raises(InputError, match="within"):
                await fetch("http://public.example/", network=Slow(server.port), deadline_s=0.3)

    asyncio.run(main())


@pytest.mark.parametrize(
    "answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"]
)
def test_broken_answers_are_input_errors(answer: bytes) -> None:
    async def main() -> None:
        async with origin(answer) as server:
            with pytest.raises(InputError, match="cannot be fetched"):
                await fetch(server.url, allowed_hosts=[server.host])

    asyncio.run(main())


def test_a_closed_port_is_an_input_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(InputError, match="cannot be fetched"):
        asyncio.run(fetch(f"http://127.0.0.1:{port}/", allowed_hosts=["127.0.0.1"]))


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with origin(ok(b"from the proxy")) as proxy, origin(ok()) as server:
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, proxy.url)
            assert await fetch(server.url, allowed_hosts=[server.host]) == b"image"
            assert proxy.requests == []

    asyncio.run(main())


# TLS


def certify(names: Sequence[str], folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server context with a certificate that signs itself, and the file of that certificate."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "certificate.pem", folder / "key.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public


def test_certificates_are_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, certificate = certify(["public.example"], tmp_path)

    async def main() -> None:
        async with origin(ok(), tls=context) as server:
            network = FakeNetwork(server.port)
            with pytest.raises(InputError, match=r"(?i)certificate"):
                await fetch("https://public.example/", network=network)
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            with pytest.raises(InputError, match=r"(?i)certificate"):
                await fetch("https://six.example/", network=network)
            assert await fetch("https://public.example/", network=network) == b"image"
            assert len(server.requests) == 1

    asyncio.run(main())


def test_https_is_not_left_for_http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, certificate = certify(["public.example"], tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async def main() -> None:
        async with origin(redirect("http://public.example/"), tls=context) as server:
            network = FakeNetwork(server.port)
            with pytest.raises(InputError, match="https to http"):
                await fetch("https://public.example/", network=network)
            assert network.dialled == [(PUBLIC, 443)]

    asyncio.run(main())
