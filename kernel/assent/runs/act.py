"""A call as it is judged: as it was written, and as its tool reads it."""

from collections.abc import Mapping
from typing import Any

from assent.core.reading import Reading
from assent.policy.facts import Call
from assent.runs.call_state import CallState
from assent.runs.run import Run
from assent.tools.reading import again, read


def act_of(run: Run, call: CallState, arguments: Mapping[str, Any] | None = None) -> Call:
    """The call with these arguments (its own unless others are said), for `policy.decide`."""
    final = call.arguments if arguments is None else arguments
    return Call(call.tool, final, run.known.get(call.id), _reading(run, call, final))


def reading_of(run: Run, call: CallState, arguments: Mapping[str, Any]) -> Reading | None:
    """How the call's tool reads them, the same as long as the run is at work; `ValueError` where they do not fit.

    So what was judged is what is run, whatever a validator says the next time.
    """
    kept, tool = run.readings.get(call.id), run.tools.get(call.tool)
    if kept is not None and kept.arguments is arguments:
        return kept
    if tool is None:
        return None
    found = run.readings[call.id] = read(tool, arguments)
    return found


def look_again(run: Run, call: CallState) -> None:
    """Right before it is begun: its values as they are now; `ValueError` as of `reading_of`."""
    if (found := reading_of(run, call, call.arguments)) is not None:
        run.readings[call.id] = again(found)


def _reading(run: Run, call: CallState, arguments: Mapping[str, Any]) -> Reading | None:
    try:
        return reading_of(run, call, arguments)
    except ValueError:  # it is refused for that before it is run
        return None
