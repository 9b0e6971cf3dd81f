"""What rules say of a call: they tighten, and where something cannot be told they take the strict side."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.policy.policies import ruled

from assent.core.errors import ConfigError
from assent.core.waiver import Waiver
from assent.policy.decide import decide
from assent.policy.document import read
from assent.policy.facts import Call, Facts
from assent.policy.rule import by_rule
from assent.policy.verdict import Allow, Ask, Deny


def decided(facts: Facts, tool: str, **arguments: Any) -> Any:
    return decide(Call(tool, arguments), facts)


def test_without_a_policy_no_rule_says_anything() -> None:
    assert by_rule(Call("pay", {}), ruled()) is None


def test_a_rule_for_one_tool_is_about_that_one_alone() -> None:
    facts = ruled('[[rule]]\ntool = "pay"\nmode = "ask"')
    assert isinstance(decided(facts, "pay"), Ask)
    assert isinstance(decided(facts, "look"), Allow)
    assert by_rule(Call("payment", {}), facts) is None


def test_a_glob_is_about_all_that_it_names() -> None:
    facts = ruled('[[rule]]\ntools = "mail_*"\nmode = "disabled"')
    assert decided(facts, "mail_send") == Deny("mail_send is disabled by policy.", "policy.toml:1")
    assert by_rule(Call("mail", {}), facts) is None


@pytest.mark.parametrize(
    ("amount", "expected"), [(100, Allow), ("100.00", Allow), (100.5, Ask), ("much", Ask), (None, Ask), (True, Ask)]
)
@pytest.mark.parametrize(("mode", "when"), [("auto", "amount <= 100"), ("ask", "amount > 100")])
def test_what_cannot_be_told_asks(mode: str, when: str, amount: Any, expected: type) -> None:
    facts = ruled(f'[[rule]]\ntool = "pay"\nmode = "{mode}"\nwhen = "{when}"')
    assert type(decided(facts, "pay", amount=amount)) is expected


def test_a_missing_argument_disables_what_it_would_decide() -> None:
    facts = ruled('[[rule]]\ntool = "pay"\nmode = "disabled"\nwhen = "amount > 100"')
    assert isinstance(decided(facts, "pay", amount=5), Allow)
    denied = decided(facts, "pay")
    assert isinstance(denied, Deny)
    assert "amount > 100, which cannot be told here (amount is missing)" in denied.reason


def test_auto_never_loosens() -> None:
    facts = ruled('[[rule]]\ntools = "*"\nmode = "auto"', policy={"look": "ask"})
    assert isinstance(decided(facts, "mail_send"), Ask)
    assert isinstance(decided(facts, "look"), Ask)
    assert isinstance(decided(facts, "unheard_of"), Deny)


def test_a_lower_layer_tightens_and_never_loosens() -> None:
    above = '[[rule]]\ntools = "p*"\nmode = "ask"\nwhen = "amount > 10"'
    below = '[[rule]]\ntools = "pa*"\nmode = "auto"\nwhen = "amount <= 100"'
    facts = ruled(below, organisation=above)
    assert isinstance(decided(facts, "pay", amount=5), Allow)
    assert decided(facts, "pay", amount=50).rule == "organisation's policy.toml:1"
    both = decided(facts, "pay", amount=500)
    assert "amount > 10" in both.reason
    assert "amount <= 100" in both.reason


def test_a_rule_may_be_for_one_agent_or_one_person() -> None:
    text = '[[rule]]\ntool = "pay"\nmode = "ask"\nagent = "trader"\n[[rule]]\ntool = "look"\nmode = "ask"\nuser = "ben"'
    assert isinstance(decided(ruled(text), "pay"), Allow)
    assert isinstance(decided(ruled(text, agent="trader"), "pay"), Ask)
    assert isinstance(decided(ruled(text), "look"), Allow)
    assert isinstance(decided(ruled(text, user="ben"), "look"), Ask)
    assert isinstance(decided(ruled(text, user=""), "look"), Ask)  # whose run it is is not known


def test_who_may_answer_how_many_and_how_long_reach_the_question() -> None:
    facts = ruled('[[rule]]\ntool = "pay"\nmode = "ask"\nwho = ["ana", "ben", "cleo"]\napprovers = 2\nexpires = "2h"')
    asked = decided(facts, "pay")
    assert (asked.who, asked.approvers, asked.expires) == (("ana", "ben", "cleo"), 2, 7200.0)
    assert asked.rule == "policy.toml:1"


def test_what_is_allowed_for_the_run_answers_a_rule_only_where_arguments_do_not_count() -> None:
    always = ruled('[[rule]]\ntool = "pay"\nmode = "ask"')
    assert decided(always, "pay").grantable
    assert isinstance(decided(replace(always, allowed=frozenset({"pay"})), "pay"), Allow)
    sometimes = ruled('[[rule]]\ntool = "pay"\nmode = "ask"\nwhen = "amount > 100"')
    assert not decided(sometimes, "pay", amount=500).grantable
    assert isinstance(decided(replace(sometimes, allowed=frozenset({"pay"})), "pay", amount=500), Ask)
    certain = ruled('[[rule]]\ntool = "pay"\nmode = "ask"\nwho = ["ana"]')
    assert isinstance(decided(replace(certain, allowed=frozenset({"pay"})), "pay"), Ask)


def test_a_waiver_loosens_a_rule_and_not_a_privilege() -> None:
    waivers = tuple(
        Waiver("w1", "month end", "ana", datetime(2100, 1, 1, tzinfo=UTC), tool=tool) for tool in ("pay", "mail_send")
    )
    facts = replace(ruled('[[rule]]\ntools = "*"\nmode = "disabled"'), waivers=waivers)
    assert isinstance(decided(facts, "pay"), Allow)
    assert "month end" in decided(facts, "pay").notes[0][1]
    assert isinstance(decided(facts, "mail_send"), Ask)
    assert isinstance(decided(facts, "look"), Deny)


def test_another_policy_is_another_version() -> None:
    texts = ["", *[f'[[rule]]\ntool = "pay"\nmode = "ask"\nwhen = "amount > {limit}"' for limit in (1, 2)]]
    assert len({ruled(text).version for text in texts}) == 3
    assert ruled(texts[1]).version == ruled(f"# why\n{texts[1]}").version
    assert ruled(texts[1]).version != ruled(organisation=texts[1]).version


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('tool = "pay"', "2: mode is None"),
        ('tool = "pay"\nmode = "always"', "4: mode is 'always'; there are ask, auto, disabled."),
        ('tool = "pay"\nmode = "aks"', "4: mode is 'aks'; did you mean 'ask'?"),
        ('tool = "pay"\nmode = "ask"\nwhn = "x"', "5: unknown key 'whn'; did you mean 'when'?"),
        ('mode = "ask"', '2: a rule is about one tool = "NAME"'),
        ('tool = "pay"\ntools = "p*"\nmode = "ask"', '4: a rule is about one tool = "NAME"'),
        ('tool = "p*"\nmode = "ask"', "3: 'p*' is a glob: write tools = \"p*\"."),
        ('tools = "pay"\nmode = "ask"', "3: 'pay' is no glob: write tool = \"pay\"."),
        ('tool = ["pay"]\nmode = "ask"', "3: tool is ['pay']: write a text in quotes."),
        ('tool = "pay"\nmode = "ask"\nwhen = "amount = 5"', "5: when is no condition: = compares nothing"),
        ('tool = "pay"\nmode = "ask"\nwhen = ""', "5: when is ''"),
        ('tool = "pay"\nmode = "disabled"\nwho = ["ana"]', "5: nobody is asked where mode is disabled"),
        ('tool = "pay"\nmode = "auto"\nexpires = "2h"', "5: nobody is asked where mode is auto"),
        ('tool = "pay"\nmode = "ask"\nskill = "x"', "5: there are no skills yet"),
        ('tool = "pay"\nmode = "ask"\nexpires = "soon"', "5: expires is 'soon'"),
        ('tool = "pay"\nmode = "ask"\nwho = ["ana"]\napprovers = 2', "6: approvers is 2, and who names 1"),
    ],
)
def test_what_is_no_rule_is_refused_with_its_line(body: str, expected: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(f"\n[[rule]]\n{body}", "p.toml", "workspace")
    assert str(raised.value).startswith(f"p.toml:{expected}")


def test_two_rules_that_contradict_each_other_are_refused_with_both_lines() -> None:
    first = '[[rule]]\ntool = "pay"\nmode = "ask"\nwhen = "amount>100"\n'
    with pytest.raises(ConfigError, match=r"p\.toml:7: this contradicts line 1, .* says ask"):
        read(first + first.replace("ask", "disabled").replace(">", " > "), "p.toml", "workspace")
    with pytest.raises(ConfigError, match=r"p\.toml:9: this contradicts line 1"):
        read(f"{first}{first}approvers = 2", "p.toml", "workspace")
    assert read(first + first.replace("100", "200").replace("ask", "disabled"), "p.toml", "workspace").sections


def test_the_same_said_twice_is_no_contradiction() -> None:
    text = '[[rule]]\ntool = "pay"\nmode = "ask"\n'
    assert len(read(text * 2, "p.toml", "workspace").sections["rule"]) == 2
