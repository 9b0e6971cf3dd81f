"""Amounts: what is read as one, what is refused, and that nothing is lost on the way."""

from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.core.errors import ConfigError
from assent.risk.amount import MOST, amount, counted, limit, plain, shown

AMOUNTS = st.decimals(min_value=0, max_value=10**17, allow_nan=False, allow_infinity=False).filter(
    lambda number: len(number.as_tuple().digits) <= 60 and (not number or number.adjusted() >= -60)  # or it is refused
)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (100, "100"), (0, "0"), (0.1, "0.1"), (1e3, "1000"), (0.1 + 0.2, "0.30000000000000004"), ("250", "250"),
        ("007.50", "7.50"), (Decimal("1E+3"), "1000"), (-0.0, "0"),
    ],
)  # fmt: skip
def test_a_number_is_read_by_its_text(value: Any, number: str) -> None:
    assert amount(value) == Decimal(number)


@pytest.mark.parametrize(
    "value",
    [
        True, False, None, [], {}, b"1", object(), float("nan"), float("inf"), -float("inf"), -1, -0.01, "-1", "+1",
        " 1", "1 ", "1\n", "", "1e3", "1E3", "1_000", "1,000", "0x10", ".5", "5.", "½", "١٢",
        "\uff11\uff12", "NaN", "inf",
        "1" * 61, 10**18, 10**5000, "1000000000000000000", 1e18, Decimal("NaN"), Decimal("sNaN"),
        Decimal("Infinity"), Decimal("-1"), Decimal("1e-400"), 5e-324,
    ],
    ids=lambda value: str(value)[:20] if not isinstance(value, int) or value < 10**18 else "large",
)  # fmt: skip
def test_what_is_no_plain_amount_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"amount|negative"):
        amount(value)


def test_an_object_whose_text_fails_is_refused_too() -> None:
    class Silent:
        def __str__(self) -> str:
            raise RuntimeError

    with pytest.raises(ValueError, match="Silent is no amount"):
        amount(Silent())


@given(AMOUNTS)
def test_writing_and_reading_loses_nothing(number: Decimal) -> None:
    assert amount(number) == number
    written = f"{number:f}"
    if len(written) <= 60:
        assert amount(written) == number
        assert amount(plain(number)) == number


@given(AMOUNTS)
def test_what_is_counted_is_never_less_than_the_amount(number: Decimal) -> None:
    whole = counted(number)
    assert whole >= number
    assert whole - number < Decimal(1).scaleb(-12)
    assert whole.as_tuple().exponent == -12


@given(st.lists(AMOUNTS, max_size=20), st.integers(1, 6))
def test_the_context_of_the_thread_changes_nothing(numbers: list[Decimal], digits: int) -> None:
    with localcontext() as context:
        context.prec = digits
        coarse = [(counted(amount(number)), shown(number), plain(number)) for number in numbers if number < MOST]
    assert coarse == [(counted(amount(number)), shown(number), plain(number)) for number in numbers if number < MOST]


@pytest.mark.parametrize(
    ("number", "text"),
    [("1000", "1,000"), ("1E+3", "1,000"), ("0.50", "0.5"), ("0E-12", "0"), ("600.000000000000", "600"), ("20", "20")],
)
def test_people_read_plain_figures(number: str, text: str) -> None:
    assert shown(Decimal(number)) == text


def test_a_limit_that_is_none_says_what_to_write() -> None:
    with pytest.raises(ConfigError, match=r"The limit of rate: -1 is negative\. Give a number"):
        limit(-1, "rate")
