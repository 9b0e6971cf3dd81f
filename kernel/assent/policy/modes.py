"""The first voice: the privilege of the tool, and the mode that policy gives it."""

from assent.core.privilege import LEVELS, level
from assent.policy.facts import Call, Facts
from assent.policy.verdict import Allow, Ask, Decision, Deny

GRANTED = "allowed for this run"
AUTOMATIC = level("execute_safe")  # the highest level that runs on its own
_GRANTABLE = level("execute_risky")  # the highest level that "allow for this run" can cover
TWO_APPROVERS = level("super_admin")


def strictest(*modes: str | None) -> str:
    """The mode that holds where several policies name one; auto where none does, an unknown mode as strict as any."""
    order = {"auto": 0, "ask": 1, "disabled": 2}
    return max((mode for mode in modes if mode), key=lambda mode: order.get(mode, 2), default="auto")


def by_mode(call: Call, facts: Facts) -> Decision:
    """What the tool's privilege and mode say of a call. Tool names match exactly; what is not known is denied."""
    privilege = facts.privileges.get(call.tool)
    mode = facts.policy.get(call.tool)
    if privilege is None:
        return Deny(f"The agent has no tool {call.tool!r}; it has {', '.join(sorted(facts.privileges)) or 'none'}.")
    if privilege not in LEVELS:
        return Deny(f"The tool {call.tool!r} has the unknown privilege {privilege!r}.")
    if mode is None:
        return Deny(f"No policy covers the tool {call.tool!r}.")
    if mode == "disabled":
        return Deny(f"The tool {call.tool!r} is disabled by policy.")
    if mode not in ("auto", "ask"):
        return Deny(f"The policy for the tool {call.tool!r} is {mode!r}, which is not known.")
    return _by_level(call.tool, privilege, mode, facts.allowed)


def _by_level(tool: str, privilege: str, mode: str, allowed: frozenset[str]) -> Decision:
    height = level(privilege)
    if height <= AUTOMATIC and mode == "auto":
        return Allow(f"{privilege} runs on its own")
    if height <= _GRANTABLE and tool in allowed:
        return Allow(GRANTED)
    reason = f"{tool} is {privilege}" if height > AUTOMATIC else f"the policy for {tool} is ask"
    return Ask(reason, approvers=2 if height >= TWO_APPROVERS else 1, grantable=height <= _GRANTABLE)
