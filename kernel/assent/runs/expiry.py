"""Questions that nobody answered in time. What has expired is never approved: it is asked anew."""

import time

from assent.core.clock import CLOCK
from assent.core.events import Event, Kind
from assent.runs.call_state import CallState
from assent.runs.state import State

BACK = 60.0  # seconds that a machine's clock may be put right without anybody asking how old a question is


def is_over(call: CallState) -> bool:
    """Whether the time of a question that waits is over; also where the clock was set back behind what was said of it.

    Then nobody knows how long it has waited.
    """
    if not call.waits or call.until is None:
        return False
    return CLOCK.now() >= call.until or time.time() + BACK < call.heard_at


def overdue(state: State) -> list[CallState]:
    """The questions that nobody has answered in time, said or not yet said in the journal."""
    return [call for call in state.batch.values() if call.expired or is_over(call)]


def left(state: State) -> float | None:
    """Seconds until the first question that waits expires; None where none does."""
    ends = [call.until for call in state.waiting if call.until is not None]
    return max(min(ends) - CLOCK.now(), 0) if ends else None


def expired(state: State, call: CallState) -> Event:
    """The event that says so."""
    return state.scope.event(
        Kind.APPROVAL_EXPIRED, step=call.step, call=call.id, tool=call.tool, privilege=call.privilege,
        body={"reason": "nobody answered in time"},
    )  # fmt: skip


def refusal(state: State, call: CallState) -> str:
    """What somebody reads who answers too late."""
    return (
        f"The question {call.id} has expired, so no answer is taken any more and nothing was run: "
        f"%agent resume {state.run} asks anew."
    )
