"""What an auditor is handed: a workspace, its database, a backup or an export, opened as a copy; nothing is changed."""

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from assent.core.config import FOLDER
from assent.core.errors import StoreError
from assent.store import database, export, journal, restore
from assent.store.chain import Select
from assent.store.doublewrite import ASIDE, LOG
from assent.store.schema import TABLE
from assent.store.tampering import MOST, Finding

_PORTION = 10_000  # rows
_TABLES = f"SELECT count(*) FROM duckdb_tables() WHERE table_name = '{TABLE}' AND schema_name = 'main'"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A journal to read; `folder` has its payloads, None if they are not at hand; `findings` of reading it."""

    select: Select
    folder: Path | None
    findings: list[Finding]


@contextmanager
def opened(path: Path) -> Iterator[Evidence]:
    """The journal that `path` is, of whatever form; `StoreError` if it is none."""
    if not path.exists():
        raise StoreError(f"{path} is not there. Give a workspace, its {database.FILE}, a backup or an export.")
    with tempfile.TemporaryDirectory(prefix="assent-audit-") as name:
        scratch = Path(name)
        copy = scratch / database.FILE
        findings: list[Finding] = []
        try:
            folder = _copied(path, scratch, findings)
            connection = database.connect(copy)
        except OSError as error:
            raise StoreError(f"{path} could not be read: {error.strerror or error}.") from None
        except StoreError as error:
            raise StoreError(str(error).replace(str(copy), str(path))) from None
        try:
            yield Evidence(_selecting(connection, path), folder, findings)
        finally:
            connection.close()


def _copied(path: Path, scratch: Path, findings: list[Finding]) -> Path | None:
    """Put the database where it is opened; the folder that has its payloads."""
    path = path.resolve()
    if path.is_dir():
        places = [path / database.FILE, path / FOLDER / database.FILE]
        path = next((place for place in places if place.is_file()), places[0])
    if path.name == database.FILE and journal.is_open(path.parent):  # to open and close it would give up its lock
        raise StoreError(f"The workspace {path.parent} is open here: %agent verify without a file verifies it.")
    if _is_database(path):
        shutil.copyfile(path, scratch / database.FILE)
        for end in (LOG, ASIDE):
            beside = path.with_name(path.name + end)
            if beside.exists():
                shutil.copyfile(beside, scratch / (database.FILE + end))
        return path.parent
    if zipfile.is_zipfile(path):
        restore.unpacked(path, scratch)
        return scratch
    _loaded(path, scratch / database.FILE, findings)
    return None


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(12)[8:] == b"DUCK"


def _loaded(path: Path, target: Path, findings: list[Finding]) -> None:
    """Put the events of an export into a database of their own."""
    connection = database.connect(target)
    try:
        with path.open(encoding="utf-8", errors="replace") as text:
            appender, waiting, count = connection.appender(TABLE), list[tuple[Any, ...]](), 0
            for item in export.rows(text):
                if isinstance(item, Finding):
                    findings[:] = [*findings, item][: MOST + 1]
                    continue
                waiting.append(item)
                count += 1
                if len(waiting) >= _PORTION:
                    appender.append_rows(waiting)
                    waiting = []
            appender.append_rows(waiting)
            appender.flush()
    except (duckdb.Error, OverflowError) as error:
        raise StoreError(f"{path} is no export of Assent: {str(error).splitlines()[0]}.") from None
    finally:
        connection.close()
    if not count:
        raise StoreError(f"{path} is no workspace, database, backup or export of Assent: it has no events.")


def _selecting(connection: duckdb.DuckDBPyConnection, path: Path) -> Select:
    def select(query: str, parameters: Any) -> list[tuple[Any, ...]]:
        try:
            return connection.execute(query, parameters).fetchall()
        except duckdb.Error as error:
            raise StoreError(f"{path} could not be read: {str(error).splitlines()[0]}.") from None

    if select(_TABLES, ()) != [(1,)]:  # a view in its place could say something else each time
        raise StoreError(f"{path} has no table of events: somebody has put something else in its place.")
    return select
