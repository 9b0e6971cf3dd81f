"""Deciding a batch: every proposed call is judged before anything in the batch runs."""

from dataclasses import replace
from typing import Any

from assent.core.events import Event, Kind
from assent.policy.decide import decide
from assent.policy.facts import Call
from assent.policy.verdict import Allow, Ask, Decision, Deny
from assent.runs.run import Run
from assent.runs.state import CallState
from assent.tools.execute import misfit, parse
from assent.tools.tool import validate

CHANGED = "the tools or rules have changed since it was decided"
UNKNOWN = "it began, was cut off, and nobody recorded how it ended"
ELSEWHERE = "it began in the run that this one is a fork of, and how it ended is not among the steps that they share"
_BEGAN = "This call was cut off after it had begun, and nobody recorded how it ended."


def decide_batch(run: Run) -> list[Event]:
    """The decisions, and the results of what is denied or malformed, for every call that has none yet."""
    events: list[Event] = []
    for call in run.state.batch.values():
        if not call.decision:
            events += _first(run, call)
        elif call.started and call.result is None and not call.unknown:
            events += _cut_off(run, call)
        elif call.result is None and _has_lapsed(run, call):
            events += _again(run, call)
    return events


def decided(
    run: Run, call: CallState, decision: Decision, arguments: dict[str, Any], *, unknown: bool = False
) -> Event:
    """The event that says what policy decided of a call with these arguments."""
    tool = run.tools.get(call.tool)
    body: dict[str, Any] = {"arguments": arguments, "reason": decision.reason}
    if isinstance(decision, Ask):
        body |= {"approvers": decision.approvers, "grantable": decision.grantable}
    if decision.rule:
        body["rule"] = decision.rule
    if decision.notes:
        body["notes"] = [list(note) for note in decision.notes]
    if unknown:
        body["unknown"] = True
    return run.event(
        Kind.CALL_DECIDED, step=call.step, call=call.id, tool=call.tool, decision=decision.name,
        privilege=tool.privilege if tool else None, body=body | {"policy_version": run.rules.version},
    )  # fmt: skip


def settled(run: Run, call: CallState, text: str, *, error: bool = True) -> Event:
    """The result of a call that is not run: refused, malformed, or known to have happened before."""
    return run.event(
        Kind.CALL_FINISHED, step=call.step, call=call.id, tool=call.tool, body={"text": text, "error": error}
    )


def by_person(run: Run, call: CallState) -> Event:
    """The result of a call that a person has settled without its being run."""
    if call.verdict == "happened":
        return settled(run, call, f"The analyst reports what this call did: {call.said}", error=False)
    reason = f": {call.said}" if call.said else "."
    if call.unknown:
        return settled(run, call, f"{_BEGAN} The analyst says that it did not happen and must not{reason}")
    return settled(run, call, f"The analyst rejected this call{reason}")


def unanswered(run: Run, call: CallState) -> Event:
    """The result of a call that needs a person where nobody can be asked."""
    if call.unknown:
        return settled(run, call, f"{_BEGAN} Nobody is there to ask, so it was not run again: it may have happened.")
    return settled(run, call, "Denied: this call needs a person, and there is nobody to ask.")


def _first(run: Run, call: CallState) -> list[Event]:
    problem = ""
    arguments: dict[str, Any] = {}
    try:
        arguments = parse(call.proposed.arguments)
        if tool := run.tools.get(call.tool):
            validate(tool, arguments)
    except ValueError as error:
        problem = misfit(call.tool, error)
    decision = decide(Call(call.tool, arguments), run.facts)
    if isinstance(decision, Deny):
        problem = f"Denied: {decision.reason}"
    elif problem:
        decision = Deny(problem)  # nobody is asked about a call that could not run anyway
    event = decided(run, call, decision, arguments)
    return [event, settled(run, call, problem)] if problem else [event]


def _cut_off(run: Run, call: CallState) -> list[Event]:
    if run.tools[call.tool].idempotent and not call.elsewhere and not _has_lapsed(run, call):
        return []
    return _unknown(run, call)


def _unknown(run: Run, call: CallState) -> list[Event]:
    """The question what became of a call; whatever the rules say of it now, it may have happened under others."""
    decision = decide(Call(call.tool, call.arguments), run.facts)
    approvers = decision.approvers if isinstance(decision, Ask) else 1
    why = ELSEWHERE if call.elsewhere else UNKNOWN
    return [decided(run, call, Ask(why, approvers, grantable=False), call.arguments, unknown=True)]


def _has_lapsed(run: Run, call: CallState) -> bool:
    """Whether the call may run no more on what was said: under other rules, or of another tool of that name."""
    if call.decision == "allow":
        return not isinstance(decide(Call(call.tool, call.arguments), run.facts), Allow)
    return any(item.policy_version != run.rules.version for item in call.approvals)


def _again(run: Run, call: CallState) -> list[Event]:
    if call.unknown:
        return _unknown(run, call)
    decision = decide(Call(call.tool, call.arguments), run.facts)
    if isinstance(decision, Ask):
        decision = replace(decision, reason=f"{decision.reason}, and {CHANGED}")
    event = decided(run, call, decision, call.arguments)
    return [event, settled(run, call, f"Denied: {decision.reason}")] if isinstance(decision, Deny) else [event]
