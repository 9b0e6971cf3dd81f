"""What several runs spend of one budget, by the journal: in SQL, so that to look and to reserve is one act.

A run at work counts with what it has spent or has reserved, whichever is more; any other with what it has spent.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from assent.core.budget import RESTS_AFTER, RESTS_BEFORE, Budget
from assent.core.events import ENDINGS, Kind, Scope
from assent.store.parcel import Guard
from assent.store.window import Window

_MICROS = 1_000_000
DAY = 86_400.0  # seconds


def _among(kinds: Iterable[Kind]) -> str:
    return "(" + ", ".join([f"'{kind}'" for kind in sorted(kinds)]) + ")"


# Not by the view: what FILTER leaves out of a body is computed all the same, so CASE is around it.
_SPENT = {
    "tokens": "sum(CASE kind WHEN 'model_answered' THEN coalesce(input_tokens, 0) + coalesce(output_tokens, 0) END)",
    "money": "sum(CASE kind WHEN 'model_answered' THEN cost END)",
    "seconds": "sum(micros)",
    "calls": "count(CASE kind WHEN 'call_started' THEN 1 END)",
    "files": """len(list_distinct(flatten(list(CASE kind WHEN 'call_finished' THEN list_concat(
        CAST(body -> '$.touched.files' AS VARCHAR[]), CAST(body -> '$.touched.removed' AS VARCHAR[])) END)
        FILTER (kind = 'call_finished'))))""",
    "lines": "sum(CASE kind WHEN 'call_finished' THEN CAST(body ->> '$.touched.lines' AS BIGINT) END)",
}
_WORKED = f"""CASE WHEN lag(kind) OVER before NOT IN {_among(RESTS_AFTER)} AND kind NOT IN {_among(RESTS_BEFORE)}
    THEN greatest(epoch_us(time) - epoch_us(lag(time) OVER before), 0) END AS micros"""
_BEFORE = "WINDOW before AS (PARTITION BY run ORDER BY seq)"
# From the first event of the day on, whatever the later ones say: a clock that was set back frees nothing.
_TODAY = f"""seq >= (SELECT coalesce(min(seq), {2**63 - 1}) FROM events
    WHERE time >= make_timestamp(CAST(? AS BIGINT) * 1000000))"""
# A run and those that its calls have started, to any depth: all of them come after its first event.
_TREE = f"""seq >= (SELECT coalesce(min(seq), {2**63 - 1}) FROM events WHERE run = ?) AND run IN (
    WITH RECURSIVE tree(name) AS (SELECT CAST(? AS VARCHAR) UNION
        SELECT begun.run FROM events AS begun JOIN tree ON begun.parent = tree.name WHERE begun.kind = 'run_started')
    SELECT name FROM tree)"""
_ANSWERS = """SELECT max(output_tokens), max(cost) FROM (SELECT output_tokens, cost FROM events
    WHERE kind = 'model_answered' AND agent = ? AND model = ? ORDER BY seq DESC LIMIT 200)"""
_RUNS = """SELECT count(*), quantile_disc(cost, 0.5), quantile_disc(cost, 0.9) FROM (
    SELECT sum(cost) AS cost FROM events WHERE kind = 'model_answered' AND agent = ? AND run IN (
        SELECT run FROM events WHERE kind = 'run_finished' AND agent = ? ORDER BY seq DESC LIMIT 100)
    GROUP BY run)"""


@dataclass(frozen=True, slots=True)
class Part:
    """The events that one budget counts: of which tenant, user and agent since which day, or of which run and below.

    `key` tells it from every other part, of this budget and of others.
    """

    key: str
    conditions: str
    parameters: tuple[Any, ...]


def part_of(budget: Budget, scope: Scope, day: float) -> Part:
    """What counts for a run of `scope` on the day that begins at `day`."""
    source = budget.rule.rpartition(":")[0]
    pers = {"agent": scope.agent or "", "user": scope.user, "run": scope.run or "",
            "day": f"{datetime.fromtimestamp(day, UTC):%Y-%m-%d}"}  # fmt: skip
    key = " ".join([budget.name, source, *[f"{per}={pers[per]}" for per in budget.per]])
    columns = {"tenant": scope.tenant}
    if "agent" in budget.per or budget.agent:
        columns["agent"] = scope.agent or ""
    if "user" in budget.per or budget.user:
        columns["user"] = scope.user
    conditions = [f'"{name}" = ?' for name in columns]
    parameters: list[Any] = list(columns.values())
    if "day" in budget.per:
        conditions.append(_TODAY)
        parameters.append(int(day))
    if "run" in budget.per:
        conditions = [conditions[0], _TREE]  # whoever's runs are below it
        parameters = [scope.tenant, scope.run, scope.run]
    return Part(key, " AND ".join(["run IS NOT NULL", *conditions]), tuple(parameters))


def others(journal: Window, part: Part, kinds: Iterable[str], run: str) -> dict[str, Decimal]:
    """What all runs but `run` have spent or reserved, whoever's they are: a sum tells nothing else of them."""
    names = list(kinds)
    sums = ", ".join([f"coalesce(sum({kind}), 0)" for kind in names])
    query, parameters = _by_run(part, names, run)
    [row] = journal.house.select(f"SELECT {sums} FROM ({query})", list(parameters))
    return {kind: _from_sql(kind, value) for kind, value in zip(names, row, strict=True)}


