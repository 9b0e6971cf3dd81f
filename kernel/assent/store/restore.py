"""Putting a workspace back from a backup: all of it is looked at before anything is put in its place."""

import json
import os
import re
import shutil
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assent.core.errors import StoreError, WorkspaceLocked
from assent.store import database, journal
from assent.store.backup import FORMAT, MANIFEST, SETTINGS, Manifest, whole
from assent.store.disk import sync
from assent.store.ledger import Ledger
from assent.store.schema import VERSION

PREFIX = ".assent-restore-"  # of the folder beside the workspace where it is made
BEFORE = ".before-restore-"  # behind the name of the workspace that was there, with the time
KEYS = ".env"  # stays what it is: keys are in no backup
_KNOWN = re.compile(rf"{re.escape(database.FILE)}|{MANIFEST}|{re.escape(SETTINGS)}|blobs/[0-9a-f]{{2}}/[0-9a-f]{{62}}")


def restore(file: Path, folder: Path, *, replace: bool = False) -> tuple[Manifest, Path | None]:
    """Make `folder` the workspace of a backup; what it holds, and where the workspace is that was there before.

    `StoreError` if the backup is not whole, the workspace is in use, or it has runs and is not to be replaced: then
    nothing is changed.
    """
    if journal.is_open(folder):
        raise StoreError(
            f"The workspace {folder} is open here. Restore into another folder with --to FOLDER, or shut this kernel "
            "down and run `assent restore FILE`."
        )
    try:
        with _unpacked(file, folder) as (place, manifest), _held(folder) as runs:
            if runs and not replace:
                raise StoreError(
                    f"The workspace {folder} has runs. With --force they are kept beside it, or restore --to FOLDER."
                )
            return manifest, _put(place, folder)
    except OSError as error:
        raise StoreError(f"{folder} could not be restored: {error.strerror or error}.") from None


@contextmanager
def _unpacked(file: Path, folder: Path) -> Iterator[tuple[Path, Manifest]]:
    """What an archive holds, verified, in a folder beside the workspace's; removed unless it was moved away."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder.parent))
    try:
        manifest = unpacked(file, place)
        _check(file, place, manifest)
        yield place, manifest
    finally:
        shutil.rmtree(place, ignore_errors=True)


def unpacked(file: Path, place: Path) -> Manifest:
    """Put what an archive holds into a folder; `StoreError` if it is no backup. Nothing of it is verified."""
    try:
        with zipfile.ZipFile(file) as packed:
            for name in packed.namelist():
                if not _KNOWN.fullmatch(name):
                    raise StoreError(f"{file} is no backup of Assent: it holds {name!r}.")
                target = place / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(name) as source, target.open("xb") as copy:
                    shutil.copyfileobj(source, copy)
                    copy.flush()
                    os.fsync(copy.fileno())
        manifest = Manifest(**json.loads((place / MANIFEST).read_bytes()))
        (place / MANIFEST).unlink()
    except FileNotFoundError:
        what = "holds no manifest" if file.exists() else "is not there"
        raise StoreError(f"{file} {what}: nothing was restored.") from None
    except (zipfile.BadZipFile, zlib.error, FileExistsError, EOFError, RuntimeError, TypeError, ValueError) as error:
        raise StoreError(f"{file} is damaged, or no backup of Assent ({error}): nothing was restored.") from None
    return manifest


def _check(file: Path, place: Path, manifest: Manifest) -> None:
    if manifest.format != FORMAT or manifest.schema > VERSION:
        raise StoreError(f"{file} was made by Assent {manifest.assent}. Upgrade Assent to restore it.")
    try:
        found, _ = whole(place / database.FILE, place)
    except StoreError as error:
        reason = str(error).partition(". ")[0].replace(str(place), "in it")
        raise StoreError(f"{file} is damaged: {reason}. Nothing was restored.") from None
    if (found.events, found.head) != (manifest.events, manifest.head):
        raise StoreError(f"{file} is damaged: it holds other events than it says. Nothing was restored.")


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Keep others from opening the workspace that is there; whether it has runs, or may have, being damaged."""
    if not (folder / database.FILE).exists():
        yield False
        return
    try:
        ledger = Ledger(folder)
    except WorkspaceLocked as error:
        raise StoreError(f"{error} Or restore into another folder: --to FOLDER.") from None
    except StoreError:
        yield True
        return
    try:
        ledger.checkpoint()  # so that nothing is left under its name when the folder has another
        yield ledger.select("SELECT 1 FROM events LIMIT 1") != []
    finally:
        ledger.close()


def _put(place: Path, folder: Path) -> Path | None:
    """Move what was unpacked to where it belongs; where the workspace is now that was there."""
    before: Path | None = None
    if folder.exists() and any(folder.iterdir()):
        before = folder.with_name(f"{folder.name}{BEFORE}{time.strftime('%Y%m%d-%H%M%S')}")
        shutil.copymode(folder, place)
        if (folder / KEYS).is_file():
            shutil.copy2(folder / KEYS, place / KEYS)
        os.rename(folder, before)
    try:
        os.rename(place, folder)
    except OSError:
        if before is not None:
            os.rename(before, folder)
        raise
    sync(folder.parent)
    return before
