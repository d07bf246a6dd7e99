"""Which URLs and network addresses an untrusted image may come from (SSRF protection)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Network, ip_address, ip_network

__all__ = ["MAX_URL_CHARS", "is_public"]

MAX_URL_CHARS = 8192
"""Maximum length of the URL of an image, except for data URLs."""

_DENIED = [
    ip_network(net)
    for net in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; used by the metadata service of some clouds
        "168.63.129.16/32",  # Azure's wire server, on a public address
        "192.0.0.0/24",  # IETF protocol assignments; used by Oracle's metadata service
        "192.88.99.0/24",  # 6to4 relay anycast
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",  # IETF protocol assignments, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4 carries any IPv4 address inside
        "3fff::/20",
    )
]
_GLOBAL_UNICAST = IPv6Network("2000::/3")  # RFC 4291, 2.4: the range that IANA allocates
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052, 2.1: the last 32 bits are the IPv4 address


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet.

    Stricter than :attr:`ipaddress.IPv4Address.is_global`, which varies between Python versions and accepts
    multicast and several IPv6 forms that carry a private IPv4 address inside.

    Args:
        address: a numeric IPv4 or IPv6 address.

    Raises:
        ValueError: not a numeric address.
    """
    ip = ip_address(address)
    if not isinstance(ip, IPv4Address):
        inner = ip.ipv4_mapped or (IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None)
        if inner is not None:
            return is_public(str(inner))
        if ip not in _GLOBAL_UNICAST:
            return False
    denied = any(ip in net for net in _DENIED if net.version == ip.version)
    return ip.is_global and not ip.is_multicast and not denied
