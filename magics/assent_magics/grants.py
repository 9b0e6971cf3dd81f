"""`%agent grants`: what people have allowed for longer than one call, and how it ends."""

from typing import Any

from assent.core.errors import ConfigError
from assent_magics import options
from assent_magics.desk import Desk

_HOLDING = """SELECT id AS "grant", tool, agent, scope, "by", date_trunc('second', given) AS "given (UTC)",
    date_trunc('second', until) AS "until (UTC)", run FROM grants WHERE status = 'holds' ORDER BY given DESC"""


def grants(desk: Desk, rest: str) -> Any:
    """The grants that hold, as a table; or the end of one."""
    words, _ = options.split(rest, options.NONE)
    match words:
        case []:
            return _table(desk)
        case ["revoke", grant]:
            ended = desk.session.revoke(grant)
            print(f"{ended.tool} asks again from its next call on; {ended.id} had allowed it for the {ended.reach}.")
            return None
        case _:
            raise ConfigError("%agent grants lists what is allowed; %agent grants revoke ID ends one of them.")


def _table(desk: Desk) -> Any:
    found = desk.session.sql(_HOLDING, frames=False)
    if len(found):
        return found
    print("No tool may act without asking beyond what the rules say. %agent approve ID --for-run, or --for-session.")
    return None
