"""The runs that have not come to an end: what each of them is at, and what to type next."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assent.core.events import LIFECYCLE, Kind
from assent_widgets.escape import clean, plural

if TYPE_CHECKING:
    from assent.app import Session
    from assent.runs.state import State

SHOWN = 10  # runs, the latest
_WORDS = 40  # signs of a question
_FOLDERS = re.compile(r".*[/\\]")
_LEFT = (Kind.RUN_SUSPENDED, Kind.RUN_PAUSED)
_OPEN = (Kind.RUN_STARTED, Kind.RUN_RESUMED, *_LEFT)
# Not by the view `runs`, which adds up every run there is.
_RUNS = """SELECT run FROM events WHERE list_contains(?, kind) GROUP BY run
    HAVING list_contains(?, arg_max(kind, seq)) ORDER BY min(seq) DESC"""
_PATHS = "SELECT run, path FROM (SELECT unnest(runs) AS run, path FROM notebooks) WHERE list_contains(?, run)"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A run that goes on or could. `what` says how it stands, `then` is the command that takes it further."""

    run: str
    agent: str
    what: str
    question: str
    notebook: str
    then: str


def greeting(session: "Session") -> str:
    """What a kernel says of the runs that it finds; "" where there are none."""
    count = len(_last(session, _LEFT))
    if not count:
        return ""
    return f"{plural(count, 'run')} from before can go on: %agent says {'how' if count == 1 else 'which, and how'}."


def lines(session: "Session") -> list[str]:
    """A line for each of the latest unfinished runs, its columns below each other."""
    runs = _last(session, _OPEN)
    rows = _columns([unfinished(session, run, path) for run, path in _with_paths(session, runs[:SHOWN])])
    more = [f"… and {len(runs) - SHOWN} more: %agent runs"] if len(runs) > SHOWN else []
    return [*rows, *more]


def unfinished(session: "Session", run: str, path: str) -> Unfinished:
    """How a run stands. `path` is where its notebook is now."""
    from assent.runs.expiry import overdue  # duckdb takes 0.1 s to import: not before there is a session

    state = session.state(run)
    unknown = [call.tool for call in state.batch.values() if call.unknown and call.waits]
    begun = [] if state.status == "running" else _begun(session, state)
    late = [] if state.status == "running" else [call.id for call in overdue(state)]
    waiting = [call for call in state.waiting if call.id not in late]
    asked = len(waiting) - len([call for call in waiting if call.unknown])
    what = [_stands(session, state)]
    what += [f"the outcome of {' and '.join([*unknown, *begun])} is unknown"] if unknown or begun else []
    what += [f"{plural(asked, 'call')} {'waits' if asked == 1 else 'wait'} for your answer"] if asked else []
    what += [f"{plural(len(late), 'question')} expired"] if late else []
    then = "%agent pending" if waiting else f"%agent {'show' if state.status == 'running' else 'resume'} {run}"
    question = state.prompt.strip().partition("\n")[0]
    short = question if len(question) <= _WORDS else question[: _WORDS - 1].rstrip() + "…"
    return Unfinished(run, state.scope.agent or "", ", ".join(what), f'"{short}"', _FOLDERS.sub("", path), then)


def _stands(session: "Session", state: "State") -> str:
    from assent.store.cut_off import REASON  # duckdb takes 0.1 s to import: not before there is a session

    if state.status == "running":
        return "at work" if session.live(state.run) else "at work in another kernel"
    if state.over:
        return "stopped by a budget"
    return "cut off" if state.reason == REASON else state.status


def _begun(session: "Session", state: "State") -> list[str]:
    """The tools of the calls that were cut off and will be asked about once the run is resumed."""
    tools = session.tools()
    cut = [call for call in state.batch.values() if call.started and call.result is None and not call.unknown]
    return [call.tool for call in cut if call.tool not in tools or not tools[call.tool].idempotent]


def _last(session: "Session", kinds: Sequence[Kind]) -> list[str]:
    """The runs whose life is at one of these points, the latest first."""
    return [run for (run,) in session.journal.select(_RUNS, [list(LIFECYCLE), list(kinds)])]


def _with_paths(session: "Session", runs: Sequence[str]) -> Iterable[tuple[str, str]]:
    paths: dict[str, Any] = dict(session.journal.select(_PATHS, [list(runs)]))
    return [(run, paths.get(run) or "") for run in runs]


def _columns(found: Sequence[Unfinished]) -> list[str]:
    cells = [[item.run, item.agent, item.what, item.question, item.notebook, item.then] for item in found]
    cells = [[clean(cell).replace("\n", " ") for cell in row] for row in cells]
    widths = [max(len(row[place]) for row in cells) for place in range(6)] if cells else []
    return ["  ".join([cell.ljust(width) for cell, width in zip(row, widths, strict=True)]).rstrip() for row in cells]
