"""Answers of people that are known before the question is shown: given with it, as one act."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from assent.core import people
from assent.core.commands import Decide
from assent.core.errors import ConfigError, NotFound
from assent.core.events import Event, Kind
from assent.runs.answer import Proves, answer
from assent.runs.call_state import CallState
from assent.runs.run import Run
from assent.runs.state import State, apply


def given(
    run: Run, decided: list[Event], commands: Callable[[CallState], Iterable[Decide]], proves: Proves = people.proves
) -> list[Event]:
    """The events of the answers to what waits once `decided` is recorded.

    Each is checked and decided by policy like a person's; one that does not hold is left out, and the call waits.
    """
    ahead = _after(run.state, decided)
    events: list[Event] = []
    for call in ahead.waiting:
        for command in commands(call):
            try:
                said = answer(ahead, command, run.facts, run.tools, proves, run.state.session)
            except (ConfigError, NotFound):
                break
            apply(ahead, said[0])
            events += said
    return events


def _after(state: State, decided: Iterable[Event]) -> State:
    """The state once these decisions are recorded; the run's own is left as it is."""
    batch = {name: replace(call, approvals=list(call.approvals)) for name, call in state.batch.items()}
    ahead = replace(state, batch=batch)
    for event in decided:
        if event.kind is Kind.CALL_DECIDED:
            apply(ahead, event)
    return ahead
