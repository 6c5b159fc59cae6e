"""Where deliveries may go: checked as text at creation, and as an address at every sending.

Deliveries carry personal data and come from inside the platform, so an
endpoint must neither be in clear nor lead back to internal services
(server-side request forgery). Names are resolved once by the sender, the
address found is checked here, and the connection goes to that very address.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from huitong.errors import BadRequest, Problem

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_NUMBER: Final = re.compile(r"(0x[0-9a-f]*|[0-9]+)")
_LOCAL_NAMES: Final = ("localhost", "local", "internal", "localdomain", "home.arpa")
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
#: IETF protocol assignments: Python calls parts of them global, a cloud keeps its metadata at 192.0.0.192.
_ASSIGNED: Final = ipaddress.ip_network("192.0.0.0/24")
_LONGEST: Final = 2_048


@dataclass(frozen=True, slots=True)
class EndpointRules:
    """``networks``: private networks (CIDR) of the government extranet that deliveries may go to.

    ``allow_local`` is for the local stack: plain http, loopback and private
    addresses. Link-local ones, where clouds keep credentials, are never allowed.
    """

    allow_local: bool = False
    networks: tuple[str, ...] = ()

    def permits(self, address: str) -> bool:
        """May a connection go to this address?"""
        ip = _embedded(ipaddress.ip_address(address.partition("%")[0]))
        if ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved or ip in _ASSIGNED:
            return False
        if any(ip in ipaddress.ip_network(network) for network in self.networks):
            return True
        if self.allow_local and (ip.is_private or ip.is_loopback):
            return True
        return ip.is_global


@dataclass(frozen=True, slots=True)
class Endpoint:
    scheme: str
    host: str
    port: int
    target: str  # path and query

    @property
    def authority(self) -> str:
        """As in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.scheme == "https" else 80
        return host if self.port == usual else f"{host}:{self.port}"


def checked(url: str, rules: EndpointRules) -> Endpoint:
    """The parts of a permitted endpoint. Raises BadRequest that says what is wrong with it."""
    if len(url) > _LONGEST or re.search(r"[^\x21-\x7e]|\\", url):
        raise _refused("须为 2048 个字符以内的 ASCII 网址", "must be ASCII of at most 2048 characters")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as error:
        raise _refused("不是网址", "is not a URL") from error
    if parts.scheme != "https" and not (parts.scheme == "http" and rules.allow_local):
        raise _refused("须以 https 开头", "must begin with https")
    if parts.username is not None or parts.password is not None:
        raise _refused("不得含用户名或口令", "must not hold a user name or a password")
    if parts.fragment:
        raise _refused("不得含 #", "must not hold a fragment")
    if port == 0:
        raise _refused("端口无效", "has no valid port")
    _check_host(host, rules)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Endpoint(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), target)


def _check_host(host: str, rules: EndpointRules) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        _check_name(host, rules)
        return
    if not rules.permits(host):
        raise _refused("不得指向内部地址", "must not point to an internal address")


def _check_name(name: str, rules: EndpointRules) -> None:
    labels = name.split(".")
    # "2130706433", "127.1", "0x7f.0.0.1": texts that some resolvers read as addresses
    if not name or not all(_LABEL.fullmatch(label) for label in labels) or _NUMBER.fullmatch(labels[-1]):
        raise _refused("主机名无效", "has no valid host name")
    local = len(labels) == 1 or any(name == known or name.endswith(f".{known}") for known in _LOCAL_NAMES)
    if local and not rules.allow_local:
        raise _refused("不得指向内部主机", "must not point to an internal host")


def _embedded(ip: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip.ipv4_mapped:
        return ip.ipv4_mapped
    if ip.sixtofour:
        return ip.sixtofour
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def _refused(zh: str, en: str) -> BadRequest:
    problem = Problem("subscription.endpoint", f"接收地址{zh}", f"The endpoint {en}", {"field": "endpoint"})
    return BadRequest(problem.zh, problem.en, problems=[problem])
