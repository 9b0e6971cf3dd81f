"""Which payloads beside the journal it names, and what becomes of the others."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

AGE = 600.0  # seconds that a payload is left alone: the event that names it may not be committed yet

_NAME = re.compile(r"[0-9a-f]{64}")
# Whatever looks like a name: too much is kept rather than too little.
_NAMED = """SELECT DISTINCT unnest(regexp_extract_all(CAST(body AS VARCHAR), '[0-9a-f]{64}')) FROM events
    WHERE seq > ? AND seq <= ?"""
_PORTION = 100_000  # rows


def named(select: Callable[[str, Sequence[Any]], list[tuple[Any, ...]]], folder: Path) -> dict[str, Path]:
    """The payloads that are there and that the journal names, in its bodies or in payloads that they name."""
    there = {path.parent.name + path.name: path for path in files(folder)}
    [(last,)] = select("SELECT coalesce(max(seq), 0) FROM events", ())
    found: dict[str, Path] = {}
    for begin in range(0, last, _PORTION):
        waiting = [name for (name,) in select(_NAMED, (begin, begin + _PORTION))]
        while waiting:
            name = waiting.pop()
            if name in there and name not in found:
                found[name] = there[name]
                waiting.extend(_inside(there[name]))
    return found


def files(folder: Path) -> Iterator[Path]:
    """The files in a folder of payloads, unfinished ones among them."""
    return (path for path in folder.glob("??/*") if path.is_file())


def sweep(folder: Path, kept: dict[str, Path]) -> tuple[int, int]:
    """Remove the payloads that are not `kept`, but young ones; how many there were, and their bytes."""
    count = size = 0
    for path in list(files(folder)):
        status = path.stat()
        if path.parent.name + path.name not in kept and time.time() - status.st_mtime > AGE:
            path.unlink()
            count, size = count + 1, size + status.st_size
    return count, size


def _inside(path: Path) -> list[str]:
    """The names in a payload that is the body of an event; other payloads (pictures) name nothing."""
    data = path.read_bytes()
    return _NAME.findall(data.decode("utf-8", "replace")) if data[:1] == b"{" else []
