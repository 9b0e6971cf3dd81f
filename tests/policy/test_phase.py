"""The mode of a run as a voice: what only reads is none of its business, and no grant gets past it."""

from dataclasses import replace

import pytest

from assent.core.errors import GateError
from assent.core.grant import act_digest
from assent.core.privilege import LEVELS
from assent.core.run_mode import PLAN
from assent.policy.decide import Approval, decide, permit
from assent.policy.facts import Call, Facts, facts
from assent.policy.phase import by_phase, under
from assent.policy.verdict import Allow, Ask, Deny

CALL = Call("act", {})
ABOVE = [level for level in LEVELS if level != "read_only"]


def rules(mode: str, privilege: str, *, planned: bool = False, allowed: bool = False) -> Facts:
    tools = {"act": privilege, PLAN: "read_only"}
    made = under(facts(tools, dict.fromkeys(tools, "auto")), mode)
    return replace(made, planned=planned, allowed=frozenset({"act"} if allowed else ()))


@pytest.mark.parametrize("mode", ["auto", "strict", "dry-run"])
def test_what_only_reads_runs(mode: str) -> None:
    assert isinstance(decide(CALL, rules(mode, "read_only")), Allow)


@pytest.mark.parametrize("privilege", ABOVE)
@pytest.mark.parametrize("allowed", [False, True])
def test_a_dry_run_performs_nothing(privilege: str, *, allowed: bool) -> None:
    known = rules("dry-run", privilege, allowed=allowed)
    decision = decide(CALL, known)
    assert isinstance(decision, Deny)
    assert decision.dry
    yes = [Approval(by, act_digest("act", {}), known.version) for by in ("ada", "bob")]
    with pytest.raises(GateError, match="dry run"):
        permit("r", "r.1", CALL, known, yes)


@pytest.mark.parametrize("privilege", ABOVE)
def test_a_strict_run_wants_a_plan_first(privilege: str) -> None:
    decision = decide(CALL, rules("strict", privilege))
    assert isinstance(decision, Deny)
    assert not decision.dry
    assert "call plan(steps=[…])" in decision.reason


@pytest.mark.parametrize("privilege", ABOVE)
@pytest.mark.parametrize("allowed", [False, True])
def test_after_the_plan_each_effect_asks(privilege: str, *, allowed: bool) -> None:
    decision = decide(CALL, rules("strict", privilege, planned=True, allowed=allowed))
    assert isinstance(decision, Ask)
    assert not decision.grantable


def test_the_plan_itself_asks_and_is_never_allowed_for_good() -> None:
    for planned in (False, True):
        decision = decide(Call(PLAN, {"steps": ["Look."]}), rules("strict", "read_only", planned=planned))
        assert isinstance(decision, Ask)
        assert not decision.grantable


def test_an_unknown_tool_is_denied_as_such() -> None:
    for mode in ("strict", "dry-run"):
        decision = decide(Call("other", {}), rules(mode, "admin"))
        assert isinstance(decision, Deny)
        assert not decision.dry
        assert "no tool 'other'" in decision.reason


def test_an_unknown_mode_denies() -> None:
    assert isinstance(by_phase(CALL, rules("loose", "execute_safe")), Deny)


def test_approvals_of_one_mode_do_not_hold_in_another() -> None:
    versions = {mode: rules(mode, "admin").version for mode in ("auto", "strict", "dry-run")}
    assert len(set(versions.values())) == 3
    assert versions["auto"] == facts({"act": "admin", PLAN: "read_only"}, {"act": "auto", PLAN: "auto"}).version
