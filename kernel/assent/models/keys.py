"""Keys and addresses of vendors: from the environment, else from `.env`, else, keys alone, from the system's keyring.

A folder may have been written by somebody else. So `.env` and `config.toml` never send a key of the user's to an
address of theirs: an address from `.env` holds only for a key from the same file.
"""

import contextlib
import importlib.util
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from io import StringIO
from pathlib import Path
from urllib.parse import unquote, urlsplit

from assent.core.config import workspace_folder
from assent.core.errors import ConfigError
from assent.core.secrets import remember
from assent.models import endpoints
from assent.models.endpoints import CUSTOM, ENDPOINTS, Endpoint

ENVIRONMENT = "the environment"
KEYRING = "the keyring"
SERVICE = "assent"  # `keyring set assent OPENAI_API_KEY`
PATIENCE = 2.0  # seconds for a keyring, which may be waiting for somebody to unlock it
LARGEST = 1_000_000  # bytes of a `.env`


@dataclass(frozen=True, slots=True)
class Access:
    """How a vendor is reached. `source` says where the key is from, "" where there is none."""

    base_url: str
    key: str = field(default="", repr=False)
    source: str = ""

    @property
    def place(self) -> str:
        """The address, without the name and password that it may hold."""
        return self.base_url.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class _Source:
    name: str
    values: Mapping[str, str] = field(repr=False)
    trusted: bool = True


def access(endpoint: Endpoint, folder: Path | None = None) -> Access:
    """The key of a vendor and where it answers. `folder` is the workspace's, None for the one that is found from here.

    `ConfigError` where a `.env` names an address for a key that is not its own.
    """
    sources = _sources(folder)
    found = _key(endpoint, sources, ring=True)  # by itself, a traceback with local variables would show the key
    remember(found.key)
    url = _address(endpoint, sources, found.source)
    remember(*passwords(url))
    return replace(found, base_url=url)


def keyed(folder: Path | None = None, *, ring: bool) -> Iterator[Endpoint]:
    """The vendors that there is a key for, in the table's order; without `ring` the keyring is left alone."""
    sources = _sources(folder)
    return (endpoint for endpoint in ENDPOINTS if _key(endpoint, sources, ring).key)


def learn(folder: Path | None = None) -> None:
    """Know every key of the environment and `.env` for a secret, whether a model needs it or not."""
    names = {name for endpoint in (*ENDPOINTS, CUSTOM) for name in endpoint.keys}
    for source in _sources(folder):
        remember(*[source.values.get(name, "").strip() for name in names])


def _key(endpoint: Endpoint, sources: Iterable[_Source], ring: bool) -> Access:
    for source in sources:
        if key := endpoints.key(endpoint, source.values):
            return Access("", key, source.name)
    # Not for a server of one's own: a key that lies there for good would go wherever any folder's settings say.
    found = _in_keyring(endpoint.keys) if ring and endpoint.base_url else {}
    key = endpoints.key(endpoint, found)
    return Access("", key, KEYRING if key else "")


def _address(endpoint: Endpoint, sources: Iterable[_Source], key_from: str) -> str:
    for source in sources:
        if not (url := endpoints.base_url(endpoint, source.values)):
            continue
        if source.trusted or source.name == key_from or not endpoint.keys:
            return url
        raise ConfigError(
            f"{source.name} names an address for {endpoint.title} and not the key that goes there: put "
            f"{' or '.join(endpoint.bases)} and {' or '.join(endpoint.keys)} in the same place."
        )
    return endpoint.base_url


def passwords(url: str) -> list[str]:
    """The password that a URL may hold, as it is written and as it is sent."""
    try:
        password = urlsplit(url).password or ""
    except ValueError:
        return []
    return [password, unquote(password)]


def _sources(folder: Path | None) -> list[_Source]:
    places = [(folder or workspace_folder()).absolute().parent]
    with contextlib.suppress(FileNotFoundError):  # the current folder may be gone
        places.append(Path.cwd())
    files = [place / ".env" for place in dict.fromkeys(places)]
    found = [_Source(str(file), values, trusted=False) for file in files if (values := _in_file(file))]
    return [_Source(ENVIRONMENT, os.environ), *found]


def _in_file(path: Path) -> Mapping[str, str]:
    """The settings of a `.env`, none where it cannot be read."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        stat = path.stat()
        if path.is_file() and stat.st_size <= LARGEST:
            return _read(path, stat.st_mtime_ns, stat.st_size)
    return {}


@lru_cache(maxsize=4)
def _read(path: Path, modified: int, size: int) -> Mapping[str, str]:
    from dotenv import dotenv_values  # rarely needed

    # Without interpolation: ${OPENAI_API_KEY} in an address would be the user's own key.
    values = dotenv_values(stream=StringIO(path.read_text("utf-8-sig")), interpolate=False)
    return {name: value for name, value in values.items() if value}


_from_keyring: dict[str, str] = {}
_looking = threading.Lock()


def _in_keyring(names: Iterable[str]) -> Mapping[str, str]:
    """What the system's keyring holds under these names; each is looked up once in a process."""
    with _looking:
        missing = [name for name in names if name not in _from_keyring]
        if missing and importlib.util.find_spec("keyring"):
            _from_keyring.update(_asked(missing))
        return {name: _from_keyring.get(name, "") for name in names}


def _asked(names: list[str]) -> Mapping[str, str]:
    """Ask in a thread, which may hang as long as it likes: a keyring can wait for a password that nobody enters."""
    found = dict.fromkeys(names, "")

    def look() -> None:
        try:
            import keyring  # optional, and 0.1 s to import

            for name in names:
                found[name] = keyring.get_password(SERVICE, name) or ""
        except BaseException:  # no backend, a locked one, one that crashes: there is no key then
            return

    thread = threading.Thread(target=look, name="assent-keyring", daemon=True)
    thread.start()
    thread.join(PATIENCE)
    every = {name: "" for endpoint in ENDPOINTS for name in endpoint.keys}
    return {**every, **found} if thread.is_alive() else dict(found)  # one that is silent is not asked for the others
