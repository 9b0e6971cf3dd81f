"""The runs above one, by which it is held: those of the calls that it begins within, and theirs in turn."""

from assent.core.errors import ConfigError
from assent.runs import branch
from assent.runs.descent import Descent, performer
from assent.runs.live import LiveRuns
from assent.runs.state import State, fold
from assent.store.window import Window
from assent.tools.idempotency import WITHIN


def starting(journal: Window, live: LiveRuns, born: Descent, parent: str | None = None) -> list[State]:
    """The runs that start one: those of the calls that it begins within, and the one that is said to."""
    found = [(name, known(journal, live, name)) for name in born.runs]
    if lost := [name for name, state in found if state is None]:
        raise ConfigError(
            f"This is within a call of the run {lost[0]}, which is not in the workspace {journal.folder}, so nobody "
            "can tell what that is under: begin the run in the same workspace, and for the same user. If you are a "
            f"person at a shell of your own, unset {WITHIN}."
        )
    said = known(journal, live, parent) if parent and parent not in born.runs else None
    return [state for state in (*[state for _, state in found], said) if state is not None]


def line(journal: Window, live: LiveRuns, state: State) -> list[State]:
    """The runs above one, the nearest first."""
    found, name = list[State](), state.scope.parent
    while name and (above := known(journal, live, name)) is not None and above not in found:
        found.append(above)
        name = above.scope.parent
    return found


def known(journal: Window, live: LiveRuns, run: str) -> State | None:
    """How a run stands that may be at work, in whichever workspace of this process; else by the journal."""
    here = live.get(run)
    if at_work := here.run if here else performer(run):
        return at_work.state
    told = branch.events(journal, run)
    return fold(told) if told else None
