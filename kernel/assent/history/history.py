"""A run step by step: what was said and called, what was decided by whom, what it cost; one row for each."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from assent.core.events import Event, Kind
from assent.core.ids import call_id
from assent.core.messages import Message, ToolCall, from_json
from assent.runs import branch
from assent.store.window import Window

_BEFALLEN = {
    Kind.MODEL_FAILED: "model failed", Kind.ANSWER_REFUSED: "answer refused", Kind.MODEL_FELL_BACK: "model fell back",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A question, a model's turn, a call, or what became of the run; `what` says which.

    `at` is seconds since the epoch, `seconds` how long it took, `cost` US dollars. `decision` is the person's where one
    has answered, else policy's. `shared_with` names the run whose own the row is, in a fork; empty for the run's own.
    """

    step: int | None
    at: float
    what: str
    text: str
    tool: str = ""
    decision: str = ""
    by: str = ""
    result: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    seconds: float | None = None
    model: str = ""
    call: str = ""
    shared_with: str = ""


def history(journal: Window, run: str) -> list[Row]:
    """What a run did, in order; a fork begins with the steps that it shares."""
    line = branch.line(journal, run)
    told = branch.events(journal, run)
    owners = {event.seq: event.run or "" for own in line[1:] for event in own}
    return list(_rows(told, owners))


def _rows(told: Sequence[Event], owners: Mapping[int, str]) -> Iterator[Row]:
    about: dict[str, list[Event]] = {}
    for event in told:
        if event.call:
            about.setdefault(event.call, []).append(event)
    count = 0
    for event in told:
        owner = owners.get(event.seq, "")
        if event.kind is Kind.MODEL_ANSWERED:
            message = from_json(event.body["message"])
            yield _turn(event, message, owner)
            for call in message.calls:
                count += 1
                name = call_id(event.run or "", count)
                yield _call(event, name, call, about.get(name, ()), owners)
                for made in [item for item in about if item.startswith(f"{name}-")]:
                    wanted = ToolCall(made, about[made][0].tool or "", "{}")
                    yield _call(event, made, wanted, about[made], owners)
        elif (what := _what(event)) is not None:
            yield Row(
                step=event.step, at=event.at, what=what, text=short(_said(event)), model=event.model or "",
                by=str(event.body.get("by") or ""), shared_with=owner,
            )  # fmt: skip


def _turn(event: Event, message: Message, owner: str) -> Row:
    return Row(
        step=event.step, at=event.at, what="answer" if not message.calls else "turn",
        text=short(message.text or message.reasoning), input_tokens=event.input_tokens,
        output_tokens=event.output_tokens, cost=None if event.cost is None else float(event.cost),
        seconds=event.duration, model=event.model or "", shared_with=owner,
    )  # fmt: skip


def _call(turn: Event, name: str, proposed: ToolCall, events: Sequence[Event], owners: Mapping[int, str]) -> Row:
    decision, by = _decision(events)
    ended = [event for event in events if event.kind is Kind.CALL_FINISHED]
    began = [event for event in events if event.kind is Kind.CALL_STARTED]
    return Row(
        step=turn.step, at=(began or events or [turn])[-1].at, what="call", text=short(_source(proposed, events)),
        tool=proposed.name, decision=decision, by=by, result=short(_result(events)),
        seconds=ended[-1].duration if ended else None, call=name,
        shared_with=owners.get((ended or events or [turn])[-1].seq, ""),
    )  # fmt: skip


def _decision(events: Sequence[Event]) -> tuple[str, str]:
    """What was said of a call last, and by whom; an approval stands over policy's word that it had to be asked for."""
    decision, by = "", ""
    for event in events:
        if event.kind is Kind.APPROVAL_DECIDED:
            edited = ", edited" if event.body.get("arguments") is not None else ""
            decision, by = f"{event.decision}{edited}", str(event.body.get("by") or "")
        elif event.kind is Kind.CALL_DECIDED:
            decision, by = event.decision or "", "" if event.decision == "ask" else _by_rules(event)
    return decision, by


def _by_rules(event: Event) -> str:
    """Policy, or whose yes for longer than one call it was, and by which grant."""
    if grant := event.body.get("grant"):
        return f"{event.body.get('given_by', '')}, grant {grant}".removeprefix(", ")
    return "policy"


def _source(proposed: ToolCall, events: Sequence[Event]) -> str:
    """What ran or would run: the text itself of a call that has no other argument, else its arguments as JSON."""
    known = [event.body["arguments"] for event in events if event.body.get("arguments")]
    if not known:
        return proposed.arguments
    values = list(known[-1].values())
    alone = len(values) == 1 and isinstance(values[0], str)
    return values[0] if alone else json.dumps(known[-1], ensure_ascii=False, default=str)


def _result(events: Sequence[Event]) -> str:
    last = events[-1] if events else None
    if last is None:
        return "not decided yet"
    match last.kind:
        case Kind.CALL_FINISHED:
            return ("failed: " if last.body.get("error") else "") + str(last.body.get("text") or "")
        case Kind.CALL_STARTED:
            return "began; nobody recorded how it ended"
        case Kind.CALL_DECIDED if last.decision == "ask":
            return "its outcome is unknown" if last.body.get("unknown") else "waits for approval"
    return "waits for approval" if last.body.get("missing") else "has not begun"


def _what(event: Event) -> str | None:
    """What a row about the run itself is called; None for what has no row of its own."""
    if event.kind is Kind.RUN_STARTED:
        return "fork" if event.body.get("fork") else "question"
    if event.kind in _BEFALLEN:
        return _BEFALLEN[event.kind]
    if event.kind is Kind.RUN_FINISHED:
        return "finished"
    return event.kind.value.removeprefix("run_") if event.kind.value.startswith("run_") else None


def _said(event: Event) -> str:
    body = event.body
    if fork := body.get("fork"):
        where = f"of {fork['run']} after step {fork['at']}" if fork["at"] else f"of {fork['run']} from its beginning"
        where += f", with {fork['edit']['call']} edited" if "edit" in fork else ""
        said = fork.get("prompt") or ("" if fork["at"] else body["prompt"])
        return f"{where}: {said}" if said else where
    if event.kind is Kind.RUN_FINISHED:
        return ""  # its answer is the row above
    return str(body.get("prompt") or body.get("error") or body.get("reason") or body.get("text") or "")


def short(text: str, limit: int = 200) -> str:
    """A text as one line of at most `limit` characters."""
    words = " ".join(text.split())
    return words if len(words) <= limit else words[: limit - 1] + "…"
