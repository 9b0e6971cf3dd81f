"""`%agent local_only`: which variables no remote model may be sent anything of."""

from typing import Any

from assent.core.errors import ConfigError, NotFound
from assent.policy.overview import LOCAL_ONLY
from assent.tools.by_hand import by_hand
from assent.tools.preview import is_frame
from assent_magics import options
from assent_magics.desk import Desk


def local_only(desk: Desk, rest: str) -> Any:
    """Mark variables by name, end the mark of some, or list those that are marked."""
    words, given = options.split(rest, options.LOCAL_ONLY)
    if given.get("end"):
        _end(desk, words)
    elif words:
        _mark(desk, words)
    else:
        return _table(desk)
    return None


def _mark(desk: Desk, names: list[str]) -> None:
    if missing := [name for name in names if name not in desk.namespace]:
        raise NotFound(f"There is no variable {missing[0]!r} here. Names stay marked once they are: make it first.")
    desk.session.marks.add(names, desk.session.user)
    told = ", ".join(names)
    kept = desk.session.config.lineage or all(is_frame(desk.namespace[name]) for name in names)
    copies = "" if kept else " A copy that your own cells make of it under another name is not marked."
    print(f"No remote model is sent anything of {told}, or of what agents and cells make of it.{copies}")


def _end(desk: Desk, names: list[str]) -> None:
    if not names:
        raise ConfigError("Say of which: %agent local_only --end NAME. %agent local_only lists them.")
    by_hand("The mark is a person's to end")
    desk.session.marks.end(names, desk.session.user)
    print(f"Remote models may be sent what {', '.join(names)} holds again.")


def _table(desk: Desk) -> Any:
    if said := ", ".join([row.when for row in desk.session.policy() if row.mode == LOCAL_ONLY]):
        print(f"The policy keeps {said} from remote models: %agent policy says in which layer.")
    frame = desk.session.sql(
        'SELECT name, date_trunc(\'second\', since) AS "since (UTC)", "by", made_of FROM local_only', frames=False
    )
    if frame.empty:
        print("No variable is marked by name. %agent local_only NAME marks one, assent.local_only(df) a DataFrame.")
        return None
    return frame
