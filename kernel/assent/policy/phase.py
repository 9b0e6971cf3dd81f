"""The voice of a run's mode: a dry run performs nothing; a strict one makes a plan first, then asks for each effect."""

from collections.abc import Mapping
from dataclasses import replace

from assent.core.canonical import digest
from assent.core.privilege import READ_ONLY
from assent.core.run_mode import PLAN
from assent.policy.facts import Call, Facts
from assent.policy.verdict import Ask, Decision, Deny

DRY = "not performed: this is a dry run"
NO_PLAN = (
    f"this run is strict, and no plan of it is approved yet. Make a plan first: call {PLAN}(steps=[…]) with every step "
    "that changes anything, alone, and wait for the answer."
)
# What a model is told of the mode, behind its agent's instructions.
TOLD: Mapping[str, str] = {
    "strict": (
        f"This run is strict. You may read freely. Before anything else call the tool {PLAN} with the steps that you "
        "intend; a person approves them, changes them or rejects them. Until a plan is approved every other call is "
        "denied, and afterwards a person is asked about each effect."
    ),
    "dry-run": (
        "This is a dry run. You may read freely. Every other call is written down and not performed; its result says "
        "what it would do. Propose all that you would do, and do not repeat a call because it was not performed."
    ),
}


def under(rules: Facts, mode: str) -> Facts:
    """The rules of a run in that mode. What was approved in another mode is asked again: the version is another."""
    return rules if mode == rules.mode else replace(rules, mode=mode, version=digest([rules.version, mode])[:16])


def by_phase(call: Call, facts: Facts) -> Decision | None:
    """What the mode says of a call; nothing of one that only reads, nor of anything where the mode is auto."""
    if facts.mode == "auto":
        return None
    if facts.mode == "strict" and call.tool == PLAN:
        return Ask("a strict run begins with a plan", grantable=False)
    if facts.privileges.get(call.tool) in (READ_ONLY, None):
        return None  # what is not known is denied by another voice
    if facts.mode == "dry-run":
        return Deny(DRY, dry=True)
    if facts.mode != "strict":
        return Deny(f"The mode {facts.mode!r} of this run is not known.")
    return Ask("in a strict run each effect asks", grantable=False) if facts.planned else Deny(NO_PLAN)
