"""What a tool gets of a call's arguments, as JSON says it and as approvals are bound to it."""

import dataclasses
import datetime
import json
import uuid
from collections.abc import Iterable
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    SecretStr,
    StringConstraints,
    field_serializer,
    model_validator,
)

from assent.core.reading import Reading
from assent.tools.reading import read
from assent.tools.tool import tool


class Colour(Enum):
    RED = "red"


class Order(BaseModel):
    amount: int = Field(validation_alias=AliasChoices("amt", "amount"))
    note: str = "none"


class Loud(RootModel[Annotated[str, StringConstraints(to_upper=True)]]):
    """A name in capitals."""


@dataclasses.dataclass
class Place:
    city: Annotated[str, StringConstraints(strip_whitespace=True)]


class Lying(BaseModel):
    amount: int
    hidden: int = Field(exclude=True)

    @field_serializer("amount")
    def small(self, _: int) -> int:
        return 1


class Opened(BaseModel):
    model_config = ConfigDict(extra="allow")


class Connection:
    def __str__(self) -> str:
        raise RuntimeError("not connected")


def reading(kind: Any, value: Any) -> Reading:
    """How a tool with one argument x of that type reads a value."""

    def act(x: Any) -> None: ...

    act.__annotations__ = {"x": kind}
    return read(tool(act), {"x": value})


def gets(kind: Any, value: Any) -> Any:
    """What it gets of it, the value itself where that is what was written."""
    found = reading(kind, value).gets
    json.dumps(found, allow_nan=False)
    return value if found is None else found["x"]


def test_what_is_read_as_it_is_written_is_said_once_and_binds_nothing_more() -> None:
    for kind, value in (
        (str, "a"), (int, 3), (float, 0.1), (Decimal, 99.5), (Decimal, "1.50"), (bool, True), (Path, "data/a.csv"),
        (list[int], [1, 2]), (dict[str, float], {"a": 1}), (int | None, None), (Colour, "red"), (Any, {"a": [None]}),
        (uuid.UUID, "f9dad996-cb2b-49f5-9f49-a0ea025507a7"), (datetime.date, "2026-11-21"), (int, 1000.0),
        (datetime.timedelta, 3600), (Opened, {"a": 1}), (SecretStr, "s"), (bytes, "abc"),
    ):  # fmt: skip
        found = reading(kind, value)
        assert (found.gets, found.bound) == (None, ""), (kind, value, found)


@pytest.mark.parametrize(
    ("kind", "written", "got"),
    [
        (Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True)], " EVIL", "evil"),
        (Decimal, "1e3", "1000"),
        (Decimal, " 99 ", "99"),
        (int, "1_000", 1000),
        (int, "5", 5),
        (int, True, 1),
        (bool, "yes", True),
        (float, "inf", "inf"),
        (datetime.timedelta, "PT1H", 3600.0),
        (Path, "data//x", "data/x"),
        (set[int], [3, 1, 3], [1, 3]),
        (dict[int, int], {"1": "2"}, {"1": 2}),
        (Loud, "ana", "ANA"),
        (Place, {"city": " Bern"}, {"city": "Bern"}),
        (list[Place], [{"city": " Bern"}], [{"city": "Bern"}]),
        (SecretStr | None, None, None),
    ],
)
def test_what_is_coerced_is_said_as_the_tool_gets_it(kind: Any, written: Any, got: Any) -> None:
    assert gets(kind, written) == got


def test_a_field_is_said_by_its_name_and_by_the_name_that_the_call_used() -> None:
    assert gets(Order, {"amt": "5000"}) == {"amount": 5000, "amt": 5000, "note": "none"}
    assert gets(Order, {"amt": 5000, "amount": 1}) == {"amount": 5000, "amt": 5000, "note": "none"}


def test_two_fields_that_are_each_called_as_the_other_is_named_are_said_by_their_own_names() -> None:
    class Swapped(BaseModel):
        a: int = Field(alias="b")
        b: int = Field(alias="a")

    assert gets(Swapped, {"a": 1, "b": 2}) == {"a": 2, "b": 1}


def test_a_type_that_writes_itself_down_otherwise_deceives_nobody() -> None:
    assert gets(Lying, {"amount": "5000", "hidden": "7"}) == {"amount": 5000, "hidden": 7}


def test_the_name_of_a_parameter_that_has_another_one_for_calls() -> None:
    @tool
    def act(x: Annotated[int, Field(strict=False)], limit: int = 10) -> None: ...

    found = read(act, {"x": "5"})
    assert (found.gets, dict(found.values)) == ({"x": 5, "limit": 10}, {"x": 5, "limit": 10})


def test_an_approval_is_bound_to_what_was_given_and_not_to_what_only_fills_in() -> None:
    made = iter(range(100))

    class Note(BaseModel):
        text: Annotated[str, StringConstraints(strip_whitespace=True)]
        number: int = Field(default_factory=lambda: next(made))

    plain, again = reading(Note, {"text": "a"}), reading(Note, {"text": "a"})
    assert plain.gets != again.gets
    assert plain.bound == again.bound == ""
    stripped, same = reading(Note, {"text": " a"}), reading(Note, {"text": " a"})
    assert stripped.bound == same.bound != ""
    assert reading(Note, {"text": " b"}).bound != stripped.bound


def test_what_a_validator_makes_of_the_whole_counts_as_given() -> None:
    accounts = ["ana", "eve"]

    class Payee(BaseModel):
        account: str

        @model_validator(mode="before")
        @classmethod
        def look_up(cls, _: Any) -> Any:
            return {"account": accounts.pop(0)}

    first, second = reading(Payee, {"code": "A1"}), reading(Payee, {"code": "A1"})
    assert (first.gets, second.gets) == ({"x": {"account": "ana"}}, {"x": {"account": "eve"}})
    assert first.bound != second.bound


def test_a_validator_that_is_not_idempotent_is_asked_once() -> None:
    found = reading(Annotated[int, AfterValidator(lambda value: 2 * value)], 50)
    assert (found.gets, found.values["x"]) == ({"x": 100}, 100)


def test_what_json_cannot_say_is_no_number_and_no_text() -> None:
    def connect(_: Any) -> Any:
        return Connection()

    assert gets(Annotated[Any, BeforeValidator(connect)], "db") == {"a value of": "Connection"}
    assert gets(Annotated[Any, BeforeValidator(lambda _: {1: "a", "1": "b"})], "db") == {"a value of": "dict"}


def test_what_can_be_read_once_only_is_left_to_the_tool() -> None:
    found = reading(Iterable[int], [1, 2])
    assert found.gets is not None
    assert list(found.gets["x"]) == ["a value of"]
    assert list(found.values["x"]) == [1, 2]


def test_a_value_that_contains_itself_comes_to_an_end() -> None:
    def endless(_: Any) -> Any:
        value: list[Any] = []
        value.append(value)
        return value

    assert "a value of" in json.dumps(gets(Annotated[Any, BeforeValidator(endless)], "x"))
