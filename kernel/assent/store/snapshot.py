"""A copy of an open database, as it is between two commits."""

import subprocess
import sys
from pathlib import Path
from typing import Protocol

import duckdb

from assent.core.errors import StoreError
from assent.store.database import FILE
from assent.store.doublewrite import LOG

# In a process of its own: to open and close the file here would give up this process's lock on it.
_COPY = """
import shutil, sys
try:
    shutil.copyfile(*sys.argv[1:])
except OSError as error:
    sys.exit(error.strerror or str(error))
"""


class Opened(Protocol):
    """What an act of upkeep is given: the database, on the thread that writes, so that no commit comes between."""

    folder: Path
    connection: duckdb.DuckDBPyConnection

    def checkpoint(self) -> None: ...

    def reopen(self) -> None: ...


def snapshot(opened: Opened, target: str) -> None:
    """Copy the database to the file `target`; commits wait meanwhile.

    The copy is as a crash would have left it: opening it puts the log into the file.
    """
    source = opened.folder / FILE
    log = source.with_name(source.name + LOG)
    _copied(source, target)
    Path(target + LOG).unlink(missing_ok=True)  # of an attempt before
    if log.exists():
        _copied(log, target + LOG)


def _copied(source: Path, target: str) -> None:
    command = [sys.executable, "-I", "-S", "-c", _COPY, str(source), target]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StoreError(
            f"{source.name} could not be copied to {target}: {done.stderr.strip()}. Choose a place with enough room."
        )
