"""`%agent trust`: believing a source for a while, seeing what is believed, and believing it no more."""

from pathlib import Path
from typing import Any

from assent.core.errors import ConfigError
from assent.core.trust import Trust
from assent.policy.taint import NOTE
from assent.tools.by_hand import by_hand
from assent_magics import options
from assent_magics.desk import Desk
from assent_magics.tables import table

_HOW = '%agent trust file:data/orders.csv --reason "…" trusts one, for 8 hours if nothing else is said.'

_WRITTEN = "%agent sql SELECT DISTINCT source, name FROM taint"


def trust(desk: Desk, rest: str) -> Any:
    """Trust a source until a moment, for a reason that must be said; what is trusted, as a table; or the end of it."""
    words, given = options.split(rest, options.TRUST)
    if not words and not given:
        return _table(desk)
    by_hand("Trust is a person's to give")
    match words:
        case ["revoke"]:
            raise ConfigError("Give the trust that ends: %agent trust revoke ID. %agent trust lists what there is.")
        case ["revoke", beginning]:
            ended = desk.session.trusted.revoke(beginning, desk.session.user)
            print(f"{ended.source} is trusted no more: what comes from it counts as untrusted from the next call on.")
        case [source]:
            _give(desk, source, given)
        case _:
            raise ConfigError(f"Give one source. {_HOW} %agent trust revoke ID ends it.")
    return None


def _give(desk: Desk, source: str, given: dict[str, Any]) -> None:
    if "reason" not in given:
        raise ConfigError(f"Trust needs --reason: {options.TRUST['--reason'].help}. {_HOW}")
    if not set(source) & set(":/*?") and not Path(source).exists():
        raise ConfigError(f"There is no file {source!r} here: write file:{source}, or web:{source} if it is a host.")
    run = desk.session.find(given.pop("run")) if "run" in given else ""
    known = {"until": "8h", "scope": "run" if run else "session", **given, "run": run, "by": desk.session.user}
    found = desk.session.trusted.give(source, **known)
    print(
        f"The trust {found.id} covers {found.source} {_reach(found)} until {found.until:%Y-%m-%d %H:%M} UTC. "
        f"%agent trust revoke {found.id} ends it before."
    )
    if not desk.session.trusted.has_met(found):
        print(f"Nothing here has read anything of it so far: {_WRITTEN} has how sources are written.")
    asked = [item for item in desk.session.pending() if any(label == NOTE for label, _ in item.notes)]
    for name in dict.fromkeys([item.run for item in asked]):
        calls = ", ".join([item.call for item in asked if item.run == name])
        print(f"Asked before this, and open: {calls}. %agent resume {name} judges that anew; or answer it as it is.")


def _reach(item: Trust) -> str:
    return {"run": f"in the run {item.run}", "session": "in this session"}.get(item.scope, "in this workspace")


def _table(desk: Desk) -> Any:
    live = desk.session.trusted.live()
    if not live:
        print(f"No source is trusted. {_HOW}")
        return None
    return table(
        [
            {
                "trust": item.id, "source": item.source, "where": _reach(item), "reason": item.reason, "by": item.by,
                "until (UTC)": item.until.replace(tzinfo=None, microsecond=0),
            }
            for item in live
        ]
    )  # fmt: skip
