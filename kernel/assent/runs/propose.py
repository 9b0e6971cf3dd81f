"""Deciding a batch: every proposed call is judged before anything in the batch runs."""

from dataclasses import replace
from typing import Any

from assent.core.clock import CLOCK
from assent.core.events import Event, Kind
from assent.core.ids import place, proposer
from assent.core.reading import to_json
from assent.policy.asking import asked
from assent.policy.decide import decide
from assent.policy.facts import Call
from assent.policy.taint import NOTE
from assent.policy.verdict import Allow, Ask, Decision, Deny
from assent.runs.act import act_of, reading_of
from assent.runs.call_state import CallState
from assent.runs.expiry import expired, is_over
from assent.runs.lasting import Lasting
from assent.runs.outcome import written
from assent.runs.run import Run
from assent.tools.execute import misfit, parse

MOVED = "that was not so when it was decided"
CHANGED = "the tools or rules have changed since it was decided"
BELIEVED = "what the run has read is trusted since it was asked"
GIVEN = ("allowed for this run", "allowed for this session")
LATE = "nobody answered in time when it was asked before"
UNKNOWN = "it began, was cut off, and nobody recorded how it ended"
DEEPEST = 3  # a model's call, its proposals, theirs: the last cannot be of tools that propose
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
        elif call.expired or is_over(call):
            events += [*([] if call.expired else [expired(run.state, call)]), *_again(run, call, LATE)]
        elif call.result is None and has_lapsed(run, call):
            moved = call.id in run.known or _bound(run, call) != call.bound
            events += _again(run, call, MOVED if moved and call.policy_version == run.rules.version else CHANGED)
        elif call.waits and not call.unknown and _is_believed(run, call):
            events += _again(run, call, BELIEVED)
    return events


def _is_believed(run: Run, call: CallState) -> bool:
    """Whether somebody was asked because of what the run had read, and vouches for all of that by now."""
    if not any(label == NOTE for label, _ in call.notes):
        return False
    return not any(label == NOTE for label, _ in decide(act_of(run, call), run.facts).notes)


def decided(
    run: Run, call: CallState, decision: Decision, arguments: dict[str, Any], *, unknown: bool = False
) -> Event:
    """The event that says what policy decided of a call with these arguments."""
    tool = run.tools.get(call.tool)
    body: dict[str, Any] = {"arguments": arguments, "reason": decision.reason}
    body |= to_json(act_of(run, call, arguments).reading)
    if above := proposer(call.id):
        body |= {"proposed_by": above, **({"why": call.why} if call.why else {})}
        by = ("Proposed by", f"{run.state.batch[above].tool}, the call {above}.")
        decision = replace(decision, notes=(by, *decision.notes))
    if isinstance(decision, Ask):
        body |= {"approvers": decision.approvers, "grantable": decision.lasting}
        body |= {"who": list(decision.who)} if decision.who else {}
        body |= {"until": CLOCK.now() + decision.expires} if decision.expires is not None else {}
    elif isinstance(decision, Allow) and (given := carrying(run, act_of(run, call, arguments))):
        body |= {"reason": GIVEN[bool(given.session)], "grant": given.id, "given_by": given.by}
    if decision.rule:
        body["rule"] = decision.rule
    if decision.notes:
        body["notes"] = [list(note) for note in decision.notes]
    if call.id in run.known:
        body["known"] = dict(run.known[call.id])
    if unknown:
        body["unknown"] = True
    return run.event(
        Kind.CALL_DECIDED, step=call.step, call=call.id, tool=call.tool, decision=decision.name,
        privilege=tool.privilege if tool else None, body=body | {"policy_version": run.rules.version},
    )  # fmt: skip


def carrying(run: Run, act: Call) -> Lasting | None:
    """What a person gave for a run or session without which this would not run on its own, if there is such a thing."""
    given = run.given().get(act.tool)
    if given is None or isinstance(decide(act, replace(run.facts, allowed=frozenset())), Allow):
        return None
    return given


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
        reading_of(run, call, arguments)
    except ValueError as error:
        problem = misfit(call.tool, error)
    decision = _nested(run, call) or decide(act_of(run, call, arguments), run.facts)
    if isinstance(decision, Deny):
        return _denied(run, call, decision, arguments, problem)
    if problem:
        decision = Deny(problem)  # nobody is asked about a call that could not run anyway
    event = decided(run, call, decision, arguments)
    return [event, settled(run, call, problem)] if problem else [event]


def _denied(run: Run, call: CallState, decision: Deny, arguments: dict[str, Any], problem: str = "") -> list[Event]:
    """The decision and the result of a call that must not run; in a dry run the latter says what it would do."""
    act = act_of(run, call, arguments)
    free = decide(act, replace(run.facts, mode="auto")) if decision.dry else decision
    if isinstance(free, Deny):  # the other voices deny it too
        return [decided(run, call, free, arguments), settled(run, call, f"Denied: {free.reason}")]
    if problem:
        return [decided(run, call, Deny(problem), arguments), settled(run, call, problem)]
    event = decided(run, call, decision, arguments)
    event.body["dry"] = free.name
    first = f"ask a person ({free.reason}) and then " if isinstance(free, Ask) else ""
    would = f"it would {first}run {call.tool} with {written(arguments)}"
    return [event, settled(run, call, f"{decision.reason[0].upper()}{decision.reason[1:]}; {would}.", error=False)]


def _nested(run: Run, call: CallState) -> Deny | None:
    tool = run.tools.get(call.tool)
    if tool is None or not tool.proposes or len(place(call.id)) < DEEPEST:
        return None
    return Deny(f"{call.tool} proposes itself, and proposals of proposals of proposals are not taken")


def _cut_off(run: Run, call: CallState) -> list[Event]:
    if run.tools[call.tool].idempotent and not call.elsewhere and not has_lapsed(run, call):
        return []
    return _unknown(run, call)


def _unknown(run: Run, call: CallState) -> list[Event]:
    """The question what became of a call; whatever the rules say of it now, it may have happened under others."""
    decision = decide(act_of(run, call), run.facts)
    put = decision if isinstance(decision, Ask) else asked(Ask(""), run.facts.layers.of("ask"))
    asking = put if isinstance(put, Ask) else Ask("")
    asking = replace(asking, reason=ELSEWHERE if call.elsewhere else UNKNOWN, grantable=False)
    return [decided(run, call, asking, call.arguments, unknown=True)]


def has_lapsed(run: Run, call: CallState) -> bool:
    """Whether the call may run no more on what was said: under other rules, or of another tool of that name."""
    if call.decision == "allow":
        return not isinstance(decide(act_of(run, call), run.facts), Allow)
    open_one = not call.unknown and call.verdict in ("", "approve")
    if open_one and isinstance(decide(act_of(run, call), run.facts), Deny):
        return True
    now = (run.rules.version, _bound(run, call))
    return any((item.policy_version, item.bound) != now for item in call.approvals)


def _bound(run: Run, call: CallState) -> str:
    reading = act_of(run, call).reading
    return reading.bound if reading else ""


def _again(run: Run, call: CallState, why: str) -> list[Event]:
    if call.unknown:
        return _unknown(run, call)
    decision = decide(act_of(run, call), run.facts)
    if isinstance(decision, Ask):
        decision = replace(decision, reason=f"{decision.reason}, and {why}")
    if isinstance(decision, Deny):
        return _denied(run, call, decision, call.arguments)
    return [decided(run, call, decision, call.arguments)]
