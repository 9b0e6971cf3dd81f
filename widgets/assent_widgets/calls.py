"""One tool call of a run: what was to run, what was decided and by whom, what came of it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assent.core.canonical import too_deep
from assent.core.events import Event, Kind
from assent.core.messages import ToolCall
from assent.core.preview import from_json
from assent_widgets.escape import reveal
from assent_widgets.foreseen import preview_line

SOURCES = {"sql": "query", "python": "code"}
LANGUAGES = {"sql": "SQL", "python": "Python"}
_AUTOMATIC = ("read_only", "execute_safe")
_REFUSED = ("rejected", "denied", "not performed")
_TOLD_APART = ("Waiver", "Proposed by")  # notes that have a sentence of their own
_LINE = 160
_PARTIAL = re.compile(r'"(?:query|code)"\s*:\s*"((?:[^"\\]|\\.)*)')
_CUT_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{0,3}$")


@dataclass(slots=True)
class Call:
    """What the events said of a call so far.

    `state`: being written, proposed, waiting for approval, allowed, approved, rejected, denied, settled, running, done,
    failed, not run, not performed (in a dry run), interrupted. `said` is what people and policy said of it. `pieces` is
    its arguments as written. `card` tells that a card beside the transcript shows the call while it waits.
    """

    tool: str = ""
    id: str = ""
    state: str = "proposed"
    pieces: list[str] = field(default_factory=list)
    arguments: Mapping[str, Any] | None = None
    privilege: str = ""
    said: list[str] = field(default_factory=list)
    text: str = ""
    display: Mapping[str, Any] = field(default_factory=dict)
    duration: float | None = None
    approvers: int = 1
    voices: set[str] = field(default_factory=set)
    card: bool = False
    foreseen: str = ""  # what it would do, in a line

    @property
    def on_card(self) -> bool:
        """Whether what there is to see of the call stands on its card now."""
        return self.card and self.state == "waiting for approval"

    @property
    def source(self) -> str:
        """The code or SQL itself where the call is nothing else, else its arguments as JSON; while written, so far."""
        if self.arguments is not None:
            return source_of(self.tool, self.arguments)[0]
        written = "".join(self.pieces)
        return _partial_source(written) if self.tool in SOURCES else written

    def to_json(self) -> dict[str, Any]:
        names = ("id", "tool", "privilege", "state", "arguments", "said")
        return {name: getattr(self, name) for name in names}


def source_of(tool: str, arguments: Mapping[str, Any]) -> tuple[str, str]:
    """What a call would run, exactly, and its language: the code of `python`, the query of `sql`, else JSON."""
    name = SOURCES.get(tool)
    if name and list(arguments) == [name] and isinstance(arguments[name], str):
        return arguments[name], LANGUAGES[tool]
    return json.dumps(dict(arguments), indent=2, ensure_ascii=False, default=str), "JSON"


def line_of(call: Call) -> str:
    """What a call would run, in one line."""
    words = " ".join(call.source.split())
    return reveal(f"{call.tool}: {words if len(words) <= _LINE else words[:_LINE] + ' …'}")


def proposed(call: ToolCall) -> Call:
    """A call as the model's answer holds it."""
    try:
        arguments = json.loads(call.arguments)
    except (ValueError, RecursionError):
        arguments = None
    fits = isinstance(arguments, dict) and not too_deep(arguments)
    return Call(tool=call.name, pieces=[call.arguments], arguments=arguments if fits else None)


def fold(call: Call, event: Event) -> None:
    """Take one event of a call in."""
    call.id, call.tool = event.call or call.id, event.tool or call.tool
    call.privilege = event.privilege or call.privilege
    if arguments := event.body.get("arguments"):  # those of a call that could not be read are empty
        call.arguments = arguments
    match event.kind:
        case Kind.CALL_DECIDED:
            _decide(call, event)
        case Kind.APPROVAL_DECIDED:
            _answer(call, event)
        case Kind.CALL_STARTED:
            call.state = "running"
        case Kind.CALL_FINISHED:
            _finish(call, event)


def granted(event: Event) -> str:
    """Whose yes for longer than one call lets a call run, and by which grant; "" where none does."""
    body = event.body
    if not body.get("grant"):
        return ""
    by = f" by {body['given_by']}" if body.get("given_by") else ""
    return reveal(f"{str(body.get('reason') or 'allowed').capitalize()}{by} (grant {body['grant']})")


def stop(call: Call, *, for_good: bool = True) -> bool:
    """What becomes of a call when its run ends before it, or is paused; whether that changed anything."""
    after = {"running": "interrupted"}.get(call.state, "not run")
    if call.state in ("being written", "running") or (
        for_good and call.state in ("proposed", "waiting for approval", "allowed", "approved")
    ):
        call.state = after
        return True
    return False


