"""`[[risk]]`: read, refused with the line, and what its checks say in a decision beside everybody else's."""

from typing import Any

import pytest
from tests.policy.policies import layers, ruled

from assent.core.errors import ConfigError
from assent.policy.decide import decide
from assent.policy.document import read
from assent.policy.explain import explain
from assent.policy.facts import Call
from assent.policy.known import Known, check
from assent.policy.overview import overview
from assent.policy.risk import by_risk, with_checks
from assent.policy.verdict import Allow, Ask, Deny
from assent.risk import daily_volume, max_amount, slippage

MOST_100 = '[[risk]]\ntool = "pay"\ncheck = "max_amount"\nargument = "amount"\nlimit = 100\nask_over = 50\n'


def says(text: str, tool: str = "pay", known: dict[str, Any] | None = None, own: Any = (), **arguments: Any) -> Any:
    facts = with_checks(ruled(text), {tool: own} if own else {})
    return decide(Call(tool, arguments, known), facts)


def decide_by_risk(own: Any, **arguments: Any) -> Any:
    """What this voice alone says."""
    return by_risk(Call("pay", arguments), with_checks(ruled(), {"pay": own}))


def test_the_strictest_of_the_tools_own_and_the_policys_counts_and_names_its_line() -> None:
    own = (max_amount("amount", 80),)
    assert isinstance(says(MOST_100, own=own, amount=40), Allow)
    asked = says(MOST_100, own=own, amount=60)
    assert isinstance(asked, Ask)
    assert (asked.rule, asked.grantable) == ("policy.toml:1", False)
    assert asked.reason == "max amount: amount 60 is over 50; 100 at most"
    assert asked.notes == (("max amount", "amount 60 of at most 80"),)  # what is the reason is not said twice
    denied = says(MOST_100, own=own, amount=90)
    assert isinstance(denied, Deny)
    assert (denied.rule, denied.reason) == ("", "max amount: amount 90 is over the limit of 80")
    assert says(MOST_100, own=own, amount=101).name == "deny"


def test_no_layer_takes_the_limit_of_another_away() -> None:
    lax = MOST_100.replace("100", "1000").replace("50", "999")
    facts = ruled(lax, organisation=MOST_100, session=lax)
    assert decide(Call("pay", {"amount": 101}), with_checks(facts, {})).rule == "organisation's policy.toml:1"


def test_a_limit_is_for_the_tools_that_it_names() -> None:
    assert says(MOST_100, "look", amount=1000).name == "allow"
    every = MOST_100.replace('tool = "pay"', 'tools = "*"')
    assert says(every, "look", amount=1000).name == "deny"


def test_every_limit_that_asks_is_a_reason_and_none_of_them_a_note() -> None:
    asked = says(MOST_100, own=(max_amount("amount", 80, ask_over=55), max_amount("amount", 70)), amount=60)
    own, rules = "max amount: amount 60 is over 55; 80 at most", "max amount: amount 60 is over 50; 100 at most"
    assert sorted(asked.reason.split(", and ")) == sorted([own, rules])
    assert asked.notes == (("max amount", "amount 60 of at most 70"),)


def test_the_notes_reach_a_question_that_is_asked_for_another_reason() -> None:
    text = MOST_100.replace('"pay"', '"mail_send"')
    asked = says(text, "mail_send", amount=10)
    assert (asked.name, asked.reason) == ("ask", "mail_send is execute_risky")
    assert asked.notes == (("max amount", "amount 10 of at most 100"),)


def test_facts_and_counts_are_judged_where_they_are_known_and_left_for_later_where_not() -> None:
    own = (slippage("price", "0.01"), daily_volume("amount", 100))
    early = decide_by_risk(own, amount=10, price=1)
    assert (early.name, early.reason) == ("allow", "it is within its limits, as far as can be told before it is run")
    assert says("", own=own, known={"price": "2"}, amount=10, price=1).name == "deny"
    used = {"price": "1", "amount within the day in UTC": "95"}
    assert says("", own=own, known=used, amount=10, price=1).reason == (
        "daily volume: 95 of 100 used today, this adds 10"
    )


