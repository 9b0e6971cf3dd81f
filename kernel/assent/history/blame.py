"""Who wrote a variable or a file: the cell, or the run with its prompt, step, call and approver."""

import difflib
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from assent.history.pieces import codes, places, settle
from assent.store.window import Window

MOST = 50  # writers that are told
_LATER = 1.0  # seconds after a call's end in which its own writing may reach the disk
_WRITES = """
    SELECT how, epoch_us(time) / 1e6, "by", notebook, cell, count, run, agent, step, call, source, kernel FROM writes
    WHERE name = $name AND how IN ('saved', 'removed') = $file ORDER BY seq DESC LIMIT 500"""
_NAMES = "SELECT DISTINCT name FROM writes"
_PROMPTS = """
    SELECT run, body ->> 'prompt', agent FROM events WHERE kind = 'run_started' AND list_contains(?, run)"""
_APPROVERS = """
    SELECT call, string_agg(DISTINCT body ->> 'by', ' and ') FROM events
    WHERE kind = 'approval_decided' AND decision = 'approve' AND list_contains(?, call) GROUP BY call"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """One writing: `how` (bound, changed, deleted, saved, removed), when (`at`, seconds since the epoch), by whom.

    `by` is "cell", "call", or "answer": a run's, bound by `--into`. `approved_by` is empty where nobody was asked.
    """

    how: str
    at: float
    by: str
    notebook: str | None
    cell: str | None
    count: int | None
    run: str | None
    agent: str | None
    prompt: str
    step: int | None
    call: str | None
    code: str
    approved_by: str
    kernel: str


def blame_variable(journal: Window, name: str, notebook: str | None, kernel: str) -> list[Writer]:
    """Who wrote a variable of this notebook or kernel, the latest first; else who wrote one called so elsewhere."""
    settle(journal)
    rows = journal.select(_WRITES, {"name": name, "file": False})
    here = places(journal, notebook)
    mine = [row for row in rows if row[3] in here or row[-1] == kernel]
    return _writers(journal, mine or rows)


def blame_file(journal: Window, path: str) -> list[Writer]:
    """Who saved or removed a file, the latest first."""
    settle(journal)
    return _writers(journal, journal.select(_WRITES, {"name": os.path.abspath(path), "file": True}))


def near(journal: Window, name: str, others: Collection[str] = ()) -> list[str]:
    """What somebody may have meant who wrote `name`: variables and files that the journal has, and `others`."""
    known = {os.path.basename(found): found for (found,) in journal.select(_NAMES)} | {other: other for other in others}
    found = difflib.get_close_matches(os.path.basename(name), sorted(known), 3)
    return [os.path.relpath(path) if os.sep in (path := known[base]) else path for base in found]


def changed_since(path: str, writer: Writer) -> float | None:
    """When a file was last changed, if that was after its last known writer; None where it was not, or is gone."""
    try:
        at = os.stat(path).st_mtime
    except OSError:
        return None
    return at if at > writer.at + _LATER else None


def _writers(journal: Window, rows: Sequence[tuple[Any, ...]]) -> list[Writer]:
    rows = rows[:MOST]
    runs = list({row[6] for row in rows if row[6]})
    calls = list({row[9] for row in rows if row[9]})
    asked = {run: (prompt, agent) for run, prompt, agent in (journal.select(_PROMPTS, [runs]) if runs else ())}
    approvers = dict(journal.select(_APPROVERS, [calls])) if calls else {}
    told = codes(journal, calls)
    found = []
    for how, at, by, notebook, cell, count, run, agent, step, call, source, kernel in rows:
        prompt, asked_of = asked.get(run, ("", None))
        writer = Writer(
            how=how, at=at, by=by, notebook=notebook, cell=cell, count=count, run=run, agent=agent or asked_of,
            prompt=prompt or "", step=step, call=call, code=(told.get(call) if call else source) or "",
            approved_by=approvers.get(call, ""), kernel=kernel,
        )  # fmt: skip
        found.append(replace(writer, by="answer") if by == "cell" and run else writer)
    return found
