"""What a call takes of its quotas: reserved, then committed or rolled back, each as one act with the look before.

A reservation counts until it is rolled back. So a crash in between leaves it counted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from assent.core.errors import ConfigError, Conflict, GateError, NotFound
from assent.core.events import Event, Kind, Scope
from assent.core.ids import new_id
from assent.risk import quota as quotas
from assent.risk.amount import amount, counted, plain
from assent.risk.check import Act, Check, Finding, examine, worst
from assent.risk.quota import Quota
from assent.risk.windows import NOW, now
from assent.store.parcel import Guard
from assent.store.rows import event_of
from assent.store.schema import SELECT
from assent.store.window import Window

_OPEN = f"""SELECT count(*) = 0 FROM events WHERE seq > ? AND body ->> 'reservation' = ?
    AND kind IN ('{Kind.RISK_COMMITTED}', '{Kind.RISK_ROLLED_BACK}')"""
_FOUND = f"{SELECT} WHERE kind = '{Kind.RISK_RESERVED}' AND body ->> 'reservation' = ? ORDER BY seq DESC LIMIT 1"
_ENDED = f"SELECT count(*) > 0 FROM events WHERE kind = '{Kind.CALL_FINISHED}' AND run = ? AND call = ?"


@dataclass(frozen=True, slots=True)
class Reservation:
    """What is held for one act until it is committed or rolled back: an amount for each argument that is summed."""

    id: str
    tool: str
    amounts: Mapping[str, Decimal]
    event: Event = field(repr=False, compare=False)


def quotas_of(checks: Iterable[Check]) -> list[Quota]:
    return [check.quota for check in checks if check.quota is not None]


def used(journal: Window, checks: Iterable[Check], tool: str, scope: Scope) -> dict[str, str]:
    """The facts of the checks that count: how much is used, over everybody's acts, as text."""
    if not (found := quotas_of(checks)):
        return {}
    [row] = journal.house.select(*quotas.usage(found, tool, scope))
    values = [value or ("" if quota.latest else "0") for quota, value in zip(found, row, strict=True)]
    return {NOW: now(), **dict(zip([quota.fact for quota in found], values, strict=True))}


def reservation(
    checks: Iterable[Check], act: Act, name: str, scope: Scope, *, asked: bool, **columns: Any
) -> tuple[Event, Guard | None]:
    """The event that reserves what an act takes, and the condition for it; `asked`: a person has said yes to it.

    The condition holds it to the soft limits otherwise. `ValueError` where an amount is none.
    """
    found = quotas_of(checks)
    amounts = {item.argument: counted(amount(act.argument(item.argument))) for item in found if item.argument}
    adds = [amounts[item.argument] if item.argument else Decimal(1) for item in found]
    bound = [item.most if asked or item.soft is None else item.soft for item in found]
    body = {"reservation": name, "amounts": {name: plain(value) for name, value in amounts.items()}}
    event = scope.event(Kind.RISK_RESERVED, tool=act.tool, body=body, **columns)
    if not found:
        return event, None
    return event, quotas.guard(list(zip(found, adds, bound, strict=True)), act.tool, scope)


def settled(reserved: Event, *, happened: bool) -> Event:
    """The event that commits what an event reserved, or rolls it back: of the same act, so that it counts the same."""
    kind = Kind.RISK_COMMITTED if happened else Kind.RISK_ROLLED_BACK
    body = {**reserved.body, "at": round(reserved.at * 1e6)}
    return Event(
        kind=kind, run=reserved.run, parent=reserved.parent, agent=reserved.agent, tenant=reserved.tenant,
        user=reserved.user, notebook=reserved.notebook, cell=reserved.cell, step=reserved.step, tool=reserved.tool,
        body=body,
    )  # fmt: skip


def check_and_reserve(
    journal: Window, tool: str, checks: Iterable[Check], arguments: Mapping[str, Any], facts: Mapping[str, Any]
) -> Reservation:
    """Hold an act of one's own code to `checks` and reserve what it takes, as one act; `GateError` says what is over.

    Nobody is asked: what a person would have to be asked about is refused too.
    """
    checks, scope, act = tuple(checks), journal.scope(), Act(tool, arguments, facts)
    _hold(examine(checks, act), tool)
    while True:
        event, guard = reservation(checks, act, new_id(), scope, asked=False)
        try:
            journal.append([event], guard).result()
        except Conflict:
            _hold(examine(checks, replace(act, facts={**facts, **used(journal, checks, tool, scope)})), tool)
        else:
            amounts = {name: Decimal(value) for name, value in event.body["amounts"].items()}
            return Reservation(event.body["reservation"], tool, amounts, event)


def commit(journal: Window, held: Reservation | str) -> None:
    """It happened: what was reserved counts for good. `held` may be the id of a reservation that a crash has left."""
    _settle(journal, held, happened=True)


def rollback(journal: Window, held: Reservation | str) -> None:
    """It did not happen, for certain: what was reserved is given back."""
    _settle(journal, held, happened=False)


def _hold(findings: Iterable[Finding], tool: str) -> None:
    if (found := worst(findings)).verdict != "ok":
        raise GateError(f"{tool} is not within its limits. {found.label}: {found.sentence}.")


def _settle(journal: Window, held: Reservation | str, *, happened: bool) -> None:
    event = _found(journal, held) if isinstance(held, str) else held.event
    name = event.body["reservation"]
    try:
        journal.append([settled(event, happened=happened)], Guard(_OPEN, (event.seq, name))).result()
    except Conflict:
        raise ConfigError(f"The reservation {name} is settled already. SELECT * FROM risk tells how.") from None


def _found(journal: Window, name: str) -> Event:
    rows = journal.select(_FOUND, [name])
    if not rows:
        raise NotFound(f"There is no reservation {name!r}. SELECT * FROM risk lists them.")
    event = event_of(rows[0])
    if event.run and journal.select(_ENDED, [event.run, name]) != [(True,)]:
        raise ConfigError(
            f"The reservation {name} is of a call that has not ended: it is settled as the call is. "
            f"%agent resume {event.run} asks what became of it."
        )
    return event
