"""A lock between processes: whoever holds the file's lock works alone; the system lets go of it if the holder dies."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Wait for the lock on `path`, then hold it for the length of the block."""
    with path.open("ab") as file:
        while not _locked(file):
            time.sleep(0.2)
        yield


@contextmanager
def tried(path: Path) -> Iterator[bool]:
    """Hold the lock on `path` for the length of the block if nobody else does; whether that is so."""
    file = taken(path)
    try:
        yield file is not None
    finally:
        if file is not None:
            file.close()


def taken(path: Path) -> IO[bytes] | None:
    """The lock on `path`, until the file is closed; None if somebody else has it."""
    file = path.open("ab")
    if _locked(file):
        return file
    file.close()
    return None


def _locked(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
