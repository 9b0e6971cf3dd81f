"""Which sources a trusted KIND:NAME means: exactly that one, or those of a glob, if it is written as one."""

import functools
import os
import re
from collections.abc import Iterable, Sequence
from urllib.parse import SplitResult, urlsplit

from assent.core.canonical import digest
from assent.core.errors import ConfigError
from assent.core.taint import Source, Sources
from assent.core.trust import Trust
from assent.core.waiver import moment
from assent.policy.entry import Entry
from assent.policy.host import Host, host_of, one_of

_KIND = re.compile(r"([A-Za-z][A-Za-z_-]*):(?!//)(.*)", re.DOTALL)
_GLOB = re.compile(r"\*\*|\*|\?")
_EXPRESSIONS = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
_USUAL = (None, 80, 443)  # the ports that a host without one means
_KEYS = ("source", "reason", "until")
_EXAMPLES = "file:data/orders.csv, web:api.example.com, https://host/page, agent:NAME, tool:NAME"


def spelt(text: str) -> str:
    """A source as people write it, as KIND:NAME: a URL is of the web, what has no kind is a file.

    A file's path is made absolute and its links are followed, so that what is trusted is what is there now.
    `ConfigError` where nothing can be meant by it.
    """
    kind, name = _parted(text)
    if kind == "file":
        return f"file:{_resolved(name)}"
    if kind == "web":
        _check_address(name)
    return f"{kind}:{name}"


def _parted(text: str) -> tuple[str, str]:
    """Kind and name of what people write; `ConfigError` where it names nothing, or all that there is of its kind."""
    found = _KIND.fullmatch(text.strip())
    kind, name = (found[1].lower(), found[2]) if found else ("web" if "://" in text else "file", text.strip())
    if not name.strip("/."):
        raise ConfigError(f"{text!r} names no source: write {_EXAMPLES}.")
    if not name.strip("*?/.") or (kind == "mail" and not name.strip("*?/.@")):
        raise _too_broad(text)
    return kind, name


def _too_broad(text: str) -> ConfigError:
    return ConfigError(f"{text!r} would trust whatever comes, from anybody: name the sources, {_EXAMPLES}.")


def untrusted(sources: Sources, trusts: Iterable[Trust]) -> Sources:
    """The sources that nothing of `trusts` covers."""
    believed = tuple([item.source for item in trusts])
    return _untrusted(sources, believed) if believed else sources


@functools.lru_cache(maxsize=64)  # it is asked for each decision, and changes with what is read or trusted only
def _untrusted(sources: Sources, believed: tuple[str, ...]) -> Sources:
    return tuple([source for source in sources if not any(covers(spec, source) for spec in believed)])


def covers(trusted: str, source: Source) -> bool:
    """Whether KIND:NAME, as `spelt` gives it, means a source."""
    kind, _, name = trusted.partition(":")
    if kind != source.kind:
        return False
    return _reaches(name, source.name) if kind == "web" else _matches(name, source.name)


def read_trust(entries: Sequence[Entry]) -> tuple[Trust, ...]:
    """`[[trust]]`: source, reason, until. The organisation's alone: a workspace's file may be a stranger's."""
    return tuple([_read(entry) for entry in entries])


def _read(entry: Entry) -> Trust:
    entry.check_keys(_KEYS)
    if entry.layer != "organisation":
        raise entry.error(
            "trust loosens, and a workspace's policy may be a stranger's: type %agent trust SOURCE in the notebook, "
            "or write it into the organisation's file."
        )
    if missing := [key for key in _KEYS if key not in entry.values]:
        raise entry.error(f"trust needs {missing[0]}: source, reason and until.")
    values = entry.values
    try:
        source = _everywhere(str(values["source"]))
        until = moment(values["until"])
        return Trust(digest(dict(values))[:6], source, values["reason"], entry.rule, until, "workspace")
    except ConfigError as error:
        raise entry.error_about(error) from None


def _everywhere(text: str) -> str:
    """`spelt`, of a file that holds for every user and in every folder."""
    kind, name = _parted(text)
    if kind == "file" and not name.startswith("/"):
        raise ConfigError(
            f"{text!r} is another file for each user and in each folder: write the whole path, file:/srv/data/*.csv."
        )
    return spelt(text)


def _matches(pattern: str, name: str) -> bool:
    """Equal, or of the glob, if it is one: neither * nor ? passes a slash, and ** does."""
    if _GLOB.search(pattern) is None:
        return pattern == name
    pieces = _GLOB.sub(lambda found: f"\0{found[0]}\0", pattern).split("\0")
    expression = "".join([_EXPRESSIONS.get(piece) or re.escape(piece) for piece in pieces])
    return re.fullmatch(expression, name, re.DOTALL) is not None


def _reaches(trusted: str, name: str) -> bool:
    """Whether an address is on the trusted host, and is the trusted page where that is a URL."""
    there, here = _parts(trusted), _parts(name)
    if there is None or here is None or (host := host_of(name)) is None or not _is_of(there.netloc, host, there.scheme):
        return False
    if here.scheme not in ((there.scheme,) if there.scheme else ("", "http", "https", "ws", "wss")):
        return False
    if there.path in ("", "/") and not there.query:
        return True
    steps = [step.partition(";")[0] for step in here.path.split("/")]
    if ".." in steps or "%" in here.path:  # servers differ in what that means
        return False
    return _matches(there.path, here.path) and _matches(there.query, here.query)


def _is_of(netloc: str, host: Host, scheme: str) -> bool:
    hosts = one_of([netloc])
    [known] = hosts.exact or hosts.below
    wanted = (known.port,) if known.port else ({"http": 80, "https": 443}[scheme],) if scheme else _USUAL
    return host.port in wanted and (Host(host.name, known.port) in hosts.exact or any(
        host.name.endswith(f".{item.name}") for item in hosts.below
    ))  # fmt: skip


def _parts(text: str) -> SplitResult | None:
    try:
        return urlsplit(text if "://" in text else f"//{text}")
    except ValueError:
        return None


def _check_address(name: str) -> None:
    parts = _parts(name)
    if parts is None or parts.scheme not in ("", "http", "https") or (not parts.scheme and parts.path not in ("", "/")):
        raise ConfigError(f"{name!r} is no host and no URL: write web:api.example.com or https://host/page.")
    if not parts.netloc.isascii():
        raise ConfigError(f"{name!r} has letters that others look like: write the host as it is asked for, xn--….")
    try:
        hosts = one_of([parts.netloc])
    except ValueError as error:
        raise ConfigError(f"{error}.") from None
    if any("." not in item.name for item in hosts.below):
        raise _too_broad(name)


def _resolved(name: str) -> str:
    """The path without links; of a glob, that of the folder before its first sign."""
    expanded = os.path.expanduser(name)
    if expanded.startswith("~"):
        raise ConfigError(f"{name!r} begins with nobody's home: write the whole path, or ./{name} if it is called so.")
    path = os.path.abspath(expanded)
    if (glob := _GLOB.search(path)) is None:
        return os.path.realpath(path)
    folder, _, rest = path[: glob.start()].rpartition("/")
    resolved = f"{os.path.realpath(folder or '/').rstrip('/')}/{rest}{path[glob.start() :]}"
    if not resolved.strip("*?/") or any(sign in resolved.split("/")[1] for sign in "*?"):
        raise _too_broad(name)
    return resolved
