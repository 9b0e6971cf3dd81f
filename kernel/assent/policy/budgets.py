"""The section `[[budget]]` of a policy file."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from assent.core.budget import KINDS, PERS, WARN_AT, Budget, amount
from assent.policy.entry import Entry, hint

_KEYS = frozenset({"name", "per", "agent", "user", "warn_at", *KINDS})


def budgets(entries: Sequence[Entry]) -> tuple[Budget, ...]:
    """The budgets of one file; `ConfigError` with the line where one makes no sense."""
    found: dict[str, Budget] = {}
    for entry in entries:
        budget = _budget(entry)
        if budget.name in found:
            raise entry.error(f"there are two budgets {budget.name!r}: a waiver could not tell them apart.", "name")
        found[budget.name] = budget
    return tuple(found.values())


def _budget(entry: Entry) -> Budget:
    entry.check_keys(_KEYS)
    limits = {kind: _limit(entry, kind) for kind in KINDS if kind in entry.values}
    if not limits:
        raise entry.error(f"a budget limits something: give {', '.join(KINDS)}.")
    names = {key: _name(entry, key) for key in ("name", "agent", "user") if key in entry.values}
    if "name" not in names:
        raise entry.error('a budget needs a name, such as name = "daily": warnings and waivers call it so.')
    return Budget(per=_per(entry), limits=limits, warn_at=_warn_at(entry), rule=entry.rule,
                  firm=entry.layer == "organisation", **names)  # fmt: skip


def _name(entry: Entry, key: str) -> str:
    value = entry.values[key]
    if not isinstance(value, str) or not value.strip() or value != value.strip():
        raise entry.error(f"{key} is {value!r}; it must be a name.", key)
    return value


def _limit(entry: Entry, kind: str) -> Decimal:
    try:
        return amount(kind, entry.values[kind])
    except ValueError:
        what = {"money": "US dollars, such as 0.50", "seconds": "seconds"}.get(kind, f"a whole number of {kind}")
        raise entry.error(f"{kind} is {entry.values[kind]!r}; it must be {what}.", kind) from None


def _per(entry: Entry) -> tuple[str, ...]:
    value: Any = entry.values.get("per")
    pers = [value] if isinstance(value, str) else value
    if not isinstance(pers, list | tuple) or not pers:
        raise entry.error(f'a budget says of what it is: per = "run", or a list of {", ".join(PERS)}.', "per")
    for per in pers:
        if per not in PERS:
            raise entry.error(f"per names {per!r}{hint(str(per), PERS)}", "per")
    if "run" in pers and len(pers) > 1:
        raise entry.error('a run is of one agent and one user: per = "run" stands alone.', "per")
    return tuple([per for per in PERS if per in pers])


def _warn_at(entry: Entry) -> Decimal:
    value = entry.values.get("warn_at", WARN_AT)
    try:
        share = amount("seconds", value)
    except ValueError:
        share = Decimal(0)
    if not 0 < share <= 1:
        raise entry.error(f"warn_at is {value!r}; it must be a share such as 0.8, of 1 at most.", "warn_at")
    return share
