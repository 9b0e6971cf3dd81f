"""The one decision: `decide(call, facts)`. Pure; the strictest voice wins; what is not known is denied."""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from assent.core.canonical import digest
from assent.core.errors import GateError
from assent.core.grant import Grant, act_digest
from assent.core.privilege import LEVELS, level

GRANTED = "allowed for this run"
_AUTOMATIC = level("execute_safe")  # the highest level that runs on its own
_GRANTABLE = level("execute_risky")  # the highest level that "allow for this run" can cover
_TWO_APPROVERS = level("super_admin")


@dataclass(frozen=True, slots=True)
class Call:
    """A proposed call with its final arguments."""

    tool: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the decision may know: each tool's privilege and mode, and the tools a person has allowed for this run.

    `version` names the rules: it changes whenever they do, and approvals are bound to it. Made by `facts`.
    """

    privileges: Mapping[str, str]
    policy: Mapping[str, str]
    version: str
    allowed: frozenset[str] = field(default_factory=frozenset)


def facts(
    privileges: Mapping[str, str], policy: Mapping[str, str], identities: Mapping[str, str] = MappingProxyType({})
) -> Facts:
    """The facts of a run at its start; with `dataclasses.replace` a grant of a person is added later.

    `identities` tells tools of one name apart: an approval does not reach another tool that has taken its place.
    """
    return _shared(tuple(privileges.items()), tuple(policy.items()), tuple(identities.items()))


def strictest(*modes: str | None) -> str:
    """The mode that holds where several policies name one; auto where none does, an unknown mode as strict as any."""
    order = {"auto": 0, "ask": 1, "disabled": 2}
    return max((mode for mode in modes if mode), key=lambda mode: order.get(mode, 2), default="auto")


@functools.lru_cache(maxsize=256)
def _shared(
    privileges: tuple[tuple[str, str], ...],
    policy: tuple[tuple[str, str], ...],
    identities: tuple[tuple[str, str], ...],
) -> Facts:
    """One value for equal rules: thousands of runs at once have the same."""
    version = digest([dict(privileges), dict(policy), dict(identities)])[:16]
    return Facts(MappingProxyType(dict(privileges)), MappingProxyType(dict(policy)), version)


@dataclass(frozen=True, slots=True)
class Allow:
    """It may run."""

    reason: str
    name = "allow"


@dataclass(frozen=True, slots=True)
class Ask:
    """A person must say: `approvers` different ones. `grantable`: one may allow the tool for the rest of the run."""

    reason: str
    approvers: int = 1
    grantable: bool = True
    name = "ask"


@dataclass(frozen=True, slots=True)
class Deny:
    """It must not run; `reason` is for the model and the person alike."""

    reason: str
    name = "deny"


Decision = Allow | Ask | Deny


def decide(call: Call, facts: Facts) -> Decision:
    """Whether `call` may run. Tool names match exactly."""
    privilege = facts.privileges.get(call.tool)
    mode = facts.policy.get(call.tool)
    if privilege is None:
        return Deny(f"There is no tool {call.tool!r} here; there are {', '.join(sorted(facts.privileges)) or 'none'}.")
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
    if height <= _AUTOMATIC and mode == "auto":
        return Allow(f"{privilege} runs on its own")
    if height <= _GRANTABLE and tool in allowed:
        return Allow(GRANTED)
    reason = f"{tool} is {privilege}" if height > _AUTOMATIC else f"the policy for {tool} is ask"
    return Ask(reason, approvers=2 if height >= _TWO_APPROVERS else 1, grantable=height <= _GRANTABLE)


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's yes: bound to the act's digest and to the policy under which it was asked."""

    by: str
    digest: str
    policy_version: str


def permit(run: str, call_id: str, call: Call, facts: Facts, approvals: Iterable[Approval] = ()) -> Grant:
    """The grant to run `call` now, decided afresh; `GateError` where the decision or its approvals do not carry it."""
    decision = decide(call, facts)
    if isinstance(decision, Deny):
        raise GateError(decision.reason)
    if isinstance(decision, Ask):
        act = act_digest(call.tool, call.arguments)
        voices = {item.by for item in approvals if item.digest == act and item.policy_version == facts.version}
        if len(voices) < decision.approvers:
            raise GateError(f"Call {call_id} has {len(voices)} of {decision.approvers} approvals for these arguments.")
    return Grant(run, call_id, call.tool, call.arguments, facts.version)
