"""An agent gets nothing above its ceiling, whatever anybody allows."""

from dataclasses import replace

import pytest
from tests.policy.policies import ruled

from assent.core.errors import ConfigError
from assent.policy.decide import decide
from assent.policy.document import read
from assent.policy.facts import Call
from assent.policy.verdict import Allow, Deny

SAFE = '[agents.analyst]\nceiling = "execute_safe"'


def test_what_lies_above_is_denied_and_what_lies_below_is_left_alone() -> None:
    facts = ruled(SAFE)
    denied = decide(Call("mail_send", {}), facts)
    assert isinstance(denied, Deny)
    assert denied.rule == "policy.toml:1"
    assert "execute_risky" in denied.reason
    assert "the agent analyst" in denied.reason
    assert isinstance(decide(Call("pay", {}), facts), Allow)


def test_nothing_that_a_person_allowed_reaches_above() -> None:
    facts = replace(ruled(SAFE), allowed=frozenset({"mail_send"}))
    assert isinstance(decide(Call("mail_send", {}), facts), Deny)


def test_another_agent_is_not_meant() -> None:
    assert not isinstance(decide(Call("mail_send", {}), ruled(SAFE, agent="trader")), Deny)


def test_the_lowest_ceiling_holds_whichever_layer_says_it() -> None:
    above = '[agents."*"]\nceiling = "read_only"'
    assert decide(Call("pay", {}), ruled(SAFE, organisation=above)).rule == "organisation's policy.toml:1"
    below = '[agents.analyst]\nceiling = "admin"'
    assert isinstance(decide(Call("pay", {}), ruled(below, organisation=above)), Deny)


def test_where_it_is_not_known_which_agent_it_is_the_lowest_of_all_holds() -> None:
    assert isinstance(decide(Call("mail_send", {}), ruled(SAFE, agent="")), Deny)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('ceiling = "safe"', "p.toml:2: ceiling is 'safe'; "),
        ("ceiling = 1", "p.toml:2: ceiling is 1; "),
        ("", "p.toml:1: ceiling is None; "),
        ('ceiling = "admin"\nroof = 1', "p.toml:3: unknown key 'roof'"),
    ],
)
def test_what_is_no_ceiling_is_refused_with_its_line(body: str, expected: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(f"[agents.x]\n{body}", "p.toml", "workspace")
    assert str(raised.value).startswith(expected)