def test_rules_without_limits_are_as_they_were() -> None:
    facts = ruled('[[rule]]\ntool = "pay"\nmode = "ask"\n')
    assert with_checks(facts, {}) is facts
    assert with_checks(facts, {"pay": (max_amount("amount", 1),)}).version != facts.version


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (
            'tool = "pay"\ncheck = "max_amout"',
            "there is no check 'max_amout'; did you mean 'max_amount'?",
        ),
        ('tool = "pay"', "policy.toml:1: there is no check None; there are blacklist, "),
        ('check = "rate"', 'policy.toml:1: write either tool = "NAME"'),
        ('tool = "pay"\ntools = "p*"\ncheck = "rate"', 'policy.toml:3: write either tool = "NAME"'),
        ('tool = "p*"\ncheck = "rate"', "policy.toml:2: 'p*' is a glob: write tools = \"p*\"."),
        ('tool = "pay"\ncheck = "rate"\nlimit = 3', "policy.toml:1: the check rate needs seconds too."),
        ('tool = "pay"\ncheck = "rate"\nlimit = 3\nseconds = 60\nevery = 1', "policy.toml:6: unknown key 'every'"),
        ('tool = "pay"\ncheck = "rate"\nlimit = 2.5\nseconds = 60', "makes no sense: A rate of"),
        ('tool = "pay"\ncheck = "rate"\nlimit = nan\nseconds = 60', "makes no sense: A rate of"),
        (
            'tool = "pay"\ncheck = "max_amount"\nargument = "a"\nlimit = "1e3"',
            "The limit of max amount",
        ),
        ('tool = "pay"\ncheck = "max_amount"\nargument = 7\nlimit = 1', "policy.toml:4: argument is 7: write a text."),
        (
            'tool = "pay"\ncheck = "daily_volume"\nargument = "a"\nlimit = 1\nby = "day"',
            "by is 'day'; it must be",
        ),
        ('tool = "pay"\ncheck = "blacklist"\nargument = "a"\nnames = [1]', "makes no sense"),
        ('tool = "pay"\ncheck = "blacklist"\nargument = "a"\nnames = "eve"', "write ['eve']"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_line(entry: str, problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(f"[[risk]]\n{entry}\n", "policy.toml", "workspace")
    assert problem in str(error.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (MOST_100.replace('"pay"', '"pya"'), ":2: unknown tool 'pya'; did you mean 'pay'?"),
        (MOST_100.replace('"amount"', '"amuont"'), ":4: pay has no argument 'amuont'; did you mean 'amount'?"),
    ],
)
def test_a_limit_on_what_is_not_there_is_refused(text: str, problem: str) -> None:
    tools = {"pay": Known("execute_safe", frozenset({"amount"}))}
    with pytest.raises(ConfigError) as error:
        check(layers(text), tools, lambda: ((), ()))
    assert str(error.value) == f"/workspace.toml{problem}"


def test_the_overview_and_the_explanation_name_the_limit() -> None:
    rows = [row for row in overview(layers(MOST_100), {}) if row.tool == "pay"]
    assert [(row.layer, row.line, row.when) for row in rows] == [
        ("workspace", "1", "max amount: amount at most 100, asks over 50")
    ]
    facts = with_checks(ruled(MOST_100), {})
    found = explain(Call("pay", {"amount": 101}), facts, {})
    assert str(found) == "pay is denied (policy.toml:1): max amount: amount 101 is over the limit of 100."


def test_tools_without_checks_are_none_of_its_concern() -> None:
    held = with_checks(ruled(), {"pay": (max_amount("amount", 1),)})
    assert by_risk(Call("look", {}), held) is None
