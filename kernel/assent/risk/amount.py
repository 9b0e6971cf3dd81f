"""Amounts of checks: decimals read strictly, and written for people."""

import re
from decimal import ROUND_CEILING, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

from assent.core.errors import ConfigError

MOST = Decimal(10) ** 18  # no amount reaches it, so that no sum of the journal's overflows
_STEP = Decimal(1).scaleb(-12)  # the journal counts to so many places
_LONGEST = 60  # digits
# Our own: what a notebook does to the context of its thread changes no check.
EXACT = Context(prec=200, rounding=ROUND_CEILING, traps=[InvalidOperation, DivisionByZero, Overflow])
_PLAIN = re.compile(r"[0-9]+(\.[0-9]+)?")


def amount(value: Any) -> Decimal:
    """The decimal that an argument is; `ValueError` tells, for a person, why it is none.

    A float is read by its text: 0.1 is 0.1. Refused are NaN, infinities, negative numbers, booleans, what is 10^18 or
    more, and every text but digits with one point between them: no exponents, spaces, signs, commas or underscores.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError(f"{_shown(value)} is no amount")
    if isinstance(value, str):
        return _written(value)
    if isinstance(value, int) and abs(value) >= MOST:
        raise ValueError("the amount is too large to be one")
    number = Decimal(float.__repr__(value) if isinstance(value, float) else value)
    if not number.is_finite():
        raise ValueError(f"{_shown(value)} is no amount")
    if number.is_signed() and number:
        raise ValueError(f"{_shown(value)} is negative")
    if number >= MOST:
        raise ValueError("the amount is too large to be one")
    if (len(number.as_tuple().digits) > _LONGEST or number.adjusted() < -_LONGEST) and number:
        raise ValueError("the amount has too many digits")
    return number


def _written(text: str) -> Decimal:
    """A text of digits alone can be no worse than too large."""
    if len(text) > _LONGEST or not _PLAIN.fullmatch(text):
        raise ValueError(f"{_shown(text)} is no amount: write digits, and a point where it needs one")
    if (number := Decimal(text)) >= MOST:
        raise ValueError("the amount is too large to be one")
    return number


def limit(value: Any, what: str) -> Decimal:
    """A limit as whoever sets it writes it; `ConfigError` where it is none. A float is read by its text too."""
    try:
        return amount(value)
    except ValueError as error:
        raise ConfigError(f"The limit of {what}: {error}. Give a number, such as 100 or Decimal('0.5').") from None


def counted(number: Decimal) -> Decimal:
    """An amount as the journal counts it: what has more than 12 places is rounded up."""
    return number.quantize(_STEP, context=EXACT)


def shown(number: Decimal) -> str:
    """An amount for people: 1,000 and 0.5, never 1E+3."""
    text = f"{number:,f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def plain(number: Decimal) -> str:
    """An amount that `amount` reads again."""
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def _shown(value: Any) -> str:
    try:
        text = repr(value) if isinstance(value, str) else str(value)
    except Exception:  # a foreign object's own text may fail
        text = type(value).__name__
    return text if len(text) <= 40 else f"{text[:40]}…"
