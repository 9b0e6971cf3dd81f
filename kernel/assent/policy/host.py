"""The host that a text really names, whatever it looks like."""

import functools
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443, "ftp": 21, "ssh": 22, "sftp": 22}
# What stands behind :// is a host with these; with others it may be a bucket, a folder, a data set of anybody's.
_HOSTED = frozenset(
    {
        *_PORTS, "ftps", "git", "rsync", "postgres", "postgresql", "mysql", "mariadb", "redis", "rediss", "mongodb",
        "amqp", "amqps", "mqtt", "ldap", "ldaps", "smtp", "smtps", "imap", "imaps",
    }
)  # fmt: skip
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)")  # what some programs read as an address: 127.1, 0x7f000001
_PLAIN = re.compile(r"[!-\[\]-~]+")  # no space, no control character, no backslash, ASCII only


@dataclass(frozen=True, slots=True)
class Host:
    """A name in small letters, or an address as it is written shortest; `port` None where nothing says which."""

    name: str
    port: int | None = None


@functools.lru_cache(maxsize=1024)
def host_of(text: str) -> Host | None:
    """The host of a URL, of `host:port` or of a bare host.

    None for whatever programs read differently from one another: backslashes, letters that look like others, several
    "@", addresses written as one number, schemes that may name no host (file, s3). Whoever asks must take the strict
    side then.
    """
    if not _PLAIN.fullmatch(text) or text.count("@") > 1:
        return None
    scheme = _SCHEME.match(text)
    if scheme is None and (text.startswith("/") or "@" in text):
        return None
    if scheme is not None and scheme[1].lower().partition("+")[0] not in _HOSTED:
        return None
    try:
        parts = urlsplit(text if scheme else f"//{text}")
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    known = _name(name)
    if known is None or (scheme is None and ":" in text and port is None and not text.startswith("[")):
        return None  # javascript:…, host:
    return Host(known, port or (_PORTS.get(scheme[1].lower()) if scheme else None))


def _name(name: str) -> str | None:
    name = name.lower().removesuffix(".")
    if _NAME.fullmatch(name) and not _NUMBER.fullmatch(name):
        return name
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


def one_of(patterns: Iterable[str]) -> "Hosts":
    """Hosts by name, with `:port` where only that one is meant, `*.name` for all below a name; ValueError if wrong."""
    exact: set[Host] = set()
    below: set[Host] = set()
    for pattern in patterns:
        found = host_of(pattern.removeprefix("*."))
        if found is None or "/" in pattern or "@" in pattern:
            raise ValueError(f'{pattern!r} is no host: write "example.com", "example.com:8443" or "*.example.com"')
        (below if pattern.startswith("*.") else exact).add(found)
    return Hosts(frozenset(exact), frozenset(below))


@dataclass(frozen=True, slots=True)
class Hosts:
    """Some hosts, each exactly; and all whose names end in those `below`."""

    exact: frozenset[Host]
    below: frozenset[Host]

    def holds(self, text: str) -> bool | None:
        """Whether it names one of them; None where that cannot be told."""
        host = host_of(text)
        if host is None:
            return None
        anywhere = Host(host.name)
        if host in self.exact or anywhere in self.exact:
            return True
        if any(host.name.endswith(f".{item.name}") and item.port in (None, host.port) for item in self.below):
            return True
        return None if host.port is None and self._has(host.name) else False

    def _has(self, name: str) -> bool:
        """Whether it is listed for certain ports, and it is not said which one is meant."""
        ends = any(name.endswith(f".{item.name}") for item in self.below)
        return ends or any(item.name == name for item in self.exact)
