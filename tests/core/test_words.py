"""What an error says of itself: pydantic's quotes of a value, cut in the middle, are not in it."""

import pytest
from pydantic import BaseModel, ValidationError

from assent.core.words import trace, words

SECRET = "the invoice of anna.bergmann@example-industries.com and of nobody else in the house"


class Payment(BaseModel):
    iban: int


def raised(value: object = SECRET) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Payment.model_validate({"iban": value})
    return caught.value


def wrapped() -> RuntimeError:
    inner = raised()
    try:
        raise RuntimeError(f"row 7: {inner}") from inner
    except RuntimeError as error:
        return error


def test_a_validation_error_is_told_without_its_input() -> None:
    error = raised()
    assert "input_value" in str(error)
    assert words(error) == (
        "1 validation error for Payment\niban: Input should be a valid integer, unable to parse string as an integer"
    )


def test_neither_does_an_error_that_repeats_it_quote_the_input() -> None:
    said = words(wrapped())
    assert said.startswith("row 7: 1 validation error for Payment")
    assert "input_value" not in said


@pytest.mark.parametrize(
    "error", [raised(), wrapped(), ExceptionGroup("both", [raised(), wrapped()])], ids=["itself", "wrapped", "group"]
)
def test_a_trace_quotes_no_input_anywhere_in_the_chain(error: Exception) -> None:
    said = trace(error, error.__traceback__)
    assert "valid integer" in said
    assert "input_value" not in said
    assert "house" not in said


def test_another_error_is_told_as_python_tells_it() -> None:
    class ValidationError(ValueError):
        """One that is only called so."""

    assert words(ValueError("input_value=3")) == "input_value=3"
    assert words(ValidationError("no")) == "no"
    assert trace(KeyError("a"), None) == "KeyError: 'a'"
