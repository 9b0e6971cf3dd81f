"""What is left of an event when what was said in it is forgotten.

The columns stay (who, when, what kind, tool, decision, tokens, cost, hash), and so does the shape of the body: a
transcript, a state or a view of a forgotten run is that of any other, with `GONE` where there was text. What a person
was asked, and answered, is never forgotten. The body begins with the digest of the one it was, which the hash chain
needs.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from assent.core.errors import ConfigError, StoreError
from assent.core.events import Event, Kind
from assent.store import blobs
from assent.store.rows import FORGOTTEN, digest_of, encoded

GONE = "(forgotten)"
Body = Mapping[str, Any]


def forgotten(kind: str, body: str, folder: Path) -> str:
    """The body to keep of one that `TOLD` says has something to forget; `folder` is where payloads lie."""
    return encoded({"forgotten": digest_of(body), **_SAID[Kind(kind)](_whole(json.loads(body), folder))})


def has_gaps(event: Event) -> bool:
    """Whether what was said in an event is forgotten."""
    return "forgotten" in event.body


def check_whole(events: Iterable[Event], done: str) -> None:
    """`ConfigError` if something of a run is forgotten: what needs all that was said cannot be `done` with it."""
    if gap := next((event for event in events if has_gaps(event)), None):
        raise ConfigError(
            f"What was said in the run {gap.run} is forgotten, by the rules of retention, so it cannot be {done}. "
            "%%agent begins a new one."
        )


def _whole(body: dict[str, Any], folder: Path) -> Body:
    if (name := body.get("blob")) is None:
        return body
    try:
        whole: Body = json.loads(blobs.get(folder, name))
    except StoreError:  # it is to be forgotten anyway: the excerpt has what is kept
        return body
    return whole


def _started(body: Body) -> Body:
    fork = dict(body.get("fork") or {})
    if "prompt" in fork:
        fork["prompt"] = GONE
    if "edit" in fork:
        fork["edit"] = fork["edit"] | {"arguments": {}}
    kept = _only(body, "agent", "output", "replay", "taint", "mode", "budget", "held", "remarks")
    return {**kept, "prompt": GONE, **({"fork": fork} if fork else {})}


def _answered(body: Body) -> Body:
    message = body.get("message") or {"role": "assistant", "parts": []}
    parts = [_part(part) for part in message["parts"] if part["kind"] in ("text", "call")]
    return {**_only(body, "stop", "cache_write", "saved", "asked"), "message": {**message, "parts": parts}}


def _part(part: Body) -> Body:
    """A call keeps its id and name: the events of calls refer to it."""
    if part["kind"] == "call":
        return {**_only(part, "kind", "id", "name"), "arguments": "{}"}
    return {"kind": "text", "text": GONE}


def _ended(body: Body) -> Body:
    said = {name: GONE for name in ("text", "partial") if body.get(name)}
    return {**_only(body, "reason", "error", "by"), **said}


def _finished(body: Body) -> Body:
    """The proposals' number stays: the events of the calls that they became refer to them."""
    made = [{"tool": item["tool"], "arguments": {}, "why": GONE} for item in body.get("proposals", ())]
    return {**_only(body, "error", "touched", "taint"), "text": GONE, **({"proposals": made} if made else {})}


def _ran(body: Body) -> Body:
    return {**body, "source": GONE}


def _texts(body: Body) -> Body:
    return {**body, "text": GONE}


def _arguments(body: Body) -> Body:
    kept = {name: value for name, value in body.items() if name not in ("preview", "why", "gets")}
    return {**kept, "arguments": {}}


def _only(body: Body, *names: str) -> dict[str, Any]:
    return {name: body[name] for name in names if name in body}


_SAID: Mapping[Kind, Callable[[Body], Body]] = {
    Kind.CELL_RAN: _ran,
    Kind.RUN_STARTED: _started,
    Kind.MODEL_ANSWERED: _answered,
    Kind.ANSWER_REFUSED: _texts,
    Kind.CALL_DECIDED: _arguments,
    Kind.CALL_STARTED: _arguments,
    Kind.CALL_FINISHED: _finished,
    Kind.RUN_PAUSED: _ended,
    Kind.RUN_SUSPENDED: _ended,
    Kind.RUN_FINISHED: _ended,
    Kind.RUN_CANCELLED: _ended,
    Kind.RUN_FAILED: _ended,
}

# The other kinds, which stay as they are: nothing was said in them, or it is never forgotten.
KEPT = frozenset(
    {
        Kind.AGENT_DEFINED, Kind.NOTEBOOK_PLACED, Kind.MODEL_ASKED, Kind.VARIABLE_MARKED,
        Kind.MODEL_FAILED, Kind.MODEL_RETRIED, Kind.MODEL_WAITED,
        Kind.MODEL_CACHED, Kind.MODEL_REPLAYED, Kind.MODEL_FELL_BACK, Kind.CIRCUIT_OPENED, Kind.CIRCUIT_CLOSED,
        Kind.APPROVAL_DECIDED, Kind.STOP_REQUESTED, Kind.RUN_RESUMED, Kind.COMPACTED, Kind.CHAIN_SIGNED,
        Kind.MEMORY_ADDED, Kind.MEMORY_FORGOTTEN,
        Kind.RISK_RESERVED, Kind.RISK_COMMITTED, Kind.RISK_ROLLED_BACK,
        Kind.SOURCE_TRUSTED, Kind.TRUST_REVOKED,
        Kind.WAIVER_GRANTED, Kind.WAIVER_ENDED, Kind.BUDGET_OPENED, Kind.BUDGET_RESERVED, Kind.BUDGET_WARNED,
        Kind.BUDGET_WAIVED, Kind.APPROVAL_EXPIRED, Kind.GRANT_GIVEN, Kind.GRANT_REVOKED,
    }
)  # fmt: skip

_KINDS = ", ".join(f"'{kind}'" for kind in _SAID)

# Which rows of `events` have something to forget, as SQL. Not those of schema version 1: their hash needs the text.
TOLD = f"""(kind IN ({_KINDS}) AND batch IS NOT NULL AND NOT starts_with(body, '{FORGOTTEN}')
    AND NOT (kind = '{Kind.CALL_DECIDED}' AND decision = 'ask'))"""
