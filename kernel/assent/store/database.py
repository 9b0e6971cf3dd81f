"""Opening a workspace's DuckDB file: locked down, up to date, every failure said in one sentence."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from assent.core.errors import StoreError, WorkspaceCorrupt, WorkspaceLocked, WorkspaceNewer
from assent.store.doublewrite import opening
from assent.store.schema import MIGRATIONS, VERSION, views

Checkpoint = Callable[[duckdb.DuckDBPyConnection], None]

FILE = "assent.duckdb"  # in the workspace's folder

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 2,
    "memory_limit": "256MB",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
}
# In a Jupyter kernel DuckDB would put its progress bar under the cell that is running.
_SETTLED = "SET enable_progress_bar = false; SET lock_configuration = true"

# The journal's own connection does nothing but insert, which is a tenth cheaper to plan so; cursors are not concerned.
_INSERTING = "PRAGMA disable_optimizer; "

# Where somebody else sees to the checkpoints: none when the log has grown, none at the end.
_UNATTENDED = "SET checkpoint_threshold = '1 TB'; PRAGMA disable_checkpoint_on_shutdown; "

# Asking the catalog would take longer than all the rest of opening: DuckDB then describes its own hundred views first.
_PRESENT = "SELECT max(version), max(views) FROM schema_version"


def connect(path: Path, checkpoint: Checkpoint | None = None) -> duckdb.DuckDBPyConnection:
    """Open (or create) the database at `path` for this process alone, migrated to the present schema.

    With `checkpoint`, only that puts into the file what the log holds; else DuckDB does, when it thinks fit.
    """
    connection = _open(path)
    try:
        connection.execute(_INSERTING + ("" if checkpoint is None else _UNATTENDED) + _SETTLED)
        if _migrate(connection, path):
            (checkpoint or _checkpoint)(connection)
    except duckdb.Error as error:
        connection.close()
        raise _translated(error, path) from None
    except BaseException:
        connection.close()
        raise
    return connection


def memory() -> duckdb.DuckDBPyConnection:
    """A locked-down database in memory: no files, no network, no extensions."""
    connection = duckdb.connect(config=_SETTINGS)
    connection.execute(_SETTLED)
    return connection


def selecting(connection: duckdb.DuckDBPyConnection) -> Callable[[str, Any], list[tuple[Any, ...]]]:
    """Reading by a connection that nobody else uses, in the form of `Journal.select`."""
    return lambda query, parameters: connection.execute(query, parameters).fetchall()


def _checkpoint(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CHECKPOINT")


def _migrate(connection: duckdb.DuckDBPyConnection, path: Path) -> bool:
    """Bring the schema to `VERSION` in one transaction, if it is not; refuse a workspace from a later version."""
    statements = views(path.stem)
    digest = hashlib.sha256(repr(statements).encode()).hexdigest()
    present, described = _found(connection)
    if (present, described) == (VERSION, digest):
        return False
    if present > VERSION:
        raise WorkspaceNewer(
            f"The workspace {path} was written by a newer Assent (schema {present}, this one knows {VERSION}). "
            "Upgrade Assent, or set ASSENT_WORKSPACE to another folder."
        )
    connection.execute("BEGIN")
    for version in range(present + 1, VERSION + 1):
        for statement in MIGRATIONS[version]:
            connection.execute(statement)
        connection.execute("INSERT INTO schema_version (version) VALUES (?)", [version])
    if described != digest:  # to make them takes longer than all the rest of opening
        for statement in statements:
            connection.execute(statement)
        connection.execute("UPDATE schema_version SET views = ?", [digest])
    connection.execute("COMMIT")
    return present < VERSION


def _found(connection: duckdb.DuckDBPyConnection) -> tuple[int, str | None]:
    """The schema's version, 0 where there is none, and the digest of its views."""
    connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER)")
    try:
        [(version, described)] = connection.execute(_PRESENT).fetchall()
    except duckdb.BinderException:  # of before version 3
        [(version, described)] = connection.execute("SELECT max(version), NULL FROM schema_version").fetchall()
    return version or 0, described


def _open(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with opening(path):
            return duckdb.connect(str(path), config=_SETTINGS)
    except OSError as error:
        raise StoreError(
            f"The workspace folder {path.parent} cannot be made or written: {error.strerror}. "
            "Set ASSENT_WORKSPACE to a folder you may write to."
        ) from None
    except duckdb.Error as error:
        raise _translated(error, path) from None


def _translated(error: duckdb.Error, path: Path) -> StoreError:
    text = str(error).replace(str(path), path.name)  # a folder's name must not decide what the error is
    low = text.lower()
    if "could not set lock" in low or "used by another process" in low:
        holder = re.search(r"PID (\d+)", text)
        who = f"process {holder[1]}" if holder else "another process"
        return WorkspaceLocked(
            f"The workspace {path.parent} is in use by {who}, most likely another notebook's kernel. "
            "Shut that kernel down, or set ASSENT_WORKSPACE to another folder for this one."
        )
    if "newer version" in low:
        return WorkspaceNewer(
            f"The workspace {path} was written by a newer DuckDB. Upgrade with `pip install -U assent`."
        )
    if "permission denied" in low or "read-only file system" in low:
        return StoreError(f"The workspace {path} may not be written. Set ASSENT_WORKSPACE to another folder.")
    if "could not write" in low or "no space left" in low:
        return StoreError(
            f"The workspace {path} could not be written: {text.splitlines()[0][:200]}. "
            "Free some space, or set ASSENT_WORKSPACE to a folder on another disk."
        )
    return WorkspaceCorrupt(
        f"The workspace {path} is damaged and was left untouched ({text.splitlines()[0][:200]}). "
        "Restore it from a backup, or move the file away to begin a new one."
    )
