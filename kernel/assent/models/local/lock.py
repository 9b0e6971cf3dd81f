"""A lock between processes: whoever holds the file's lock works alone; the system lets go of it if the holder dies."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
    import time
else:
    import fcntl


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Wait for the lock on `path`, then hold it for the length of the block."""
    with path.open("ab") as file:
        if sys.platform == "win32":
            while True:
                try:
                    msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
                    break
                except OSError:
                    time.sleep(0.2)
        else:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
