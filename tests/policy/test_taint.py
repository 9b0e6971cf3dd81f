"""A run that has read what others wrote does nothing outside on its own."""

from dataclasses import replace

import pytest

from assent.core.taint import Source
from assent.policy.decide import decide
from assent.policy.facts import Call, Facts, facts
from assent.policy.taint import NOTE
from assent.policy.verdict import Allow, Ask, Deny

WEB = Source("web", "https://shop.example/reviews")
FILE = Source("file", "/data/orders.csv")


def rules(privilege: str, *taint: Source, acts: str = "", allowed: bool = False) -> Facts:
    made = replace(facts({"act": privilege}, {"act": "auto"}), taint=taint)
    made = replace(made, acts={"act": acts}) if acts else made
    return replace(made, allowed=frozenset({"act"})) if allowed else made


@pytest.mark.parametrize(
    ("privilege", "acts", "expected"),
    [
        ("read_only", "", Allow),
        ("execute_safe", "", Allow),
        ("execute_safe", "inside", Allow),
        ("execute_safe", "outside", Ask),
        ("execute_risky", "", Ask),
        ("execute_risky", "inside", Allow),  # by the grant: it says that it acts inside
        ("admin", "", Ask),
        ("super_admin", "", Ask),
        ("no_such_level", "", Deny),
    ],
)
def test_what_acts_outside_asks_although_it_was_allowed_for_the_run(privilege: str, acts: str, expected: type) -> None:
    assert isinstance(decide(Call("act", {}), rules(privilege, WEB, acts=acts, allowed=True)), expected)


def test_a_yes_for_the_run_cannot_be_given_then() -> None:
    said = decide(Call("act", {}), rules("execute_risky", WEB))
    assert isinstance(said, Ask)
    assert not said.grantable


def test_the_question_says_from_where_it_was_read() -> None:
    said = decide(Call("act", {}), rules("execute_risky", FILE, WEB))
    [(label, sentence)] = said.notes
    assert label == NOTE
    assert "https://shop.example/reviews (web), /data/orders.csv (file)" in sentence


def test_of_many_sources_a_few_are_named() -> None:
    many = [Source("web", f"https://shop.example/{number}") for number in range(30)]
    [(_, sentence)] = decide(Call("act", {}), rules("execute_risky", *many)).notes
    assert "and 26 more" in sentence


def test_without_a_taint_nothing_changes() -> None:
    assert isinstance(decide(Call("act", {}), rules("execute_risky", allowed=True)), Allow)
    assert isinstance(decide(Call("act", {}), rules("execute_safe", acts="outside")), Allow)


def test_what_a_silent_tool_gave_back_counts_for_all_others_but_not_for_itself() -> None:
    own, other = Source("tool", "act"), Source("tool", "fetch")
    assert isinstance(decide(Call("act", {}), rules("execute_risky", own, allowed=True)), Allow)
    assert isinstance(decide(Call("act", {}), rules("execute_risky", own, other, allowed=True)), Ask)


def test_two_people_stay_two() -> None:
    said = decide(Call("act", {}), rules("super_admin", WEB))
    assert isinstance(said, Ask)
    assert said.approvers == 2
