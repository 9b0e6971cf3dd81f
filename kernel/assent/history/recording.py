"""A recording: what runs were asked and told, said and gave, as JSON Lines that people can read and compare.

The first line is about the file. Then each run has the lines of its events, under its number in the file and in a form
that holds on another machine (`history.portable`). The `run_started` of a run also says which tools it had.
"""

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from assent.core.errors import AssentError, ConfigError
from assent.core.events import ENDINGS, Event, Kind
from assent.core.ids import call_id, place
from assent.core.messages import Message, from_json
from assent.core.secrets import hide_within
from assent.history.portable import portable, told
from assent.models.wrappers.cache import sayable
from assent.runs.propose import GIVEN
from assent.runs.state import State, apply, fold
from assent.tools.tool import Tool

VERSION = 1
_RUN = "recorded"  # what a recorded run is called in its fold
_FIELDS: Mapping[Kind, tuple[str, ...]] = {
    Kind.RUN_STARTED: ("prompt", "agent", "mode", "output", "images", "fork"),
    Kind.RUN_RESUMED: ("mode",),
    Kind.MODEL_ANSWERED: ("message", "stop"),
    Kind.MODEL_FAILED: ("error",),
    Kind.ANSWER_REFUSED: ("text",),
    Kind.CALL_DECIDED: ("arguments", "reason", "approvers", "grantable", "unknown", "dry"),
    Kind.APPROVAL_DECIDED: (
        "by",
        "reason",
        "arguments",
        "scope",
        "outcome",
        "digest",
        "bound",
        "policy_version",
        "missing",
    ),
    Kind.CALL_FINISHED: ("text", "error", "proposals"),
    Kind.RUN_FINISHED: (),
    Kind.RUN_FAILED: (),
    Kind.RUN_SUSPENDED: (),
    Kind.RUN_CANCELLED: (),
    Kind.RUN_PAUSED: (),
}
_COLUMNS = ("step", "tool", "call", "privilege", "decision", "model")


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer of a model, or its failure, and the conversation that it was given before it."""

    before: tuple[Message, ...]
    event: Event


@dataclass(frozen=True, slots=True)
class Take:
    """A recorded run: its number in the file, whom it asked what, its turns, and what people answered, by call.

    `tools` has for each of the agent's tools its description, schema, privilege and the digest of its code. `answers`
    are those given while the run was at work, with the number of the stint; `granted` the places of the calls that ran
    because their tool was allowed for the run; `end` is how it ended; `mode` the run's.
    """

    number: int
    agent: Mapping[str, Any]
    prompt: str
    model: str
    output: Mapping[str, Any] | None
    tools: Mapping[str, Mapping[str, Any]]
    turns: tuple[Turn, ...]
    answers: tuple[tuple[int, tuple[int, ...], Event], ...]  # stint, the call's place (core.ids), the event
    granted: frozenset[tuple[int, ...]]
    end: str
    mode: str = "auto"


@dataclass(frozen=True, slots=True)
class Recording:
    """A file that was read. `python` is the version that it was recorded with, as "3.12"."""

    path: Path
    python: str
    takes: tuple[Take, ...] = field(repr=False)


def header() -> dict[str, Any]:
    """What the first line says."""
    return {"recording": VERSION, "python": python_version()}


def python_version() -> str:
    """The version by which the code of a function is the same: another one compiles it otherwise."""
    return ".".join(platform.python_version_tuple()[:2])


def lines(number: int, events: Iterable[Event], tools: Mapping[str, Tool[Any, Any]], since: float) -> list[str]:
    """The lines of these events of the run with that number; it began at `since` and has `tools`."""
    return [_line(number, event, tools, since) for event in events if event.kind in _FIELDS and _counts(event)]


def read(path: Path) -> Recording:
    """The recording in a file; `ConfigError` where it is none, names what is wrong with it."""
    try:
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
        if rows[0]["recording"] != VERSION:
            raise ConfigError(f"The recording {path} is of another version of Assent: record it again.")
        runs: dict[int, list[dict[str, Any]]] = {}
        for row in rows[1:]:
            runs.setdefault(row["run"], []).append(row)
        return Recording(path, rows[0]["python"], tuple([_take(number, part) for number, part in runs.items()]))
    except OSError as error:
        raise ConfigError(
            f"There is no recording {path}: {error.strerror}. %agent record {path.name} makes one."
        ) from None
    except (ValueError, LookupError, TypeError, AttributeError, AssentError) as error:
        if isinstance(error, ConfigError):
            raise
        reason = f"{type(error).__name__}: {error}"
        raise ConfigError(f"{path} is no recording that can be read ({reason}). Name another.") from None


def account(tool: Tool[Any, Any]) -> dict[str, Any]:
    """What a recording says of a tool."""
    return {
        "description": tool.description, "schema": tool.schema, "privilege": tool.privilege, "code": tool.identity,
    }  # fmt: skip


def _counts(event: Event) -> bool:
    """What runs on its own is not worth a line: the message has its arguments already."""
    return event.kind is not Kind.CALL_DECIDED or event.decision != "allow" or event.body.get("reason") in GIVEN


def _line(number: int, event: Event, tools: Mapping[str, Tool[Any, Any]], since: float) -> str:
    body = {name: event.body[name] for name in _FIELDS[event.kind] if event.body.get(name) not in (None, "", [])}
    run = event.run or ""
    if event.kind is Kind.MODEL_ANSWERED:
        body["message"] = told(from_json(body["message"]), run, since)
    for name in ("prompt", "text", "error") if event.kind is not Kind.MODEL_ANSWERED else ():
        if isinstance(body.get(name), str):
            body[name] = portable(body[name], run, since if event.kind is Kind.CALL_FINISHED else None)
    if made := body.get("proposals"):  # a model reads of them in the result
        body["proposals"] = json.loads(portable(json.dumps(made, ensure_ascii=False), run, since))
    if event.kind is Kind.RUN_STARTED:
        body["tools"] = {name: account(tool) for name, tool in tools.items()}
        if fork := body.pop("fork", None):
            body["fork"] = {name: fork[name] for name in ("at", "prompt") if name in fork}
    columns = {name: getattr(event, name) for name in _COLUMNS if getattr(event, name) is not None}
    if event.call:
        where = event.call.rpartition(".")[2]
        columns["call"] = int(where) if where.isdecimal() else where
    if event.kind not in (Kind.RUN_STARTED, Kind.RUN_RESUMED):
        columns.pop("model", None)
    value = {"run": number, "kind": event.kind.value, **columns, **body}
    return json.dumps(hide_within(json.loads(json.dumps(value, default=str))), ensure_ascii=False)


def _event(row: Mapping[str, Any]) -> Event:
    fields = dict(row)
    kind = Kind(fields.pop("kind"))
    fields.pop("run")
    columns = {name: fields.pop(name) for name in _COLUMNS if name in fields}
    if "call" in columns:
        columns["call"] = call_id(_RUN, columns["call"])
    empty: dict[str, Any] = {"text": "", "error": False} if kind is Kind.CALL_FINISHED else {}
    if kind is Kind.RUN_STARTED:
        empty = {"prompt": "", "output": None}
    return Event(kind=kind, run=_RUN, body=empty | fields, **columns)


def _take(number: int, rows: Sequence[Mapping[str, Any]]) -> Take:
    events = [_event(row) for row in rows]
    own = max(at for at, event in enumerate(events) if event.kind is Kind.RUN_STARTED)
    state, stint, at_work = fold(events[:1]), 0, True
    turns: list[Turn] = []
    answers: list[tuple[int, tuple[int, ...], Event]] = []
    for at, event in enumerate(events[1:], 1):
        if event.kind in (Kind.RUN_STARTED, Kind.RUN_RESUMED):
            stint, at_work = stint + (at > own), True
        if event.kind in (Kind.MODEL_ANSWERED, Kind.MODEL_FAILED):
            turns.append(Turn(tuple(state.messages), event))
            if event.kind is Kind.MODEL_ANSWERED and not sayable(from_json(event.body["message"])):
                raise ValueError(f"answer {event.step} of run {number} is none that a model could give")
        if event.kind is Kind.APPROVAL_DECIDED and at_work:
            answers.append((stint, _place(event), event))
        at_work = at_work and event.kind not in ENDINGS
        _applied(state, event)
    started, decided = events[own], [event for event in events if event.kind is Kind.CALL_DECIDED]
    ends = [event.kind.value.removeprefix("run_") for event in events if event.kind in ENDINGS]
    return Take(
        number, started.body["agent"], started.body["prompt"], started.model or "", started.body["output"],
        started.body.get("tools", {}), tuple(turns), tuple(answers),
        frozenset([_place(event) for event in decided if event.decision == "allow"]),
        ends[-1] if ends else "cut off", started.body.get("mode", "auto"),
    )  # fmt: skip


def _place(event: Event) -> tuple[int, ...]:
    return place(event.call or "")


def _applied(state: State, event: Event) -> None:
    apply(state, replace(event, body=dict(event.body)))
