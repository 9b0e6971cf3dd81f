"""`assent backup | restore | verify | compact`: keeping a workspace, whether notebooks have it open or not."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assent.core import config as configs
from assent.core import retention
from assent.core.errors import StoreError
from assent.core.events import current_user
from assent.store import chain, database
from assent.store.backup import back_up
from assent.store.compact import compact, foreseen
from assent.store.journal import Journal
from assent.store.restore import restore


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the command line's."""
    take = commands.add_parser("backup", help="write the workspace into one file, while notebooks go on")
    take.add_argument("file", type=Path)
    take.add_argument("--force", action="store_true", help="replace the file if it is there")
    take.set_defaults(command=_backup)

    put = commands.add_parser("restore", help="put a backup back; nobody may have the workspace open")
    put.add_argument("file", type=Path)
    put.add_argument("--to", type=Path, metavar="FOLDER", help="make this folder the workspace of the backup")
    put.add_argument("--force", action="store_true", help="also over a workspace with runs, which is kept beside")
    put.set_defaults(command=_restore)

    check = commands.add_parser("verify", help="recompute the hash chain of all that is recorded")
    check.set_defaults(command=_verify)

    forget = commands.add_parser("compact", help="forget by the rules of [retention], and give back the space")
    forget.add_argument("--dry-run", action="store_true", help="only say what would be forgotten")
    forget.set_defaults(command=_compact)


def _backup(arguments: argparse.Namespace) -> int:
    with _opened() as journal:
        made = back_up(journal, arguments.file.absolute(), replace=arguments.force)
    print(f"{arguments.file} holds {made}, {arguments.file.stat().st_size / 1e6:.1f} MB")
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    folder = arguments.to.absolute() if arguments.to else configs.workspace_folder()
    made, before = restore(arguments.file.absolute(), folder, replace=arguments.force)
    print(f"{folder} holds {made}")
    if before:
        print(f"What was there before is in {before}")
    return 0


def _verify(_: argparse.Namespace) -> int:
    with _opened() as journal:
        print(chain.verify(journal.select, journal.folder))
    return 0


def _compact(arguments: argparse.Namespace) -> int:
    with _opened() as journal:
        rules = retention.read(configs.load(journal.folder).retention)
        if arguments.dry_run:
            print(f"{foreseen(journal, rules).texts} would be forgotten")
        else:
            print(compact(journal, rules, current_user()))
    return 0


@contextmanager
def _opened() -> Iterator[Journal]:
    """The journal of the workspace that is there; none is made."""
    folder = configs.workspace_folder()
    if not (folder / database.FILE).is_file():
        raise StoreError(f"There is no workspace in {folder}. Set ASSENT_WORKSPACE to the folder of one.")
    journal = Journal(folder)
    try:
        yield journal
    finally:
        journal.close()
