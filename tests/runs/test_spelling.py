"""Types as they are written: read back, and never run as code."""

import datetime
import enum
import typing
from decimal import Decimal
from typing import Annotated, Any, Literal, Optional
from uuid import UUID

import pytest
from pydantic import BaseModel, Field

from assent.core.errors import AssentError, ConfigError, NotFound
from assent.runs.spelling import is_type, kind_of, spelled


class Invoice(BaseModel):
    total: Decimal


class Color(enum.Enum):
    RED = "red"


Score = Annotated[int, Field(ge=1)]
NAMES = {"Invoice": Invoice, "Color": Color, "Score": Score, "datetime": datetime, "x": 5, "str": "a text"}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("int", int),
        ("str", str),
        ("None", None),
        ("list[str]", list[str]),
        ("dict[str, list[Invoice]]", dict[str, list[Invoice]]),
        ("tuple[int, ...]", tuple[int, ...]),
        ("int | None", int | None),
        ("typing.Optional[Invoice]", Optional[Invoice]),  # noqa: UP045  # as older code spells it
        ("Union[int, str]", int | str),
        ("Literal['a', 1, -1, True]", Literal["a", 1, -1, True]),
        ("date", datetime.date),
        ("datetime.date", datetime.date),
        ("Decimal", Decimal),
        ("uuid.UUID", UUID),
        ("Color", Color),
        ("Score", Score),
        ("Any", Any),
    ],
)
def test_a_type_is_read(text: str, kind: Any) -> None:
    assert kind_of(text, NAMES) == kind


KINDS = [
    int, list[str], dict[str, int], tuple[int, ...], Invoice, list[Invoice], Invoice | None, Score, Color, Decimal,
    Literal["it's", 2], datetime.datetime, datetime.date, Any,
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_read_back(kind: Any) -> None:
    names = {name: value for name, value in NAMES.items() if name != "datetime"}
    assert kind_of(spelled(kind, names), names) == kind


def test_a_type_without_a_name_is_at_least_told() -> None:
    assert "Gt" in spelled(Annotated[int, Field(gt=1)], {})
    assert spelled(Invoice, {"Bill": Invoice}) == "Bill"
    assert spelled(Invoice, {}) == "Invoice"


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("Receipt", NotFound, "There is no type 'Receipt' in this session. Run the cell that defines it"),
        ("list[Receipt]", NotFound, "no type 'Receipt'"),
        ("x", ConfigError, "'x' is int here, not a type."),
        ("list[", ConfigError, "is no type. Write one"),
        ("", ConfigError, "is no type"),
        ("int[str]", ConfigError, "cannot be read"),
        ("list['Invoice']", ConfigError, "is no type"),
        ("Literal[1.5]", ConfigError, "cannot stand in Literal"),
        ("Literal[open('x')]", ConfigError, "cannot stand in Literal"),
        ("(" * 5000, ConfigError, "is no type"),
        ("x" + ".x" * 50_000, ConfigError, "is no type"),
        ("int | " * 5000 + "int", ConfigError, "is no type"),
    ],
)
def test_what_is_no_type_is_refused(text: str, kind: type[AssentError], said: str) -> None:
    with pytest.raises(kind) as error:
        kind_of(text, NAMES)
    assert said in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')", "Invoice.__init__.__globals__", "(lambda: int)()", "[c for c in (1,)]",
        "open('x')", "datetime.sys", "x.real", "int if True else str", "Invoice.model_fields", "f'{x}'",
    ],
)  # fmt: skip
def test_code_is_not_run(text: str) -> None:
    with pytest.raises(AssentError):
        kind_of(text, NAMES | {"__import__": __import__, "open": open})


def test_what_counts_as_a_type() -> None:
    assert all(is_type(kind) for kind in (*KINDS, typing.Union[int, str], Any))  # noqa: UP007
    assert not any(is_type(value) for value in (5, "int", None, {"a": int}, [int], len))