def _decide(call: Call, event: Event) -> None:
    reason = str(event.body.get("reason") or "")
    approved, lead = call.state == "approved", "If it runs"
    if "proposed_by" in event.body and not call.said:
        by = next((text for label, text in event.body.get("notes", ()) if label == "Proposed by"), "another call.")
        call.said.append(_sentence(f"Proposed by {by.rstrip('.')}", str(event.body.get("why") or "")))
    if "preview" in event.body:
        preview = from_json(event.body["preview"])
        call.foreseen, lead = preview_line(preview), "It intends" if preview.how == "steps" else lead
    if event.body.get("dry"):
        call.state = "not performed"
        call.said += [f"If it ran: {call.foreseen}."] if call.foreseen else []
        call.said.append(
            "Dry run: it would ask first." if event.body["dry"] == "ask" else "Dry run: it would just run."
        )
        return
    match event.decision:
        case "ask":
            _ask(call, event, reason, lead)
        case "allow":
            call.state = "approved" if approved else "allowed"
            if given := granted(event):
                call.said.append(f"{given}.")
            elif reason and not approved and call.privilege not in ("", *_AUTOMATIC):
                call.said.append(_sentence("Allowed", reason))
        case _:
            call.state = "denied"
            call.said.append(_sentence("Denied", reason))
    call.said += [f"Waived: {text}." for label, text in event.body.get("notes", ()) if label == "Waiver"]


def _ask(call: Call, event: Event, reason: str, lead: str) -> None:
    """A call waits for a person; `lead` stands before what was foreseen of it."""
    call.state, call.approvers, call.voices = "waiting for approval", event.body.get("approvers", 1), set()
    rule = f" ({event.body['rule']})" if event.body.get("rule") else ""
    call.said.append(_sentence("Needs approval", reason + rule))
    call.said += [f"{lead}: {call.foreseen}."] if call.foreseen else []
    notes = [(label, text) for label, text in event.body.get("notes", ()) if label not in _TOLD_APART]
    call.said += [reveal(f"{' '.join(label.split())}: {' '.join(text.split())}") for label, text in notes]


def _answer(call: Call, event: Event) -> None:
    body = event.body
    by, reason = str(body.get("by") or event.user or "unknown"), str(body.get("reason") or "")
    match event.decision:
        case "approve":
            edited = body.get("arguments") is not None
            call.voices = {by} if edited else call.voices | {by}
            words = [f"Approved by {by}", "with edits" if edited else ""]
            words += [f"for the rest of this {body['scope']}" if body.get("scope") in ("run", "session") else ""]
            call.said.append(_sentence(", ".join(filter(None, words)), reason))
            if len(call.voices) >= call.approvers:
                call.state = "approved"
        case "happened":
            call.state = "settled"
            call.said.append(_sentence(f"{by} says that it happened", str(body.get("outcome") or "")))
        case _:
            call.state = "rejected"
            call.said.append(_sentence(f"Rejected by {by}", reason))


def _finish(call: Call, event: Event) -> None:
    call.text = str(event.body.get("text") or "")
    call.duration = event.duration
    if call.state in _REFUSED:  # its result only repeats the refusal to the model
        return
    call.state = "failed" if event.body.get("error") else "done"
    display = event.body.get("display") or {}
    call.display = display if _fits(display) else {}


def _fits(display: Any) -> bool:
    """Whether a tool gave its display in the form that its type has; else the text is shown."""
    match display:
        case {"type": "table", "columns": list(columns), "rows": list(rows)}:
            whole = all(isinstance(row, list) and len(row) == len(columns) for row in rows)
            return whole and isinstance(display.get("total"), int | None)
        case {"type": "python"}:
            words = all(isinstance(display.get(name), str | None) for name in ("stdout", "result", "traceback"))
            names = all(isinstance(display.get(name), list | None) for name in ("bound", "changed", "deleted"))
            table = display.get("table")
            return words and names and (table is None or (_kind(table) == "table" and _fits(table)))
    return False


def _kind(display: Any) -> Any:
    return display.get("type") if isinstance(display, dict) else None


def _sentence(what: str, why: str) -> str:
    return f"{what}: {why}" if why else f"{what}."


def _partial_source(written: str) -> str:
    """The code or SQL in JSON text that is not complete yet."""
    found = _PARTIAL.search(written)
    if found is None:
        return ""
    try:
        return str(json.loads(f'"{_CUT_ESCAPE.sub("", found[1])}"', strict=False))
    except ValueError:  # an escape that JSON does not know
        return found[1]
