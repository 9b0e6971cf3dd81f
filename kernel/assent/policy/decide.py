"""The one decision: `decide(call, facts)`. Pure; the strictest voice wins; what is not known is denied."""

from collections.abc import Iterable
from dataclasses import dataclass

from assent.core.errors import GateError
from assent.core.grant import Grant, act_digest
from assent.policy.asking import asked
from assent.policy.ceiling import by_ceiling
from assent.policy.facts import Call, Facts, Voice
from assent.policy.modes import by_mode
from assent.policy.phase import by_phase
from assent.policy.risk import by_risk
from assent.policy.rule import by_rule
from assent.policy.taint import by_taint
from assent.policy.verdict import Ask, Decision, Deny, strictest_of

VOICES: tuple[Voice, ...] = (by_mode, by_rule, by_ceiling, by_phase, by_taint, by_risk)


def decide(call: Call, facts: Facts) -> Decision:
    """Whether `call` may run: the strictest of what the voices say."""
    return asked(strictest_of([voice(call, facts) for voice in VOICES]), facts.layers.of("ask"))


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's yes: bound to the act's digest and to the policy under which it was asked.

    `bound`: and to what the tool reads in them (`core.reading`). `proved`: whoever said it knew the passphrase of `by`
    (`core.people`).
    """

    by: str
    digest: str
    policy_version: str
    proved: bool = False
    bound: str = ""


def permit(run: str, call_id: str, call: Call, facts: Facts, approvals: Iterable[Approval] = ()) -> Grant:
    """The grant to run `call` now, decided afresh; `GateError` where the decision or its approvals do not carry it."""
    decision = decide(call, facts)
    if isinstance(decision, Deny):
        raise GateError(decision.reason)
    if isinstance(decision, Ask):
        act = (act_digest(call.tool, call.arguments), call.reading.bound if call.reading else "")
        same = [item for item in approvals if (item.digest, item.bound) == act]
        held = [item for item in same if item.policy_version == facts.version]
        voices = {item.by for item in held if counts(item.by, decision, proved=item.proved)}
        if len(voices) < decision.approvers:
            raise GateError(f"Call {call_id} has {len(voices)} of {decision.approvers} approvals for these arguments.")
    values = call.reading.values if call.reading else None
    return Grant(run, call_id, call.tool, call.arguments, facts.version, values)


def counts(name: str, asking: Ask, *, proved: bool) -> bool:
    """Whether a yes of this person counts for a question."""
    return (not asking.who or name in asking.who) and (proved or not asking.personal)
