"""The gate as a table: privilege x mode x what a person has allowed. What is not known is denied."""

from dataclasses import replace

import pytest

from assent.core.errors import GateError
from assent.core.grant import act_digest
from assent.policy.decide import Approval, decide, permit
from assent.policy.facts import Call, Facts, facts
from assent.policy.modes import strictest
from assent.policy.verdict import Allow, Ask, Decision, Deny

CALL = Call("act", {"x": 1})


def rules(privilege: str = "execute_risky", mode: str = "auto", *, allowed: bool = False) -> Facts:
    made = facts({"act": privilege}, {"act": mode})
    return replace(made, allowed=frozenset({"act"})) if allowed else made


def yes(by: str, call: Call = CALL, version: str | None = None, *, proved: bool = True) -> Approval:
    return Approval(by, act_digest(call.tool, call.arguments), version or rules("super_admin").version, proved)


@pytest.mark.parametrize(
    ("privilege", "mode", "allowed", "expected"),
    [
        ("read_only", "auto", False, Allow),
        ("execute_safe", "auto", False, Allow),
        ("execute_risky", "auto", False, Ask),
        ("admin", "auto", False, Ask),
        ("super_admin", "auto", False, Ask),
        ("read_only", "auto", True, Allow),
        ("execute_safe", "auto", True, Allow),
        ("execute_risky", "auto", True, Allow),
        ("admin", "auto", True, Ask),
        ("super_admin", "auto", True, Ask),
        ("read_only", "ask", False, Ask),
        ("execute_safe", "ask", False, Ask),
        ("execute_risky", "ask", False, Ask),
        ("admin", "ask", False, Ask),
        ("super_admin", "ask", False, Ask),
        ("read_only", "ask", True, Allow),
        ("execute_safe", "ask", True, Allow),
        ("execute_risky", "ask", True, Allow),
        ("admin", "ask", True, Ask),
        ("super_admin", "ask", True, Ask),
        *[
            (privilege, "disabled", allowed, Deny)
            for privilege in ("read_only", "execute_safe", "execute_risky", "admin", "super_admin")
            for allowed in (False, True)
        ],
    ],
)
def test_the_table(privilege: str, mode: str, allowed: bool, expected: type[Decision]) -> None:
    assert type(decide(CALL, rules(privilege, mode, allowed=allowed))) is expected


@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.parametrize(
    ("privileges", "policy", "reason"),
    [
        ({}, {}, "The agent has no tool 'act'; it has none"),
        ({"other": "read_only"}, {"other": "auto"}, "it has other"),
        ({"Act": "read_only"}, {"Act": "auto"}, "The agent has no tool 'act'"),
        ({"a*": "read_only"}, {"a*": "auto"}, "The agent has no tool 'act'"),
        ({"act": "read_only"}, {}, "No policy covers"),
        ({"act": "read_only"}, {"*": "auto"}, "No policy covers"),
        ({"act": "harmless"}, {"act": "auto"}, "unknown privilege 'harmless'"),
        ({"act": ""}, {"act": "auto"}, "unknown privilege ''"),
        ({"act": "read_only"}, {"act": "yes"}, "'yes', which is not known"),
        ({"act": "read_only"}, {"act": ""}, "'', which is not known"),
    ],
)
def test_what_is_not_known_is_denied(
    privileges: dict[str, str], policy: dict[str, str], reason: str, allowed: bool
) -> None:
    given = replace(facts(privileges, policy), allowed=frozenset({"act"} if allowed else ()))
    decision = decide(CALL, given)
    assert isinstance(decision, Deny)
    assert reason in decision.reason


@pytest.mark.parametrize(
    ("privilege", "approvers", "grantable"),
    [("read_only", 1, True), ("execute_risky", 1, True), ("admin", 1, False), ("super_admin", 2, False)],
)
def test_who_must_say(privilege: str, approvers: int, grantable: bool) -> None:
    decision = decide(CALL, rules(privilege, "ask"))
    assert isinstance(decision, Ask)
    assert (decision.approvers, decision.grantable) == (approvers, grantable)


def test_the_version_changes_with_every_rule_and_with_nothing_else() -> None:
    assert rules().version == rules().version == rules(allowed=True).version
    assert (
        len({rules(privilege, mode).version for privilege in ("admin", "read_only") for mode in ("auto", "ask")}) == 4
    )


def test_what_is_allowed_needs_no_approval() -> None:
    permit("r", "r.1", CALL, rules("execute_safe")).redeem("r.1", "act", {"x": 1})


@pytest.mark.parametrize(
    "approvals",
    [
        [],
        [yes("ada")],
        [yes("ada"), yes("ada")],
        [yes("ada"), yes("eve", Call("act", {"x": 2}))],
        [yes("ada"), yes("eve", Call("other", {"x": 1}))],
        [yes("ada"), yes("eve", version="of yesterday")],
        [yes("ada"), yes("eve", proved=False)],
    ],
    ids=[
        "none",
        "one",
        "twice the same",
        "for other arguments",
        "for another tool",
        "under other rules",
        "a mere name",
    ],
)
def test_super_admin_needs_two_people_for_this_very_act_under_these_rules(approvals: list[Approval]) -> None:
    with pytest.raises(GateError, match="of 2 approvals for these arguments"):
        permit("r", "r.1", CALL, rules("super_admin"), approvals)


def test_two_people_suffice() -> None:
    grant = permit("r", "r.1", CALL, rules("super_admin"), [yes("ada"), yes("eve")])
    assert (grant.run, grant.call, grant.policy_version) == ("r", "r.1", rules("super_admin").version)
    with pytest.raises(GateError):
        grant.redeem("r.1", "act", {"x": 2})
    grant.redeem("r.1", "act", {"x": 1})
    with pytest.raises(GateError):
        grant.redeem("r.1", "act", {"x": 1})


def test_no_number_of_approvals_carries_what_is_denied() -> None:
    with pytest.raises(GateError, match="disabled by policy"):
        permit("r", "r.1", CALL, rules("execute_risky", "disabled", allowed=True), [yes("ada"), yes("eve")])


@pytest.mark.parametrize(
    ("modes", "expected"),
    [
        ((), "auto"),
        ((None, None), "auto"),
        (("auto", None), "auto"),
        (("ask", "auto"), "ask"),
        (("auto", "ask", "disabled"), "disabled"),
        ((None, "disabled"), "disabled"),
        (("ask", "odd"), "odd"),
    ],
)
def test_of_several_policies_the_strictest_holds(modes: tuple[str | None, ...], expected: str) -> None:
    assert strictest(*modes) == expected


def test_an_unknown_mode_is_never_loosened_to_one_that_may_run() -> None:
    assert isinstance(decide(CALL, rules(mode=strictest("odd", "auto"))), Deny)