def room(part: Part, limits: dict[str, Decimal], wanted: dict[str, Decimal], run: str) -> Guard:
    """The condition that `run` may go as far as `wanted` and all together stay within `limits`."""
    names = list(wanted)
    query, parameters = _by_run(part, names, run)
    fits = [f"coalesce(sum({kind}), 0) + CAST(? AS DECIMAL(38,9)) <= CAST(? AS DECIMAL(38,9))" for kind in names]
    bounds = [str(_to_sql(kind, value)) for kind in names for value in (wanted[kind], limits[kind])]
    return Guard(f"SELECT {' AND '.join(fits)} FROM ({query})", (*bounds, *parameters))


def largest_answer(journal: Window, agent: str, model: str) -> tuple[int, Decimal | None]:
    """The most tokens that a late answer of the model to this agent had, and the most that one cost."""
    [(tokens, cost)] = journal.select(_ANSWERS, [agent, model])
    return tokens or 0, cost


def past_runs(journal: Window, agent: str) -> tuple[int, Decimal | None, Decimal | None]:
    """How many late runs of the agent came to an answer, and what half and nine tenths of them cost at most."""
    [(count, median, most)] = journal.select(_RUNS, [agent, agent])
    return count, median, most


def _by_run(part: Part, kinds: list[str], run: str) -> tuple[str, tuple[Any, ...]]:
    """A row for each other run, with its amounts."""
    worked, before = (f", {_WORKED}", _BEFORE) if "seconds" in kinds else ("", "")
    mine = "kind = 'budget_reserved' AND body ->> 'key' = ?"
    is_open = f"""coalesce(max(CASE WHEN {mine} THEN seq END), 0)
        > coalesce(max(CASE WHEN kind IN {_among(ENDINGS)} THEN seq END), 0)"""
    columns, parameters = [f"{is_open} AS open"], [part.key]
    for kind in kinds:
        kept = f"CAST(body ->> '$.until.{kind}' AS DECIMAL(38,9))"
        columns.append(f"coalesce({_SPENT[kind]}, 0) AS s_{kind}")
        columns.append(f"arg_max(CASE WHEN {mine} THEN {kept} END, seq) AS r_{kind}")
        parameters.append(part.key)
    amounts = [f"greatest(s_{kind}, CASE WHEN open THEN coalesce(r_{kind}, 0) ELSE 0 END) AS {kind}" for kind in kinds]
    counted = f"SELECT *{worked} FROM events WHERE {part.conditions} AND run <> ? {before}"
    query = f"""SELECT {", ".join(amounts)} FROM (
        SELECT {", ".join(columns)} FROM ({counted}) GROUP BY run)"""
    return query, (*parameters, *part.parameters, run)


def in_journal(kind: str, value: Decimal) -> str:
    """An amount as BUDGET_RESERVED keeps it, in the unit that the queries count in."""
    return str(_to_sql(kind, value))


def _to_sql(kind: str, value: Decimal) -> Decimal:
    return value * _MICROS if kind == "seconds" else value


def _from_sql(kind: str, value: Any) -> Decimal:
    number = Decimal(str(value))
    return number / _MICROS if kind == "seconds" else number
