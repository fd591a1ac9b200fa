"""Which addresses a request of ours may go to. Pure: looks at texts and numbers, asks nobody."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final
from urllib.parse import urlsplit

from pipeline.outbound.errors import UrlNotAllowed

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_URL: Final = 2000
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
#: A name, a number in any notation (it is looked at once it is resolved), or an IPv6 address without a zone.
_HOST: Final = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}")
#: Visible ASCII: what else a URL holds is written as %XX.
_VISIBLE: Final = re.compile(r"[\x21-\x7e]+")
#: All of IPv6 that is for global unicast, now and for long.
_IPV6_GLOBAL: Final = IPv6Network("2000::/3")
#: Public by their numbers, yet they lead elsewhere: to protocols' own ends, to IPv4 behind a gateway (6to4 and its
#: relays), to documentation, to benchmarks. The library's `is_global` knows some of them in some releases.
_NOT_PUBLIC: Final[tuple[Network, ...]] = tuple(
    ip_network(text)
    for text in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
)


def is_public(address: Address) -> bool:
    """Whether anybody in the internet may be reached there: one host, by no detour."""
    if address.is_multicast or not address.is_global:
        return False
    if isinstance(address, IPv6Address) and address not in _IPV6_GLOBAL:
        return False
    return not any(address in network for network in _NOT_PUBLIC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """Where requests may go.

    Attributes:
        schemes: Of http and https.
        ports: Those that are taken, whatever the address.
        networks: Not public, and allowed all the same: the operator's own.
    """

    schemes: frozenset[str] = frozenset({"https"})
    ports: frozenset[int] = frozenset({443})
    networks: Sequence[Network] = ()

    def permits(self, address: Address) -> bool:
        """Whether a connection may go there."""
        plain = _unmapped(address)
        return is_public(plain) or any(plain in network for network in self.networks)


@dataclass(frozen=True, slots=True)
class Destination:
    """An address that is allowed as far as its text goes; what its name resolves to is looked at when it is sent to.

    Attributes:
        host: A name or a number, without brackets.
        target: Path and query, as they are sent.
    """

    scheme: str
    host: str
    port: int
    target: str


def destination(url: str, allowed: Allowed) -> Destination:
    """Take an address apart.

    Raises:
        UrlNotAllowed: With its fault; `address` is told only once a name is resolved.
    """
    if len(url) > MAX_URL or not _VISIBLE.fullmatch(url) or "\\" in url:
        raise UrlNotAllowed("form")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UrlNotAllowed("form") from None
    if parts.scheme not in allowed.schemes or parts.scheme not in _DEFAULT_PORTS:
        raise UrlNotAllowed("scheme")
    if "@" in parts.netloc:
        raise UrlNotAllowed("credentials")
    if not host or not _HOST.fullmatch(host) or parts.fragment:
        raise UrlNotAllowed("form")
    port = _DEFAULT_PORTS[parts.scheme] if port is None else port
    if port not in allowed.ports:
        raise UrlNotAllowed("port")
    path = parts.path or "/"
    return Destination(parts.scheme, host, port, f"{path}?{parts.query}" if parts.query else path)


def _unmapped(address: Address) -> Address:
    """An IPv4 address that is written as IPv6 is what it stands for."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped
