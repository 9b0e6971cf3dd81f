"""A person's answer to a call that asks: checked, decided by policy again if edited, turned into one event."""

from collections.abc import Mapping
from typing import Any

from assent.core.commands import Decide
from assent.core.errors import ConfigError, NotFound
from assent.core.events import Event, Kind
from assent.core.grant import act_digest
from assent.policy.decide import decide
from assent.policy.facts import Call, Facts
from assent.policy.verdict import Deny
from assent.runs.state import CallState, State
from assent.tools.tool import Tool, validate


def answer(state: State, command: Decide, rules: Facts, tools: Mapping[str, Tool[Any, Any]]) -> Event:
    """The event for a decision; `NotFound` if nothing waits under that id, `ConfigError` if it cannot be taken."""
    call = _waiting(state, command)
    body: dict[str, Any] = {"by": command.by, "reason": command.reason, "scope": command.scope}
    verdict: str = command.verdict
    if command.outcome is not None:
        if not call.unknown:
            raise ConfigError(f"The call {call.id} has not begun, so it has no outcome yet: approve or reject it.")
        verdict, body = "happened", body | {"outcome": command.outcome}
    elif verdict == "approve":
        body |= _approval(call, command, rules, tools)
    return state.scope.event(
        Kind.APPROVAL_DECIDED, step=call.step, call=call.id, tool=call.tool, privilege=call.privilege,
        decision=verdict, body=body,
    )  # fmt: skip


def _waiting(state: State, command: Decide) -> CallState:
    if command.verdict not in ("approve", "reject"):
        raise ConfigError(f"{command.verdict!r} is no verdict; say approve or reject.")
    call = state.batch.get(command.call)
    if call is not None and call.started and call.result is None and not call.unknown and state.status != "running":
        raise NotFound(
            f"The call {call.id} was cut off, and nobody recorded how it ended. Type %agent resume {state.run} first: "
            "it asks about the call, or repeats it if its tool is idempotent."
        )
    if call is None or not call.waits:
        verdict = f" It was answered already: {call.verdict}." if call and call.verdict else ""
        raise NotFound(f"No call {command.call!r} waits for approval.{verdict} %agent pending lists those that do.")
    act = act_digest(call.tool, call.arguments)
    if command.verdict == "approve" and command.seen not in ("", act):
        raise ConfigError(
            f"The call {call.id} was edited after it was shown. Look at %agent pending before you approve."
        )
    same = command.arguments is None or act_digest(call.tool, command.arguments) == act
    if same and command.verdict == "approve" and command.by in _voices(call):
        raise ConfigError(f"{command.by} has approved {call.id} already; it needs {call.approvers} different people.")
    return call


def _approval(call: CallState, command: Decide, rules: Facts, tools: Mapping[str, Tool[Any, Any]]) -> dict[str, Any]:
    arguments = dict(command.arguments) if command.arguments is not None else call.arguments
    if command.arguments is not None:
        if call.unknown and act_digest(call.tool, arguments) != act_digest(call.tool, call.arguments):
            raise ConfigError(
                f"The call {call.id} may have happened as it was, so it cannot be edited: run it again as it is, "
                "say what did happen, or reject it and say what is to be done instead."
            )
        if call.tool not in tools:
            raise ConfigError(f"{call.tool} is not in this session: edit the call where it is, or approve it as it is.")
        try:
            validate(tools[call.tool], arguments)
        except ValueError as error:
            raise ConfigError(f"The edited arguments do not fit {call.tool}: {error}.") from None
        decision = decide(Call(call.tool, arguments), rules)
        if isinstance(decision, Deny):
            raise ConfigError(f"The edited call is denied by policy: {decision.reason}")
    if command.scope == "run" and not call.grantable:
        raise ConfigError(f"{call.privilege} calls cannot be allowed for a whole run; approve them one by one.")
    act = act_digest(call.tool, arguments)  # tells 1 from 1.0 and from True, which are equal
    edited = arguments if act != act_digest(call.tool, call.arguments) else None
    voices = {command.by} if edited is not None else {command.by, *_voices(call)}  # an edit voids earlier voices
    return {
        "arguments": edited,
        "digest": act,
        "policy_version": rules.version,
        "missing": max(call.approvers - len(voices), 0),
    }


def _voices(call: CallState) -> set[str]:
    return {item.by for item in call.approvals}
