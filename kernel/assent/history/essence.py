"""What of an event makes a run's transcript: all that is the same when the same is done again."""

from collections.abc import Iterable, Mapping
from typing import Any

from assent.core.canonical import canonical
from assent.core.events import Event, Kind
from assent.core.ids import place

# Of the body. Not times, tokens, hashes, nor what an event only tells of its way: two equal runs differ in those.
_FIELDS: Mapping[Kind, tuple[str, ...]] = {
    Kind.MODEL_ANSWERED: ("message", "stop"),
    Kind.MODEL_FAILED: ("error",),
    Kind.ANSWER_REFUSED: ("text",),
    Kind.CALL_DECIDED: ("arguments", "approvers", "unknown"),
    Kind.APPROVAL_DECIDED: ("by", "reason", "arguments", "scope", "outcome"),
    Kind.CALL_STARTED: ("arguments",),
    Kind.CALL_FINISHED: ("text", "error", "proposals"),
    Kind.RUN_SUSPENDED: (),
    Kind.RUN_FINISHED: ("text",),
    Kind.RUN_FAILED: ("error",),
}
_SHOWN = 160  # characters of a value that a difference shows
_SAME = 30  # of them before the first that differs


def essence(event: Event) -> dict[str, Any] | None:
    """What is compared of an event, by name; None where nothing is: it tells of the way, or comes from outside."""
    if event.kind not in _FIELDS:
        return None
    columns = {"step": event.step, "call": event.call, "tool": event.tool, "decision": event.decision}
    body = {name: event.body.get(name) for name in _FIELDS[event.kind]}
    return {"kind": event.kind.value, **columns, **body}


def in_order(events: Iterable[Event]) -> list[Event]:
    """The events that count, those of calls that ran together one call after the other: which ended first is chance."""
    ordered: list[Event] = []
    together: list[Event] = []
    for event in [event for event in events if event.kind in _FIELDS]:
        if event.call is None:
            ordered += [*sorted(together, key=_place), event]
            together = []
        else:
            together.append(event)
    return [*ordered, *sorted(together, key=_place)]


def excerpts(then: Any, now: Any) -> tuple[str, str]:
    """Two values as text, both cut to where they first differ."""
    texts = [value if isinstance(value, str) else canonical(value) for value in (then, now)]
    same = next((at for at, pair in enumerate(zip(*texts, strict=False)) if pair[0] != pair[1]), min(map(len, texts)))
    begin = 0 if texts[0] == texts[1] else max(same - _SAME, 0)
    then, now = [_cut(text, begin) for text in texts]
    return then, now


def _cut(text: str, begin: int) -> str:
    shown = text[begin : begin + _SHOWN]
    return repr(("…" if begin else "") + shown + ("…" if begin + _SHOWN < len(text) else ""))


def _place(event: Event) -> tuple[int, ...]:
    return place(event.call or "")
