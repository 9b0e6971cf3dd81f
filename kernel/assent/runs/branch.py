"""A fork's events: what it shares with the run that it came from, told in its own name, then what is its own.

Nothing is copied: the RUN_STARTED of a fork says in `fork` whose events it shares (`run`), up to which (`seq`, the
last event of step `at`), and what it changes: `edit`, a call under the fork's own id with other `arguments`, and
`prompt`, what the person says after the shared steps.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from assent.core.errors import NotFound
from assent.core.events import Event, Kind
from assent.core.ids import call_id, ordinal
from assent.core.privilege import READ_ONLY
from assent.store.window import Window

# What a conversation is made of; what befell a run on its way (a retry, a pause, its end) is the run's own.
SHARED = frozenset(
    {
        Kind.RUN_STARTED, Kind.MODEL_ANSWERED, Kind.ANSWER_REFUSED, Kind.CALL_DECIDED, Kind.APPROVAL_DECIDED,
        Kind.CALL_STARTED, Kind.CALL_FINISHED,
    }
)  # fmt: skip


def events(journal: Window, run: str) -> list[Event]:
    """All that a run's state and its display are folds of, oldest first; none where there is no such run."""
    told: list[Event] = []
    for own in reversed(line(journal, run)):
        told = [*shared(told, own[0]), *own]
    return told


def line(journal: Window, run: str) -> list[list[Event]]:
    """The own events of a run, then of the one it was forked from, and so on to the first."""
    found: list[list[Event]] = []
    while own := journal.events(run):
        found.append(own)
        if not (fork := own[0].body.get("fork")) or not fork["at"]:
            break
        run = fork["run"]
    return found


def shared(told: Sequence[Event], started: Event) -> list[Event]:
    """What the run that begins with `started` shares of what is told of the run that it came from, in its own name.

    A call that neither ended nor had an effect to begin with is left undecided: it is decided anew in the fork.
    """
    fork: Mapping[str, Any] = started.body.get("fork") or {}
    if not fork.get("at"):
        return []
    kept = [_renamed(event, started.run or "") for event in told if event.seq <= fork["seq"] and event.kind in SHARED]
    if not kept:
        raise NotFound(
            f"The run {started.run} shares steps with the run {fork['run']}, which is not in this workspace."
        )
    edit = fork.get("edit") or {}
    settled = {event.call for event in kept if _counts(event) and not _comes_from(event.call, edit.get("call"))}
    kept = [event for event in kept if event.call is None or event.call in settled]
    return _edited(kept, edit["call"], edit["arguments"]) if edit else kept


def _renamed(event: Event, run: str) -> Event:
    """The event under the run's own name; of what a call proposes, `proposed_by` too."""
    body, by = event.body, event.body.get("proposed_by")
    if by:
        body = body | {"proposed_by": call_id(run, by.rpartition(".")[2])}
    return replace(event, run=run, call=event.call and call_id(run, event.call.rpartition(".")[2]), body=body)


def _comes_from(call: str | None, edited: str | None) -> bool:
    """Whether a call is the edited one, or was proposed by it."""
    return bool(call and edited) and ordinal(call or "") == ordinal(edited or "")


def _counts(event: Event) -> bool:
    begun = event.kind is Kind.CALL_STARTED and event.privilege != READ_ONLY
    return begun or event.kind is Kind.CALL_FINISHED


def _edited(told: list[Event], call: str, arguments: Mapping[str, Any]) -> list[Event]:
    """The events with the call's arguments as if the model had written these."""
    number = ordinal(call)
    for place, event in enumerate(told):
        if event.kind is not Kind.MODEL_ANSWERED:
            continue
        message = event.body["message"]
        calls = [index for index, part in enumerate(message["parts"]) if part["kind"] == "call"]
        if number <= len(calls):
            parts = list(message["parts"])
            index = calls[number - 1]
            parts[index] = parts[index] | {"arguments": json.dumps(dict(arguments), ensure_ascii=False)}
            body = event.body | {"message": message | {"parts": parts}}
            return [*told[:place], replace(event, body=body), *told[place + 1 :]]
        number -= len(calls)
    return told
