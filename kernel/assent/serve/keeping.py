"""`assent backup | restore | verify | sign | export | compact`: keeping a workspace, whether it is open or not."""

import argparse
import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assent.core import config as configs
from assent.core import retention
from assent.core.errors import AssentError, ConfigError, StoreError
from assent.core.events import Scope, current_user
from assent.store import anchor, database, evidence, head
from assent.store.audit import audit
from assent.store.backup import back_up
from assent.store.compact import compact, foreseen
from assent.store.export import export
from assent.store.journal import Journal
from assent.store.restore import restore
from assent.store.sign import sign
from assent.store.signing_key import PASSPHRASE


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

    check = commands.add_parser("verify", help="whether all that is recorded is as it was written, and signed")
    check.add_argument(
        "path", type=Path, nargs="?", help="a workspace, its database, a backup or an export; a copy is read"
    )
    check.add_argument(
        "--key", action="append", default=[], help="a public key, or its file: only what it signed counts"
    )
    check.add_argument(
        "--anchor", action="append", default=[], type=Path, help="signed heads from outside: a file, or a repository"
    )
    check.set_defaults(command=_verify)

    signs = commands.add_parser("sign", help="sign the last event of the journal, and so all before it")
    signs.add_argument(
        "--anchor", type=Path, metavar="FOLDER", help="put it into a git note of the repository there, too"
    )
    signs.add_argument("--force", action="store_true", help="though the journal does not fit what was signed before")
    signs.set_defaults(command=_sign)

    hand = commands.add_parser("export", help="write every event with its hash into a file of JSON Lines")
    hand.add_argument("file", type=Path)
    hand.add_argument("--force", action="store_true", help="replace the file if it is there")
    hand.set_defaults(command=_export)

    forget = commands.add_parser("compact", help="forget by the rules of [retention], and give back the space")
    forget.add_argument("--dry-run", action="store_true", help="only say what would be forgotten")
    forget.set_defaults(command=_compact)


def _backup(arguments: argparse.Namespace) -> int:
    with _opened() as journal:
        _sign_if_set(journal)
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


def _verify(arguments: argparse.Namespace) -> int:
    keys = [head.public_key(text) for text in arguments.key]
    heads = [jws for place in arguments.anchor for jws in anchor.heads(place)]
    if arguments.path is None:
        with _opened() as journal:
            found = audit(journal.select, journal.folder, keys, heads)
    else:
        with evidence.opened(arguments.path.absolute()) as given:
            found = audit(given.select, given.folder, keys, heads, given.findings)
    print(found)
    return 1 if found.findings else 0


def _sign(arguments: argparse.Namespace) -> int:
    if arguments.anchor is not None:
        anchor.last_commit(arguments.anchor)  # before anything is signed
    with _opened() as journal:
        done = sign(journal.select, journal.append, Scope(user=current_user()), _ask, make=True, force=arguments.force)
    print(f"Signed up to event {done.seq:,} by the key {done.key}" + (f", made in {done.made}" if done.made else ""))
    print(f"The signed heads are in {done.file}")
    if arguments.anchor is not None:
        commit = anchor.note(done.jws, arguments.anchor)
        print(f"A note of the commit {commit[:12]} has it. Send it away: git push origin {anchor.REF}")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    with _opened() as journal:
        _sign_if_set(journal)
        count = export(journal.select, arguments.file.absolute(), replace=arguments.force)
    print(f"{arguments.file} holds {count:,} events")
    return 0


def _sign_if_set(journal: Journal) -> None:
    """Sign before what leaves the workspace, if its settings say so; what hinders that is said, and hinders no more."""
    if not configs.load(journal.folder).sign:
        return
    try:
        sign(journal.select, journal.append, Scope(user=current_user()))
    except AssentError as error:
        print(f"assent: not signed: {error}", file=sys.stderr)


def _ask(question: str) -> str:
    try:
        return getpass.getpass(question)
    except EOFError:
        raise ConfigError(f"Nobody can be asked here: set {PASSPHRASE}.") from None


def _compact(arguments: argparse.Namespace) -> int:
    with _opened() as journal:
        rules = retention.read(configs.load(journal.folder).retention)
        if arguments.dry_run:
            print(f"{foreseen(journal, rules).texts} would be forgotten")
        else:
            from assent.memory.purge import purge  # numpy: not before somebody compacts

            print(compact(journal, rules, current_user(), purge(journal, current_user())))
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
