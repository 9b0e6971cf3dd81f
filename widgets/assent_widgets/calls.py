"""One tool call of a run: what was to run, what was decided and by whom, what came of it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assent.core.events import Event, Kind
from assent.core.messages import ToolCall

SOURCES = {"sql": "query", "python": "code"}
LANGUAGES = {"sql": "SQL", "python": "Python"}
_AUTOMATIC = ("read_only", "execute_safe")
_REFUSED = ("rejected", "denied")
_PARTIAL = re.compile(r'"(?:query|code)"\s*:\s*"((?:[^"\\]|\\.)*)')
_CUT_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{0,3}$")


@dataclass(slots=True)
class Call:
    """What the events said of a call so far.

    `state`: being written, proposed, waiting for approval, allowed, approved, rejected, denied, running, done, failed,
    not run, interrupted. `said` is what people and policy said of it, in words. `pieces` is its arguments as written.
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


def proposed(call: ToolCall) -> Call:
    """A call as the model's answer holds it."""
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        arguments = None
    return Call(tool=call.name, pieces=[call.arguments], arguments=arguments if isinstance(arguments, dict) else None)


def fold(call: Call, event: Event) -> None:
    """Take one event of a call in."""
    call.id, call.tool = event.call or call.id, event.tool or call.tool
    call.privilege = event.privilege or call.privilege
    if isinstance(arguments := event.body.get("arguments"), dict):
        call.arguments = arguments
    match event.kind:
        case Kind.CALL_DECIDED:
            _decide(call, event.decision or "deny", str(event.body.get("reason") or ""))
        case Kind.APPROVAL_DECIDED:
            _answer(call, event)
        case Kind.CALL_STARTED:
            call.state = "running"
        case Kind.CALL_FINISHED:
            _finish(call, event)


def stop(call: Call) -> bool:
    """What becomes of a call when its run ends before it; whether that changed anything."""
    after = {"running": "interrupted"}.get(call.state, "not run")
    if call.state in ("being written", "proposed", "waiting for approval", "allowed", "approved", "running"):
        call.state = after
        return True
    return False


def _decide(call: Call, decision: str, reason: str) -> None:
    approved = call.state == "approved"
    if decision == "deny":
        call.state = "denied"
        call.said.append(_sentence("Denied by policy", reason))
    elif decision == "ask":
        call.state = "waiting for approval"
        call.said.append(_sentence("Needs approval", reason))
    elif not approved:
        call.state = "allowed"
        if reason and call.privilege and call.privilege not in _AUTOMATIC:
            call.said.append(_sentence("Allowed", reason))


def _answer(call: Call, event: Event) -> None:
    body = event.body
    verdict = str(event.decision or body.get("verdict") or "")
    call.state = "approved" if verdict.startswith("approve") else "rejected"
    words = [f"{call.state.capitalize()} by {body.get('by') or event.user or 'unknown'}"]
    words += ["with edits"] if isinstance(body.get("arguments"), dict) else []
    words += ["for the rest of this run"] if body.get("scope") == "run" else []
    call.said.append(_sentence(", ".join(words), str(body.get("reason") or "")))
    if outcome := body.get("outcome"):
        call.said.append(_sentence("What happened", str(outcome)))


def _finish(call: Call, event: Event) -> None:
    call.text = str(event.body.get("text") or "")
    call.duration = event.duration
    if call.state in _REFUSED:  # its result only repeats the refusal to the model
        return
    call.state = "failed" if event.body.get("error") else "done"
    call.display = event.body.get("display") or {}


def _sentence(what: str, why: str) -> str:
    return f"{what}: {why}" if why else f"{what}."


def _partial_source(written: str) -> str:
    """The code or SQL in JSON text that is not complete yet."""
    found = _PARTIAL.search(written)
    return str(json.loads(f'"{_CUT_ESCAPE.sub("", found[1])}"', strict=False)) if found else ""
