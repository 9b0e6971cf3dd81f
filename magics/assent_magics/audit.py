"""`%agent audit`: who decided what, the journal's head signed and anchored, everything exported for an auditor."""

from pathlib import Path
from typing import Any

from assent.core.errors import AssentError, ConfigError
from assent.tools.by_hand import by_hand
from assent_magics import options
from assent_magics.desk import Desk
from assent_magics.people import ask

# What a person looks for; the other columns of the view are for whoever asks by SQL.
_SHOWN = """
    SELECT date_trunc('second', time) AS "time (UTC)", replace(act, '_', ' ') AS act, "by",
        coalesce(agent, '') AS agent, coalesce(tool, '') AS tool, coalesce(decision, '') AS decision,
        array_to_string(approved_by, ', ') AS "approved by",
        CASE WHEN performed IS NULL THEN '' ELSE strftime(performed, '%H:%M:%S') END AS performed,
        coalesce(rule, '') AS rule, coalesce(waiver, '') AS waiver, coalesce("grant", '') AS "grant",
        coalesce(reason, '') AS reason, coalesce(call, run, '') AS "call or run"
    FROM audit ORDER BY seq"""
_USAGE = "%agent audit shows the decisions; audit sign, audit key, audit anchor [FOLDER], audit export FILE."


def audit(desk: Desk, rest: str) -> Any:
    """Every decision as a table; or a head signed, the key shown, an anchor put, an export written."""
    words, given = options.split(rest, options.AUDIT)
    match words:
        case []:
            return desk.session.sql(_SHOWN, frames=False)
        case ["sign"]:
            print(_signed(_sign(desk, force="force" in given)))
        case ["key"]:
            print(_key())
        case ["anchor"]:
            _anchor(desk, desk.folder.parent, force="force" in given)
        case ["anchor", folder]:
            _anchor(desk, Path(folder).expanduser().absolute(), force="force" in given)
        case ["export", file]:
            _export(desk, Path(file).expanduser().absolute(), replace="force" in given)
        case _:
            raise ConfigError(_USAGE)
    return None


def sign_if_set(desk: Desk) -> None:
    """Sign before what leaves the workspace, if the settings say so; what hinders that is said, and hinders no more."""
    if not desk.config.sign:
        return
    try:
        _sign(desk)
    except AssentError as error:
        print(f"Not signed: {error}")


def _sign(desk: Desk, *, force: bool = False) -> Any:
    from assent.store import sign as signing  # not before somebody asks

    by_hand("A person signs")
    journal = desk.session.journal
    return signing.sign(journal.house.select, journal.append, journal.scope(), ask, make=True, force=force)


def _signed(done: Any) -> str:
    made = f"A new key was made, kept in {done.made}.\n" if done.made else ""
    return (
        f"{made}Signed up to event {done.seq:,} by the key {done.key}.\n"
        f"Whoever verifies needs that key, and a copy of {done.file} to see whether the end was cut off:\n"
        f"assent verify FILE --key {done.key} --anchor {done.file.name}"
    )


def _key() -> str:
    from assent.store import signing_key

    return signing_key.public(ask) or "There is no key yet. %agent audit sign makes one."


def _anchor(desk: Desk, folder: Path, *, force: bool) -> None:
    from assent.store import anchor

    anchor.last_commit(folder)  # before anything is signed
    done = _sign(desk, force=force)
    commit = anchor.note(done.jws, folder)
    print(
        f"Event {done.seq:,} is in a note of the commit {commit[:12]}. Send it where nobody here can change it: "
        f"git push origin {anchor.REF}"
    )


def _export(desk: Desk, file: Path, *, replace: bool) -> None:
    from assent.store import export

    journal = desk.session.journal.whole()
    sign_if_set(desk)
    count = export.export(journal.select, file, replace=replace)
    print(f"{file} holds {count:,} events. assent verify {file.name} verifies it, on any machine.")
