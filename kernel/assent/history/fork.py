"""Another way to go on from a step of a run: where it branches off, and with what change."""

from collections.abc import Mapping, Sequence
from typing import Any

from assent.core.commands import ForkRun
from assent.core.errors import ConfigError, NotFound
from assent.core.events import Event, Kind, Scope
from assent.core.ids import call_id, ordinal
from assent.core.messages import ToolCall, from_json
from assent.runs.branch import SHARED
from assent.store.forget import check_whole
from assent.tools.tool import Tool, validate


def forked(
    told: Sequence[Event], command: ForkRun, scope: Scope, model: str, tools: Mapping[str, Tool[Any, Any]]
) -> Event:
    """The event that begins a fork, where `told` is what `runs.branch.events` tells of the run that it comes from.

    `scope` and `model` are the fork's, `tools` those of its agent. `ConfigError` where the command makes no sense.
    """
    origin = told[0].run or ""
    edited = _edited(told, command, scope, tools)
    at = _place(told, command, edited)
    fork: dict[str, Any] = {"run": origin, "at": at, "seq": _last(told, at)}
    needed = [event for event in told if event.seq <= fork["seq"]] or ([] if command.prompt else told[:1])
    check_whole(needed, "forked")  # a model would be told words that nobody said
    kept = ("agent", "output", "images", "mode")
    body: dict[str, Any] = {name: value for name, value in told[0].body.items() if name in kept}
    said = command.prompt or _said_next(told, at, fork["seq"])
    body["prompt"] = said or _asked(told, fork["seq"])
    if carries := _carried(told, body["prompt"]):
        body["carries"] = carries
    if said and at:
        fork["prompt"] = said
    if edited:
        fork["edit"] = {"call": edited[0], "arguments": dict(command.arguments or {})}
    return scope.event(Kind.RUN_STARTED, model=model, body=body | {"fork": fork})


def call_of(told: Sequence[Event], call: str) -> tuple[int, ToolCall]:
    """The step and the proposal of a call, by its id, the beginning of one, or its number alone."""
    run, _, number = call.rpartition(".")
    calls = proposals(told)
    if not number.isdecimal() or not (told[0].run or "").startswith(run) or not 1 <= int(number) <= len(calls):
        there = f"its calls are {told[0].run}.1 to .{len(calls)}" if calls else "it has none"
        raise NotFound(f"The run {told[0].run} has no call {call!r}; {there}. %agent history {told[0].run} lists them.")
    return calls[int(number) - 1]


def proposals(told: Sequence[Event]) -> list[tuple[int, ToolCall]]:
    """The calls that models have proposed in a run, in order, each with its step."""
    answers = [event for event in told if event.kind is Kind.MODEL_ANSWERED]
    return [(event.step or 0, call) for event in answers for call in from_json(event.body["message"]).calls]


def steps(told: Sequence[Event]) -> int:
    """The number of a run's last step."""
    return max([event.step or 0 for event in told if event.kind is Kind.MODEL_ANSWERED], default=0)


def _edited(
    told: Sequence[Event], command: ForkRun, scope: Scope, tools: Mapping[str, Tool[Any, Any]]
) -> tuple[str, int] | None:
    """The call to edit, by its id in the fork, and its step."""
    if (not command.call) != (command.arguments is None):
        raise ConfigError("An edit needs both: the call's id, and its new arguments.")
    if not command.call:
        return None
    step, proposed = call_of(told, command.call)
    if proposed.name not in tools:
        raise ConfigError(f"The call {command.call} is of {proposed.name!r}, which is no tool of this agent.")
    try:
        validate(tools[proposed.name], dict(command.arguments or {}))
    except ValueError as error:
        raise ConfigError(f"The edited arguments do not fit {proposed.name}: {error}.") from None
    return call_id(scope.run or "", ordinal(command.call)), step


def _place(told: Sequence[Event], command: ForkRun, edited: tuple[str, int] | None) -> int:
    """The last step that is shared."""
    run, last = told[0].run, steps(told)
    if edited:
        if command.at not in (None, edited[1]):
            raise ConfigError(f"The call {command.call} is of step {edited[1]}: leave --at out, or give that step.")
        return edited[1]
    if command.at is None and not command.prompt:
        raise ConfigError(f"Say where: --at STEP, from 0 to {last}. %agent history {run} shows the steps.")
    at = last if command.at is None else command.at
    if not 0 <= at <= last:
        raise ConfigError(f"The run {run} has {last} steps; --at takes 0 to {last}, not {at}.")
    return at


def _last(told: Sequence[Event], step: int) -> int:
    """The number of the last event of a step; 0 before the first."""
    return max([event.seq for event in told if event.kind in SHARED and 0 < (event.step or 0) <= step], default=0)


def _said_next(told: Sequence[Event], step: int, seq: int) -> str:
    """What the person said after that step, where the run is itself a fork that began there with something to say."""
    begun = [event.body["fork"] for event in told if event.seq > seq and "fork" in event.body]
    return next((str(fork["prompt"]) for fork in begun if fork["at"] == step and "prompt" in fork), "")


def _carried(told: Sequence[Event], prompt: str) -> Any:
    """What a question that was asked before carries (core.cargo)."""
    same = [event.body for event in told if event.kind is Kind.RUN_STARTED and event.body["prompt"] == prompt]
    return same[-1].get("carries") if same else None


def _asked(told: Sequence[Event], seq: int) -> str:
    """What was asked latest up to an event."""
    begun = [event for event in told if event.kind is Kind.RUN_STARTED]
    before = [event for event in begun if event.seq <= seq] or begun[:1]
    return str(before[-1].body["prompt"])
