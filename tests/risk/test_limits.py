"""The checks of one act, each over the figures on both sides of its limit."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from assent.core.errors import ConfigError
from assent.risk import (
    Act,
    Check,
    Finding,
    ask,
    blacklist,
    cool_down,
    daily_volume,
    deny,
    max_amount,
    min_liquidity,
    own,
    rate,
    slippage,
)
from assent.risk.check import checked, examine, worst


def said(check: Check, facts: dict[str, Any] | None = None, **arguments: Any) -> Finding:
    [found] = examine([check], Act("swap", arguments, facts))
    return found


@pytest.mark.parametrize(
    ("amount", "verdict", "sentence"),
    [
        (80, "ok", "amount 80 of at most 100"),
        (80.01, "ask", "amount 80.01 is over 80; 100 at most"),
        ("100", "ask", "amount 100 is over 80; 100 at most"),
        ("100.000000000000000001", "deny", "amount 100.000000000000000001 is over the limit of 100"),
        (True, "deny", "True is no amount"),
        (float("nan"), "deny", "nan is no amount"),
        (None, "deny", "amount is not given: say it, so that it can be checked"),
    ],
)
def test_max_amount(amount: Any, verdict: str, sentence: str) -> None:
    found = said(max_amount("amount", 100, ask_over=80), amount=amount)
    assert (found.verdict, found.label) == (verdict, "max amount")
    assert sentence in found.sentence


def test_a_default_of_the_tool_is_no_amount_that_somebody_has_said() -> None:
    assert said(max_amount("amount", 100)).verdict == "deny"


@given(st.decimals(0, 10**12, places=18), st.decimals(0, 10**12, places=18))  # of more than 50 digits none is one
def test_max_amount_compares_exactly(value: Decimal, most: Decimal) -> None:
    assert (said(max_amount("amount", most), amount=value).verdict == "ok") is (value <= most)


@pytest.mark.parametrize(
    ("price", "market", "verdict"),
    [("100", "100", "ok"), ("100.5", "100", "ok"), ("99.5", "100", "ok"), ("100.6", "100", "ask"),
     ("101", "100", "ask"), ("101.0000001", "100", "deny"), ("98", "100", "deny"), ("1", "0", "deny")],
)  # fmt: skip
def test_slippage_either_way(price: str, market: str, verdict: str) -> None:
    check = slippage("price", "0.01", ask_over="0.005")
    assert said(check, {"price": market}, price=price).verdict == verdict


def test_slippage_names_the_figure_and_the_limit() -> None:
    found = said(slippage("price", 0.01), {"price": "100"}, price="101.234")
    assert found.sentence == "price 101.234 is 1.24 % off the price 100; at most 1 %"


@pytest.mark.parametrize(("depth", "verdict"), [("999.99", "deny"), ("1000", "ask"), ("4999", "ask"), ("5000", "ok")])
def test_minimum_liquidity(depth: str, verdict: str) -> None:
    assert said(min_liquidity(1000, ask_under=5000), {"liquidity": depth}).verdict == verdict


@pytest.mark.parametrize("facts", [{}, {"price": None}, {"price": "x"}, {"price": float("inf")}, {"price": -1}])
def test_a_fact_that_is_not_to_be_had_denies(facts: dict[str, Any]) -> None:
    assert said(slippage("price", 0.01), facts, price=1).verdict == "deny"


def test_a_denial_for_want_of_a_fact_says_why_it_is_not_there() -> None:
    found = said(min_liquidity(1), {"failed": "TimeoutError: the exchange is away"})
    assert found.sentence == "liquidity is not known, so this cannot be checked (TimeoutError: the exchange is away)"


def test_what_nobody_has_looked_up_yet_is_left_for_later() -> None:
    assert examine([min_liquidity(1), rate(1, 60)], Act("swap", {})) == []


def test_what_a_quota_would_add_is_read_also_before_anybody_has_looked() -> None:
    [found] = examine([daily_volume("amount", 10)], Act("swap", {"amount": "1e3"}))
    assert found.verdict == "deny"


@pytest.mark.parametrize(
    "name", ["Mallory", "mallory", " MALLORY ", "\uff4dallory", "mal\u200blory", ["bob", "Mallory"]]
)
def test_the_blacklist_knows_a_name_however_it_is_written(name: Any) -> None:
    found = said(blacklist("to", ["Mallory"]), to=name)
    assert (found.verdict, "is on the blacklist" in found.sentence) == ("deny", True)


@pytest.mark.parametrize(
    ("name", "verdict"), [("bob", "ok"), (["bob", "eve"], "ok"), (7, "deny"), ({}, "deny"), (None, "deny")]
)
def test_the_blacklist_lets_others_through_and_what_is_no_name_not(name: Any, verdict: str) -> None:
    assert said(blacklist("to", ["Mallory"]), to=name).verdict == verdict


@pytest.mark.parametrize(
    ("gives", "verdict", "sentence"),
    [
        (None, "ok", ""), ("not on Sundays", "deny", "not on Sundays"), (ask("large"), "ask", "large"),
        (deny("no"), "deny", "no"), (True, "deny", "which is no finding"), (Finding("maybe"), "deny", "no finding"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_a_check_of_ones_own(gives: Any, verdict: str, sentence: str) -> None:
    found = said(own(lambda act: gives, name="mine"))
    assert (found.label, found.verdict) == ("mine", verdict)
    assert sentence in found.sentence


def test_a_check_of_ones_own_that_raises_denies() -> None:
    def weekday(act: Act) -> None:
        raise KeyError("day")

    found = said(own(weekday))
    assert (found.label, found.verdict, found.sentence) == ("weekday", "deny", "the check raised KeyError: 'day'")


def test_a_check_of_ones_own_that_finds_a_value_invalid_does_not_quote_half_of_it() -> None:
    def card(act: Act) -> None:
        TypeAdapter(int).validate_python(act.arguments["card"])

    found = said(own(card), card="4111 1111 1111 1111, of Anna Bergmann, valid until December")
    assert (found.verdict, "valid integer" in found.sentence, "4111" in found.sentence) == ("deny", True, False)


def test_the_strictest_of_several_counts() -> None:
    checks = (max_amount("amount", 100, ask_over=10), blacklist("to", ["eve"]), max_amount("amount", 50))
    for amount, to, verdict in ((5, "bob", "ok"), (20, "bob", "ask"), (20, "eve", "deny"), (60, "bob", "deny")):
        assert worst(examine(checks, Act("pay", {"amount": amount, "to": to}))).verdict == verdict


@pytest.mark.parametrize(
    "make",
    [
        lambda: max_amount("amount", -1), lambda: max_amount("amount", 10, ask_over=10), lambda: rate(0, 60),
        lambda: rate(1.5, 60), lambda: rate(True, 60), lambda: rate(1, 0), lambda: cool_down(-1),  # type: ignore[arg-type]
        lambda: daily_volume("amount", 1, by="weekday"), lambda: daily_volume("a b", 1), lambda: cool_down(10**9),
        lambda: daily_volume("amount", 1, zone="Nowhere/At_All"), lambda: blacklist("to", "eve"),
        lambda: min_liquidity(10, ask_under=5), lambda: checked(["max_amount"]),
    ],
)  # fmt: skip
def test_a_check_that_makes_no_sense_is_refused_where_it_is_made(make: Any) -> None:
    with pytest.raises(ConfigError, match=r"\w.*[.]"):
        make()


def test_an_amount_may_be_within_another_argument() -> None:
    check = max_amount("order.amount", 100)
    for arguments, verdict in (
        ({"order": {"amount": 100}}, "ok"), ({"order": {"amount": 101}}, "deny"), ({"order": {}}, "deny"),
        ({"order": 5}, "deny"), ({"order.amount": 5}, "deny"),
    ):  # fmt: skip
        assert worst(examine([check], Act("pay", arguments))).verdict == verdict
