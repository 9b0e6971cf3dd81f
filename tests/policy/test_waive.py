"""A waiver loosens what a file's rule asks, is named by what it made possible, and never spares a privilege."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from assent.core.waiver import EVERYBODY, Waiver
from assent.policy.decide import decide
from assent.policy.document import read
from assent.policy.facts import Call, Facts, facts
from assent.policy.layers import Layers
from assent.policy.verdict import Allow, Ask, Deny, strictest_of
from assent.policy.waive import waived

WAIVER = Waiver("w1", "month end", "ana", datetime(2026, 11, 30, tzinfo=UTC), tool="mail")
RULES = '[[rule]]\ntool = "mail"\nmode = "{mode}"\n'


def known(privilege: str, mode: str) -> Facts:
    document = read(RULES.format(mode=mode), "policy.toml", "workspace")
    return facts({"mail": privilege}, {"mail": "auto"}, {}, Layers((document,)), agent="analyst", user="ana")


@pytest.mark.parametrize("decision", [Ask("it asks", 2, False, "policy.toml:3"), Deny("it must not", "policy.toml:3")])
def test_a_waived_rule_says_yes_and_names_the_waiver(decision: Ask | Deny) -> None:
    loosened = waived(decision, "mail", "workspace", [WAIVER])
    assert isinstance(loosened, Allow)
    assert (loosened.rule, loosened.notes) == ("policy.toml:3", (WAIVER.note,))
    assert waived(decision, "sql", "workspace", [WAIVER]) is decision
    assert waived(decision, "mail", "workspace", []) is decision


def test_the_organisations_rule_yields_to_a_waiver_of_its_own_file_only() -> None:
    decision = Ask("ana and ben say", 2, who=("ana", "ben"))
    assert waived(decision, "mail", "organisation", [WAIVER]) is decision
    own = replace(WAIVER, tenant=EVERYBODY, by="/etc/assent/policy.toml:4")
    assert isinstance(waived(decision, "mail", "organisation", [WAIVER, own]), Allow)


def test_what_needs_no_waiver_names_none() -> None:
    allow = Allow("fine")
    assert waived(allow, "mail", "workspace", [WAIVER]) is allow


def test_the_note_of_a_yes_stays_with_whoever_else_decides() -> None:
    yes = Allow("waived", notes=(WAIVER.note,))
    assert strictest_of([Allow("fine"), yes]).notes == (WAIVER.note,)
    asked = strictest_of([yes, Ask("it is admin")])
    assert isinstance(asked, Ask)
    assert asked.notes == (WAIVER.note,)


@pytest.mark.parametrize(
    ("privilege", "after"),
    [("read_only", ("allow", 0)), ("execute_risky", ("ask", 1)), ("admin", ("ask", 1)), ("super_admin", ("ask", 2))],
)
@pytest.mark.parametrize("mode", ["ask", "disabled"])
def test_privileges_ask_as_before(privilege: str, mode: str, after: tuple[str, int]) -> None:
    strict = known(privilege, mode)
    assert decide(Call("mail", {}), strict).name == ("ask" if mode == "ask" else "deny")
    loosened = decide(Call("mail", {}), replace(strict, waivers=(WAIVER,)))
    assert (loosened.name, getattr(loosened, "approvers", 0)) == after
    assert WAIVER.note in loosened.notes
