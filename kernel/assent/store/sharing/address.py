"""Where the process that holds a workspace can be reached: a file beside the database says it."""

import contextlib
import hashlib
import json
import os
import secrets
import stat
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from assent.core.version import VERSION

FILE = "holder.json"  # in the workspace's folder
_LONGEST = 72  # bytes of the folder of sockets: with their names, some systems take 103
PROTOCOL = 2  # of the messages between processes


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has the database open. `key` lets in whoever knows it; `since` is seconds since the epoch.

    `guests` are the processes that reach the database by this one, and will look for another way if it dies.
    """

    pid: int
    address: str
    key: str
    protocol: int = PROTOCOL
    version: str = VERSION
    since: float = field(default_factory=time.time)
    guests: Sequence[int] = ()


def here(folder: Path, guests: Iterable[int] = ()) -> Holder:
    """This process as a holder, at an address of its own."""
    return Holder(os.getpid(), _address(folder), secrets.token_hex(16), guests=sorted(guests))


def read(folder: Path) -> Holder | None:
    """Who says that it holds the workspace; it may be dead by now."""
    try:
        return Holder(**json.loads((folder / FILE).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def survivors(folder: Path) -> list[int]:
    """The processes that the last holder shared the workspace with, and that live."""
    holder = read(folder)
    return [] if holder is None else [guest for guest in holder.guests if _lives(guest)]


def write(folder: Path, holder: Holder) -> None:
    """Say where this process can be reached, to nobody but this user."""
    temporary = folder / f"{FILE}.{holder.pid}"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(holder), file)
    os.replace(temporary, folder / FILE)


def remove(folder: Path, holder: Holder) -> None:
    """Take back what `write` said, unless somebody else holds the workspace by now."""
    with contextlib.suppress(OSError):
        if read(folder) == holder:
            (folder / FILE).unlink()


def _lives(process: int) -> bool:
    if sys.platform == "win32":  # where to ask is to interrupt
        return True
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError, TypeError):
        return False
    return True


def _address(folder: Path) -> str:
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    if sys.platform == "win32":
        return rf"\\.\pipe\assent-{name}-{os.getpid()}-{secrets.token_hex(4)}"
    sockets = _sockets()
    for left in sockets.glob(f"{name}-*"):  # whoever listened there has died: this process holds the database now
        left.unlink(missing_ok=True)
    return str(sockets / f"{name}-{os.getpid()}")


def _sockets() -> Path:
    """A folder of this user alone; not the workspace's own, whose path may be too long for a socket."""
    for root in (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir()):
        folder = Path(root) / f"assent-{os.getuid()}"
        if folder.is_absolute() and len(os.fsencode(folder)) <= _LONGEST and _is_ours(folder):
            return folder
    return Path(tempfile.mkdtemp(prefix="assent-"))


def _is_ours(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return False
    return status.st_uid == os.getuid() and status.st_mode & 0o777 == 0o700 and stat.S_ISDIR(status.st_mode)
