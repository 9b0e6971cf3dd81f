"""What the journal says of runs: which one is meant, where it stands, what waits, what an interrupt has ended."""

import time

from assent.core.approval import Pending
from assent.core.errors import NotFound
from assent.core.events import Kind
from assent.runs.branch import events
from assent.runs.expiry import overdue
from assent.runs.state import State, fold, pending
from assent.store import cut_off
from assent.store.window import Window

INTERRUPTED = "interrupted by the analyst"


def find(journal: Window, beginning: str) -> str:
    """The full id of a run from its beginning; `NotFound` where there is none or more than one."""
    rows = journal.select("SELECT DISTINCT run FROM events WHERE starts_with(run, ?) LIMIT 2", [beginning])
    if not beginning or not rows:
        raise NotFound(f"There is no run {beginning!r} in {journal.folder}. %agent runs lists them.")
    if len(rows) > 1:
        raise NotFound(f"More than one run begins with {beginning!r}. Give more of the id.")
    return str(rows[0][0])


def state(journal: Window, run: str) -> State:
    """Where a run stands."""
    return fold(events(journal, run))


def waiting(journal: Window, run: str | None = None) -> list[Pending]:
    """The calls, of one run or of all, that wait for a person, oldest first; a cancelled run waits for nothing."""
    query = "SELECT DISTINCT run FROM approvals WHERE verdict = 'pending' AND (? IS NULL OR run = ?)"
    states = [state(journal, name) for (name,) in journal.select(query, [run, run])]
    states = [state for state in states if state.status != "cancelled"]
    late = {call.id for state in states for call in overdue(state)}
    found = [item for state in states for item in pending(state) if item.call not in late]
    return sorted(found, key=lambda item: item.at)


def suspend_interrupted(journal: Window, seconds: float) -> None:
    """Mark the runs that an interrupt ended within the last `seconds` as suspended: it meant the process, not them."""
    since = time.time() - seconds
    query = "SELECT run FROM runs WHERE status = 'cancelled' AND reason = ? AND epoch(ended) > ?"
    scopes = [state(journal, run).scope for (run,) in journal.select(query, [INTERRUPTED, since])]
    if scopes:
        journal.append([scope.event(Kind.RUN_SUSPENDED, body={"reason": cut_off.REASON}) for scope in scopes]).result()
