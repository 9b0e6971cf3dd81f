"""Checkpoints that may be killed at any moment: what DuckDB writes over is set aside first.

DuckDB 2.0 puts new metadata into blocks of which the header on the disk still needs other parts. Killed within such
a write, it leaves a block whose checksum is wrong and a file that does not open, though its log is whole. So these
blocks are copied beside the file before, and put back when it is opened with the header from before: a doublewrite
buffer, as InnoDB has (https://dev.mysql.com/doc/refman/8.4/en/innodb-doublewrite-buffer.html).
"""

import contextlib
import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import duckdb

from assent.store.disk import sync

ASIDE = ".aside"  # behind the database file's name: its headers and blocks from before; empty if it was not there
LOG = ".wal"  # what DuckDB calls the log of commits that are not in its file yet, behind the file's name
DUE = 16_000_000  # bytes of the log that are worth a checkpoint: DuckDB's own default
_HEADERS = 3 * 4096  # bytes: one that says what the file is, two that are in force by turns; the blocks follow
_PART = struct.Struct("<QQ")  # offset and length of what was copied, which follows
_BLOCKS = """
    SELECT block_id, block_size FROM pragma_metadata_info(), (SELECT block_size FROM pragma_database_size()) AS size"""


class Doublewrite:
    """The checkpoints of an open database file, all of them: DuckDB is to make none by itself."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = path.with_name(path.name + LOG)
        self._file: IO[bytes] | None = None
        self._failed = False
        self._next = self._waiting() + DUE

    def due(self) -> bool:
        """Whether the log has grown enough since it was last tried."""
        return self._waiting() >= self._next

    def checkpoint(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Put what the log holds into the file, unless there is no room to set aside.

        After a `duckdb.Error` the file has to be opened anew, which puts back what was set aside.
        """
        if self._failed or not self._waiting():
            return
        aside = self._path.with_name(self._path.name + ASIDE)
        try:
            self._set_aside(connection, aside)
        except OSError:
            with contextlib.suppress(OSError):
                aside.unlink()
        else:
            try:
                connection.execute("CHECKPOINT")
            except duckdb.Error:
                self._failed = True  # what is aside is needed now
                raise
            with contextlib.suppress(OSError):  # it is of no use any more, and the header says so
                aside.unlink()
        self._next = self._waiting() + DUE

    def close(self) -> None:
        """Once the connection is closed: whoever closes any handle of a file gives up the process's lock on it."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _waiting(self) -> int:
        try:
            return self._log.stat().st_size
        except OSError:  # there is none
            return 0

    def _set_aside(self, connection: duckdb.DuckDBPyConnection, aside: Path) -> None:
        blocks = connection.execute(_BLOCKS).fetchall()
        self._file = self._file or self._path.open("rb", buffering=0)  # a buffer would have what was there before
        digest = hashlib.sha256()
        aside.unlink(missing_ok=True)  # whatever lies or points there
        with aside.open("xb") as copy:
            for offset, length in [(0, _HEADERS), *[(_HEADERS + number * size, size) for number, size in blocks]]:
                self._file.seek(offset)
                content = self._file.read(length)
                for part in (_PART.pack(offset, len(content)), content):
                    digest.update(part)
                    copy.write(part)
            copy.write(digest.digest())
        sync(aside)
        sync(aside.parent)


@contextlib.contextmanager
def opening(path: Path) -> Iterator[None]:
    """Around opening a database file: what a kill has left half done is undone, and it may come again here."""
    aside = path.with_name(path.name + ASIDE)
    if aside.exists():
        _undo(aside, path)
        aside.unlink()
    if not path.exists():
        aside.touch()  # nothing was there before
    yield
    aside.unlink(missing_ok=True)


def _undo(aside: Path, path: Path) -> None:
    if not path.exists():
        return
    if aside.stat().st_size:
        _put_back(aside, path)
    elif path.stat().st_size < _HEADERS:
        path.unlink()  # DuckDB had not finished making it


def _put_back(aside: Path, path: Path) -> None:
    """Nothing, if setting aside was not finished, or the checkpoint was."""
    content = aside.read_bytes()
    content, digest = content[:-32], content[-32:]
    if not content or hashlib.sha256(content).digest() != digest:
        return
    (_, headers), *blocks = _parts(content)
    with path.open("r+b") as file:
        if file.read(len(headers)) != headers:
            return
        for offset, block in blocks:
            file.seek(offset)
            file.write(block)
    sync(path)


def _parts(content: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place < len(content):
        offset, length = _PART.unpack_from(content, place)
        place += _PART.size + length
        yield offset, content[place - length : place]
