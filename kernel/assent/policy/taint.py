"""The voice that minds what a run has read: with untrusted content in it, nothing acts outside on its own."""

from assent.core.privilege import LEVELS, READ_ONLY, level
from assent.core.taint import UNTRUSTED, Sources, told
from assent.policy.facts import Call, Facts
from assent.policy.verdict import Ask, Decision

NOTE = "Untrusted content"
_INSIDE = level("execute_safe")  # the highest level that stays inside, unless the tool says otherwise


def by_taint(call: Call, facts: Facts) -> Decision | None:
    """A question for each call that acts outside of a run that has read what nobody vouches for.

    No earlier yes covers it, nor can this one cover a later call: what was read may be what proposes it.
    """
    if not facts.taint or not acts_outside(call.tool, facts):
        return None
    if not (counted := _others(facts.taint, call.tool)):
        return None
    return Ask(
        f"{call.tool} acts outside, and the run has read what is not trusted",
        grantable=False,
        notes=((NOTE, f"{UNTRUSTED}: {told(counted)}. Look whether you want this, or they do."),),
    )


def acts_outside(tool: str, facts: Facts) -> bool:
    """Whether a tool sends, writes or executes outside: as it declares, else by its privilege; unknown ones do."""
    privilege = facts.privileges.get(tool, "")
    if privilege == READ_ONLY:
        return False
    if declared := facts.acts.get(tool):
        return declared != "inside"
    return privilege not in LEVELS or level(privilege) > _INSIDE


def _others(taint: Sources, tool: str) -> Sources:
    """Without what the tool itself gave back while it declared no source: an answer of its own is no order for it."""
    if not any(source.name == tool for source in taint):
        return taint
    return tuple([source for source in taint if source.kind != "tool" or source.name != tool])
