"""Of which calls a run is a child that begins here: what these are under, it is under too.

A context tells for certain, and tasks, threads and processes that a call's code starts carry it on. A thread that was
there before, or that a call has left behind, and is given work by a call, does not; so what begins in one, while a call
is at work that is held to something, is held to that as well.
"""

import contextlib
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from assent.core.ids import run_of
from assent.policy.loader import Loader
from assent.runs.run import Run
from assent.tools.idempotency import calls_at_work

_at_work: dict[str, Run] = {}  # by call, of every workspace that is open in this process
_under: dict[str, tuple[Loader, ...]] = {}  # by run that has performed calls: what these leave behind is under it still


@dataclass(frozen=True, slots=True)
class Descent:
    """The calls that a run begins within; `held` says why where that is not known, but cannot be ruled out."""

    calls: tuple[str, ...] = ()
    held: str = ""

    @property
    def runs(self) -> tuple[str, ...]:
        """The runs of these calls, each once."""
        return tuple(dict.fromkeys([run_of(call) for call in self.calls]))

    @property
    def parent(self) -> str:
        """The run that counts as the parent: of several the one whose call began last."""
        return self.runs[-1] if self.calls else ""


@contextlib.contextmanager
def performing(run: Run, call: str) -> Iterator[None]:
    """A call of the run is at work meanwhile."""
    _at_work[call], _under[run.state.run] = run, run.under
    try:
        yield
    finally:
        _at_work.pop(call, None)


def performer(run: str) -> Run | None:
    """The run of that id, if a call of it is at work in this process, in whichever workspace."""
    return next((item for call, item in list(_at_work.items()) if run_of(call) == run), None)


def descent() -> Descent:
    """Of which calls a run is that begins here and now."""
    calls = calls_at_work()
    if _is_told(calls):
        return Descent(calls)
    found = tuple([call for call, run in list(_at_work.items()) if _is_held(run)])
    return Descent((*calls, *found), _HELD.format(calls=", ".join(found))) if found else Descent(calls)


def policies_above(own: Loader) -> tuple[Loader, ...]:
    """Whose policies hold, besides its `own` session's, for the calls that a run is begun within here."""
    calls = calls_at_work()
    within = [run_of(call) for call in calls]
    if not _is_told(calls):
        within += [run.state.run for run in list(_at_work.values())]
    return tuple(dict.fromkeys([loader for run in within for loader in _under.get(run, ()) if loader is not own]))


def _is_told(calls: Collection[str]) -> bool:
    """Whether the context tells whose work this is: a call's, or a person's at the main thread."""
    return any(call in _at_work for call in calls) or threading.current_thread() is threading.main_thread()


_HELD = (
    "It was begun in a thread that does not tell who gave it this work, while {calls} was at work. So it counts as "
    "begun by that: the same mode, taint, marks and budgets hold for it. If it is yours, begin it in a cell, or later."
)


def _is_held(run: Run) -> bool:
    """Whether a run is under anything that one begun by a person would not be."""
    state, purse, entrance = run.state, run.purse, run.entrance
    limited = purse is not None and any(pot.budget.own for pot in purse.pots)
    local = entrance is not None and entrance.marks.hold(run.rules.layers)
    return state.mode != "auto" or bool(state.taint) or limited or local
