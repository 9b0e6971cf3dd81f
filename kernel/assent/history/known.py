"""Answers of people that are known before the question is shown: given with it, as one act."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from assent.core.commands import Decide
from assent.core.errors import ConfigError, NotFound
from assent.core.events import Event, Kind
from assent.runs.answer import answer
from assent.runs.run import Run
from assent.runs.state import CallState, State, apply


def given(run: Run, decided: list[Event], commands: Callable[[CallState], Iterable[Decide]]) -> list[Event]:
    """The events of the answers to what waits once `decided` is recorded.

    Each is checked and decided by policy like a person's; one that does not hold is left out, and the call waits.
    """
    ahead = _after(run.state, decided)
    events: list[Event] = []
    for call in ahead.waiting:
        for command in commands(call):
            try:
                event = answer(ahead, command, run.rules, run.tools)
            except (ConfigError, NotFound):
                break
            apply(ahead, event)
            events.append(event)
    return events


def _after(state: State, decided: Iterable[Event]) -> State:
    """The state once these decisions are recorded; the run's own is left as it is."""
    batch = {name: replace(call, approvals=list(call.approvals)) for name, call in state.batch.items()}
    ahead = replace(state, batch=batch)
    for event in decided:
        if event.kind is Kind.CALL_DECIDED:
            apply(ahead, event)
    return ahead
