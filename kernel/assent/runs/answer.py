"""A person's answer to a call that asks: checked, decided by policy again if edited, turned into events."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from assent.core import people
from assent.core.clock import CLOCK
from assent.core.commands import Decide
from assent.core.errors import ConfigError, NotFound
from assent.core.events import Event, Kind
from assent.core.grant import act_digest
from assent.core.reading import Reading, to_json
from assent.policy.decide import decide
from assent.policy.facts import Call, Facts
from assent.policy.verdict import Deny
from assent.risk.check import Act, examine, worst
from assent.runs.call_state import CallState
from assent.runs.expiry import is_over, refusal
from assent.runs.lasting import LASTS
from assent.runs.state import State
from assent.tools.reading import read
from assent.tools.tool import Tool

Proves = Callable[[str, str], bool]  # whether a passphrase is that of a person


def answer(
    state: State, command: Decide, rules: Facts, tools: Mapping[str, Tool[Any, Any]], proves: Proves = people.proves,
    session: str = "", used: Mapping[str, Any] = MappingProxyType({}),
) -> list[Event]:  # fmt: skip
    """The decision, and the grant that it gives where it is for more than this call, in or beyond this `session`.

    `used` is how much is used of the limits over time of an edited call, as far as somebody has looked.
    `NotFound` if nothing waits under that id, `ConfigError` if the decision cannot be taken.
    """
    call = _waiting(state, command)
    body: dict[str, Any] = {"by": command.by, "reason": command.reason, "scope": command.scope}
    verdict: str = command.verdict
    if command.outcome is not None:
        if not call.unknown:
            raise ConfigError(f"The call {call.id} has not begun, so it has no outcome yet: approve or reject it.")
        verdict, body = "happened", body | {"outcome": command.outcome}
    elif verdict == "approve":
        body |= _approval(call, command, rules, tools, proves, used)
    event = state.scope.event(
        Kind.APPROVAL_DECIDED, step=call.step, call=call.id, tool=call.tool, privilege=call.privilege,
        decision=verdict, body=body,
    )  # fmt: skip
    if verdict != "approve" or command.scope == "once":
        return [event]
    return [event, _grant(state, call, command, rules, tools, session)]


def _grant(
    state: State, call: CallState, command: Decide, rules: Facts, tools: Mapping[str, Tool[Any, Any]], session: str
) -> Event:
    body: dict[str, Any] = {
        "id": call.id, "scope": command.scope, "policy_version": rules.version, "by": command.by,
        "until": CLOCK.now() + LASTS,
    }  # fmt: skip
    if call.tool in tools:
        body["identity"] = tools[call.tool].identity
    if command.scope == "session":
        # Of a run that is at work in another session it is that one's.
        body["session"] = state.session if state.status == "running" and state.session else session
    return state.scope.event(Kind.GRANT_GIVEN, step=call.step, tool=call.tool, privilege=call.privilege, body=body)


def _waiting(state: State, command: Decide) -> CallState:
    if command.verdict not in ("approve", "reject"):
        raise ConfigError(f"{command.verdict!r} is no verdict; say approve or reject.")
    call = state.batch.get(command.call)
    if call is not None and call.started and call.result is None and not call.unknown and state.status != "running":
        raise NotFound(
            f"The call {call.id} was cut off, and nobody recorded how it ended. Type %agent resume {state.run} first: "
            "it asks about the call, or repeats it if its tool is idempotent."
        )
    if call is not None and (call.expired or is_over(call)):
        raise ConfigError(refusal(state, call))
    if call is None or not call.waits:
        verdict = f" It was answered already: {call.verdict}." if call and call.verdict else ""
        raise NotFound(f"No call {command.call!r} waits for approval.{verdict} %agent pending lists those that do.")
    act = act_digest(call.tool, call.arguments)
    if command.verdict == "approve" and command.seen not in ("", act):
        raise ConfigError(
            f"The call {call.id} was edited after it was shown. Look at %agent pending before you approve."
        )
    same = command.arguments is None or act_digest(call.tool, command.arguments) == act
    if same and command.verdict == "approve" and command.by in call.voices:
        raise ConfigError(f"{command.by} has approved {call.id} already; it needs {call.approvers} different people.")
    return call


def _approval(
    call: CallState, command: Decide, rules: Facts, tools: Mapping[str, Tool[Any, Any]], proves: Proves,
    used: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    arguments, reading = call.arguments, None
    if command.arguments is not None:
        arguments = dict(command.arguments)
        reading = _edited(call, arguments, rules, tools, used)
    if command.scope not in ("once", "run", "session"):
        raise ConfigError(f"{command.scope!r} is no scope; say once, run or session.")
    if command.scope != "once" and not call.grantable:
        why = "certain people are asked" if call.asking.personal else call.asks or f"{call.tool} is {call.privilege}"
        raise ConfigError(
            f"Calls of {call.tool} cannot be allowed for a whole {command.scope} here ({why}); approve them one by one."
        )
    _check_person(call, command, proves)
    act = act_digest(call.tool, arguments)  # tells 1 from 1.0 and from True, which are equal
    edited = arguments if act != act_digest(call.tool, call.arguments) else None
    told = to_json(reading) if edited is not None else {"bound": call.bound} if call.bound else {}
    voices = {command.by} if edited is not None else {command.by, *call.voices}  # an edit voids earlier voices
    return {
        "arguments": edited,
        **told,
        "digest": act,
        "policy_version": rules.version,
        "missing": max(call.approvers - len(voices), 0),
        **({"proved": True} if call.asking.personal or command.passphrase else {}),
    }


def _edited(
    call: CallState, arguments: dict[str, Any], rules: Facts, tools: Mapping[str, Tool[Any, Any]],
    used: Mapping[str, Any],
) -> Reading | None:  # fmt: skip
    """How its tool reads edited arguments; `ConfigError` where the call cannot be edited so."""
    if call.unknown and act_digest(call.tool, arguments) != act_digest(call.tool, call.arguments):
        raise ConfigError(
            f"The call {call.id} may have happened as it was, so it cannot be edited: run it again as it is, "
            "say what did happen, or reject it and say what is to be done instead."
        )
    if call.tool not in tools:
        raise ConfigError(f"{call.tool} is not in this session: edit the call where it is, or approve it as it is.")
    try:
        reading = read(tools[call.tool], arguments)
    except ValueError as error:
        raise ConfigError(f"The edited arguments do not fit {call.tool}: {error}.") from None
    edit = Call(call.tool, arguments, reading=reading)
    decision = decide(edit, rules)
    if isinstance(decision, Deny):
        raise ConfigError(f"The edited call is denied by policy: {decision.reason}")
    _check_room(edit, rules, used)
    return reading


def _check_room(edit: Call, rules: Facts, used: Mapping[str, Any]) -> None:
    """`ConfigError` where an edit takes more than is left of a limit over time, by which it would be denied later."""
    if not used:
        return
    summed = [check for check in rules.checks.get(edit.tool, ()) if check.quota and check.quota.argument]
    found = worst(examine(summed, *[Act(edit.tool, form, used) for form in edit.forms]))
    if found.verdict == "deny":
        raise ConfigError(f"The edited call is denied by policy: {found.label}: {found.sentence}.")


def _check_person(call: CallState, command: Decide, proves: Proves) -> None:
    """`ConfigError` if the question asks for certain people, and this is not, or not provably, one of them."""
    asking = call.asking
    if asking.who and command.by not in asking.who:
        raise ConfigError(f"{command.by} cannot approve {call.id}: the rules ask {' or '.join(asking.who)} for that.")
    if not (asking.personal or command.passphrase) or proves(command.by, command.passphrase):
        return
    if command.passphrase:
        raise ConfigError(
            f"This is not the passphrase of {command.by}, or {command.by} is not among %agent people: "
            "%agent people add NAME lists a person."
        )
    many = "people who prove who they are" if call.approvers > 1 else "somebody who proves who it is"
    raise ConfigError(
        f"The call {call.id} needs {call.approvers} {many}: type %agent approve {call.id} --as NAME, "
        "which asks for the passphrase. %agent people add NAME lists a person."
    )
