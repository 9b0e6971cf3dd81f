"""How a workspace is: what it takes on the disk, who has it open, what crashes have left behind."""

import contextlib
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from assent.core.errors import StoreError
from assent.store import backup, blobs, compact, database, payloads, restore
from assent.store.doublewrite import LOG
from assent.store.sharing import address

LITTLE = 500_000_000  # bytes free on the disk that are worth a warning
_COMMAND = 60  # signs of a command line that are shown


def space(folder: Path) -> str:
    """What the database, its log and the payloads take, and what is free; `StoreError` if that is little."""
    file = folder / database.FILE
    lying = [path.stat().st_size for path in payloads.files(folder / blobs.FOLDER)]
    parts = {"database": _size(file), "log": _size(file.with_name(file.name + LOG)), "payloads": sum(lying)}
    free = shutil.disk_usage(folder).free
    text = ", ".join([f"{name} {megabytes(size)}" for name, size in parts.items() if size])
    text += f"; {free / 1e9:.1f} GB free"
    if free < LITTLE:
        raise StoreError(f"{text}: that is little. Free some space, or forget what is old with `assent compact`.")
    return text


def holder(folder: Path) -> str:
    """Who says that it has the workspace open; "" where nobody does who lives."""
    found = address.read(folder)
    return told([{"process": found.pid, "role": "", "since": found.since}]) if found else ""


def told(holders: Iterable[Mapping[str, Any]]) -> str:
    """Processes (as `Journal.holders` gives them) as text: number, what they are for, command, since when."""
    return "; ".join([_told(item) for item in holders if _lives(item["process"])])


def leftovers(folder: Path) -> list[str]:
    """What crashes and restores have left, each with what to do about it."""
    beside = folder.parent
    places = ((folder, compact.PREFIX), (beside, restore.PREFIX), (beside, backup.PREFIX))
    half = [path for place, prefix in places for path in sorted(place.glob(f"{prefix}*"))]
    found = [f"{path} was left by a crash: remove it, unless that is going on just now" for path in half]
    if not folder.exists():
        kept = sorted(beside.glob(f"{folder.name}{restore.BEFORE}*"))
        found += [f"{path} is the workspace as it was: name it {folder.name} again" for path in kept[-1:]]
    return found


def megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _told(item: Mapping[str, Any]) -> str:
    role = {"owner": "owner", "guest": "shares it"}.get(item["role"], "holds it")
    names = ", ".join(filter(None, [role, item.get("title") or _command(item["process"])]))
    since = time.strftime("%Y-%m-%d %H:%M", time.localtime(item["since"]))
    return f"process {item['process']} ({names}) since {since}"


def _command(process: int) -> str:
    """Its command line, in one line, where the system tells it."""
    with contextlib.suppress(OSError):
        told = Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        words = " ".join(told.split())
        return words if len(words) <= _COMMAND else words[:_COMMAND] + "…"
    return ""


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0
