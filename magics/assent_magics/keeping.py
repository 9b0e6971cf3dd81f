"""`%agent backup`, `restore`, `verify`, `compact`: keeping the workspace, as the person at the notebook."""

from pathlib import Path

from assent.core import retention
from assent.core.errors import ConfigError, StoreError
from assent.core.events import current_user
from assent_magics import options
from assent_magics.audit import sign_if_set
from assent_magics.desk import Desk


def backup(desk: Desk, rest: str) -> None:
    """Write a backup of the workspace."""
    from assent.store import backup as backups  # zipfile and duckdb: not before somebody asks

    words, given = options.split(rest, options.BACKUP)
    file = _file(words, "backup FILE")
    sign_if_set(desk)
    made = backups.back_up(desk.session.journal.whole(), file, replace="force" in given)
    print(f"{file} holds {made}, {file.stat().st_size / 1e6:.1f} MB. %agent restore puts it back.")


def restore(desk: Desk, rest: str) -> None:
    """Put a backup back, in another folder or where no workspace is open."""
    from assent.store import restore as restores

    words, given = options.split(rest, options.RESTORE)
    file = _file(words, "restore FILE [--to FOLDER]")
    folder = Path(given["to"]).expanduser().absolute() if "to" in given else desk.folder
    made, before = restores.restore(file, folder, replace="force" in given)
    print(f"{folder} holds {made}.")
    if before:
        print(f"What was there before is in {before}.")
    if folder != desk.folder:
        print(f"Open it with ASSENT_WORKSPACE={folder} in the environment, or Session({str(folder)!r}).")


def verify(desk: Desk, rest: str) -> None:
    """Recompute the hash chain, look at every payload, and hold it against what was signed."""
    from assent.store import anchor, evidence, head
    from assent.store import audit as audits

    words, given = options.split(rest, options.VERIFY)
    keys = [head.public_key(text) for text in given.get("key", ())]
    heads = [jws for place in given.get("anchor", ()) for jws in anchor.heads(Path(place).expanduser())]
    if words:
        with evidence.opened(_file(words, "verify FILE")) as handed:
            found = audits.audit(handed.select, handed.folder, keys, heads, handed.findings)
    else:
        journal = desk.session.journal
        found = audits.audit(journal.house.select, journal.folder, keys, heads)
    print(found)
    if found.findings:
        raise StoreError(
            "It was changed, as said above. %agent restore FILE puts a backup back; keep this one as evidence."
        )


def compact(desk: Desk, rest: str) -> None:
    """Forget what the rules of `[retention]` say, and give back the space."""
    from assent.memory import purge
    from assent.store import compact as compacting

    words, given = options.split(rest, options.COMPACT)
    _no_words(*words)
    journal, rules = desk.session.journal.whole(), retention.read(desk.config.retention)
    if "dry_run" in given:
        print(f"{compacting.foreseen(journal, rules).texts} would be forgotten. Nothing was changed.")
    else:
        person = current_user()
        print(compacting.compact(journal, rules, person, purge.purge(journal, person)))
    if rules.payloads is None:
        print(f'To forget texts by their age, set [retention] payloads = "90d" in {desk.folder / "config.toml"}.')


def _file(words: list[str], usage: str) -> Path:
    if len(words) != 1:
        raise ConfigError(f"Give one file: %agent {usage}.")
    return Path(words[0]).expanduser().absolute()


def _no_words(*words: str) -> None:
    if words:
        raise ConfigError(f"Nothing may follow this command, not {words[0]!r}.")
