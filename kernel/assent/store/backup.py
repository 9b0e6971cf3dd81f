"""A backup: one file that holds a workspace as it was at one moment.

A zip archive of the database, the payloads that it names, config.toml and `manifest.json`. Keys (.env) are never in it.
"""

import json
import os
import shutil
import tempfile
import zipfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from assent.core import version
from assent.core.errors import StoreError
from assent.store import blobs, chain, database, payloads
from assent.store.chain import Verified
from assent.store.disk import sync
from assent.store.journal import Journal
from assent.store.schema import VERSION

FORMAT = 1  # of the archive
MANIFEST = "manifest.json"
SETTINGS = "config.toml"
PREFIX = ".assent-backup-"  # of the folder beside the file where it is made


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds: how many events and payloads, the last event's hash, and when and by what it was made."""

    events: int
    head: str
    payloads: int
    when: str
    assent: str
    schema: int
    format: int = FORMAT

    def __str__(self) -> str:
        with_payloads = f" and {self.payloads:,} payloads" if self.payloads else ""
        return f"{self.events:,} events{with_payloads} of {self.when[:16].replace('T', ' ')} UTC"


def back_up(journal: Journal, file: Path, *, replace: bool = False) -> Manifest:
    """Write a backup; `StoreError` if the journal is not whole, or if `file` is there and not to be replaced.

    Runs go on meanwhile: what they do later is not in it. The file appears when it is whole and on the disk.
    """
    if file.exists() and not replace:
        raise StoreError(f"{file} exists. Give another name, or replace it with --force.")
    try:
        with tempfile.TemporaryDirectory(prefix=PREFIX, dir=file.parent) as place:
            manifest = _made(journal, Path(place))
            archive = Path(place) / "backup.zip"
            _pack(Path(place), archive)
            sync(archive)
            os.replace(archive, file)
        sync(file.parent)
    except OSError as error:
        raise StoreError(f"{file} could not be written: {error.strerror or error}. Choose another place.") from None
    return manifest


def whole(file: Path, folder: Path) -> tuple[Verified, dict[str, Path]]:
    """What verifying a database that nobody has open finds, and the payloads in a workspace's folder that it names."""
    connection = database.connect(file)
    try:
        select = database.selecting(connection)
        found = chain.verify(select, folder)
        named = payloads.named(select, folder / blobs.FOLDER)
    except duckdb.Error as error:
        raise StoreError(f"The journal {file} could not be read: {error}. Is there room on its disk?") from None
    finally:
        connection.close()
    return found, named


def _made(journal: Journal, place: Path) -> Manifest:
    """Put what a backup holds in a folder."""
    copy = place / database.FILE
    journal.upkeep("snapshot", str(copy))
    verified, named = whole(copy, journal.folder)
    for path in named.values():
        target = place / path.relative_to(journal.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        _link(path, target)
    if (journal.folder / SETTINGS).is_file():
        shutil.copyfile(journal.folder / SETTINGS, place / SETTINGS)
    when = datetime.now(UTC).isoformat(timespec="seconds")
    manifest = Manifest(verified.events, verified.head, len(named), when, version.VERSION, VERSION)
    (place / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2))
    return manifest


def _link(path: Path, target: Path) -> None:
    """A second name for a payload, so that it stays however long packing takes; else a copy."""
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)


def _pack(place: Path, archive: Path) -> None:
    """All files of a folder as an archive in it."""
    found = sorted(path for path in place.rglob("*") if path.is_file())
    archive.touch(0o600)  # all that was said is in it
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for path in found:
            packed.write(path, path.relative_to(place).as_posix())
