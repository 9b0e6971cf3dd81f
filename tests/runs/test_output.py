"""From a type to a schema that a model is held to, and from its answer to a value."""

import enum
import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, field_validator
from typing_extensions import TypedDict

from assent.core.errors import AssentError, ConfigError, NotFound
from assent.runs.output import output_type, read, restored


class Line(BaseModel):
    title: str
    price: Decimal


class Invoice(BaseModel):
    number: UUID
    day: date
    lines: list[Line]

    @field_validator("lines")
    @classmethod
    def some(cls, lines: list[Line]) -> list[Line]:
        if any(line.title == "bug" for line in lines):
            raise RuntimeError("a defect of the type's own")
        return lines


class Node(BaseModel):
    children: list["Node"] = []


@dataclass
class Point:
    x: int
    y: int = 0


class Movie(TypedDict):
    year: int


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


NAMES: dict[str, Any] = {
    "Invoice": Invoice, "Node": Node, "Point": Point, "Movie": Movie, "Color": Color, "answer": 5,
    "columns": {"region": str, "revenue": float}, "frame": pd.DataFrame({"n": [1, 2]}),
}  # fmt: skip
NUMBER = "6f1c1f3a-9f5e-4e53-9c2b-0d6c9e0f4a11"
INVOICE = json.dumps({"number": NUMBER, "day": "2024-02-29", "lines": [{"title": "tea", "price": "1.10"}]})


def value(kind: Any, text: str) -> Any:
    return read(output_type(kind, NAMES), text)[1]


def schema(kind: Any) -> dict[str, Any]:
    return dict(output_type(kind, NAMES).schema.schema)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (int, '{"value": 5}', 5),
        ("int", "5", 5),
        ("list[str]", '["a", "b"]', ["a", "b"]),
        ("int | None", '{"value": null}', None),
        (Literal["yes", "no"], '{"value": "no"}', "no"),
        (Color, '{"value": "blue"}', Color.BLUE),
        (Point, '{"x": "3"}', Point(3)),
        (Movie, '{"year": 1999}', {"year": 1999}),
        (dict[str, int], '{"value": 3}', {"value": 3}),
        (Node, '{"value": {"children": [{}]}}', Node(children=[Node()])),
        (Node, '{"children": []}', Node()),
        ("Decimal", '"0.1000000000000000000001"', Decimal("0.1000000000000000000001")),
        (date, '{"value": "2024-02-29"}', date(2024, 2, 29)),
        (Annotated[int, Field(ge=1)], '{"value": 1}', 1),
    ],
)
def test_a_value_of_each_kind_of_type(kind: Any, text: str, expected: Any) -> None:
    found = value(kind, text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("kind", [Invoice, "Invoice"])
def test_a_model_with_parts(kind: Any) -> None:
    found = value(kind, INVOICE)
    assert (found.number, found.day) == (UUID(NUMBER), date(2024, 2, 29))
    assert found.lines == [Line(title="tea", price=Decimal("1.10"))]


@pytest.mark.parametrize("kind", [int, "list[str]", Color, Node, Invoice, Point, Movie, Any, {"a": int}, "a: float"])
def test_the_root_of_a_schema_is_an_object(kind: Any) -> None:
    assert schema(kind)["type"] == "object"
    assert output_type(kind, NAMES).schema.name.isidentifier()


def test_a_schema_says_nothing_twice() -> None:
    class Film(BaseModel, regex_engine="python-re"):
        title: str = Field(description="as on the poster", title="Poster title")
        code: str = Field(pattern=r"^(?!x)\w+$", default="title")
        tail: str = Field(pattern=r"^(?:x|y)$")
        extra: dict[str, str] = {"title": "kept"}

    found = schema(Film)
    assert list(found["properties"]) == ["title", "code", "tail", "extra"]
    assert found["properties"]["title"] == {"description": "as on the poster", "type": "string"}
    assert found["properties"]["code"] == {"default": "title", "type": "string"}
    assert found["properties"]["tail"]["pattern"] == r"^(?:x|y)$"
    assert found["properties"]["extra"]["default"] == {"title": "kept"}
    assert "title" not in found


@pytest.mark.parametrize(
    "text",
    [
        INVOICE,
        f"```json\n{INVOICE}\n```",
        f"Here you are:\n\n```\n{INVOICE}\n```\nAnything else?",
        f"The invoice is {INVOICE}. Anything else, {{friend}}?",
        f"  {INVOICE}\n",
    ],
)
def test_words_around_the_answer_are_no_part_of_it(text: str) -> None:
    found, invoice = read(output_type(Invoice, NAMES), text)
    assert found == INVOICE
    assert invoice.lines[0].price == Decimal("1.10")


WORDS = st.text(st.characters(exclude_characters="{}`", exclude_categories=["Cs"]), max_size=30)
LINES = st.lists(st.builds(Line, title=st.text(max_size=10), price=st.decimals(0, 1000, places=2)), max_size=3)


@given(WORDS, LINES, WORDS, st.booleans())
def test_any_answer_is_found_among_any_words(before: str, lines: list[Line], after: str, fenced: bool) -> None:
    invoice = Invoice(number=UUID(NUMBER), day=date(2024, 2, 29), lines=lines)
    text = invoice.model_dump_json()
    around = f"\n```json\n{text}\n```\n" if fenced else text
    assert read(output_type(Invoice, NAMES), f"{before}{around}{after}") == (text, invoice)


@pytest.mark.parametrize("text", ["x```\n", "```\n", "{ ", '{"a":1} ', "\n"])
def test_a_long_answer_takes_no_longer_than_it_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"it holds no JSON object|Field required|could be meant"):
        value(Invoice, text * (5_000_000 // len(text)))


def test_a_bare_value_is_put_under_its_key() -> None:
    text, _ = read(output_type("list[int]", NAMES), "```json\n[1, 2]\n```")
    assert json.loads(text) == {"value": [1, 2]}


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (Invoice, "I cannot say.", "- it holds no JSON object"),
        (Invoice, "", "- it holds no JSON object"),
        (Invoice, "{" * 100_000, "- it holds no JSON object"),
        (Invoice, '{"a":' * 100_000, "- it holds no JSON object"),
        (Invoice, INVOICE[:-1], "- it holds no JSON object"),
        (Invoice, '{"day": "never"}', "- number: Field required\n- day: Input should be a valid date"),
        (Invoice, f"[{INVOICE}, {INVOICE}]", "- answer: "),
        (Invoice, f"{INVOICE} or {INVOICE}", "- it holds 2 JSON objects that could be meant"),
        (Invoice, INVOICE.replace("tea", "bug"), "- a defect of the type's own"),
        (int, '{"value": 1.5}', "- value: Input should be a valid integer"),
        (Color, '{"value": "pink"}', "- value: Input should be 'red' or 'blue'"),
        ("list[int]", json.dumps(["x"] * 30), "- value.0: Input should be a valid integer"),
        ("n: int64", '{"rows": [{"n": null}]}', "- rows.0.n: Input should be a valid integer"),
        ("n: int", '{"rows": [{"n": 1, "m": 2}]}', "- rows.0.m: Extra inputs are not permitted"),
        ("n: int8", '{"rows": [{"n": 1000}]}', "- column n: "),
        ("day: datetime64[ns]", '{"rows": [{"day": "9999-01-01"}]}', "- column day: "),
    ],
)
def test_what_does_not_fit_is_told(kind: Any, text: str, said: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011  # the words are compared below
        value(kind, text)
    assert str(error.value).startswith(said)
    assert str(error.value).count("\n") <= 10


def test_a_great_many_problems_are_not_all_told() -> None:
    with pytest.raises(ValueError, match="- and 20 more"):
        value("list[int]", json.dumps(["x"] * 30))
    with pytest.raises(ValueError, match="- 500000 values do not fit"):
        value("list[int]", json.dumps(["x"] * 500_000))


ROWS = '{"rows": [{"region": "north", "revenue": 12, "day": "2024-01-02"}]}'


@pytest.mark.parametrize(
    "kind",
    [
        {"region": str, "revenue": float, "day": "datetime64[ns]"},
        "region: str, revenue: float, day: datetime64[ns]",
        "'region': str, \"revenue\": float64,day: date",
        pd.DataFrame({"region": ["a"], "revenue": [1.5], "day": pd.Series(["2024"], dtype="datetime64[ns]")}),
    ],
)
def test_a_table_has_the_columns_that_were_asked_for(kind: Any) -> None:
    expected = {"region": str(pd.Series(["a"]).dtype), "revenue": "float64", "day": "datetime64[ns]"}
    frame = value(kind, ROWS)
    assert frame.to_dict("records") == [{"region": "north", "revenue": 12.0, "day": pd.Timestamp("2024-01-02")}]
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == expected
    empty = value(kind, '{"rows": []}')
    assert len(empty) == 0
    assert {name: str(dtype) for name, dtype in empty.dtypes.items()} == expected


def test_a_table_by_the_name_of_its_columns_or_of_another_table() -> None:
    assert value("columns", '{"rows": [{"region": "a", "revenue": 1}]}').dtypes["revenue"] == "float64"
    assert value("frame", '[{"n": 7}]')["n"].tolist() == [7]


def test_every_dtype_of_a_table_is_kept() -> None:
    frame = pd.DataFrame(
        {
            "text": ["a", None],
            "small": pd.Series([1, 2], dtype="int8"),
            "maybe": pd.Series([1, None], dtype="Int64"),
            "flag": pd.Series([True, None], dtype="boolean"),
            "size": pd.Categorical(["S", "L"], categories=["S", "M", "L"], ordered=True),
            "at": pd.to_datetime(["2024-01-01 10:00", "NaT"]).tz_localize("Europe/Berlin"),
            "took": pd.to_timedelta([1, None], unit="s"),
            "thing": pd.Series([1, "x"], dtype=object),
            7: [1.5, None],
        }
    )
    row = {"text": None, "small": 3, "maybe": None, "flag": None, "size": "M", "at": "2024-07-01T10:00:00Z",
           "took": "PT2S", "thing": 1, "7": None}  # fmt: skip
    found = value(frame, json.dumps({"rows": [row]}))
    assert found.dtypes.equals(frame.dtypes)
    assert found["at"][0].hour == 12
    assert found["took"][0] == pd.Timedelta("2s")
    assert type(found["thing"][0]) is int
    assert list(found["size"].cat.categories) == ["S", "M", "L"]
    assert list(found.columns) == list(frame.columns)


def test_many_categories_are_not_told() -> None:
    words = [f"w{number}" for number in range(1000)]
    frame = pd.DataFrame({"word": pd.Categorical(words)})
    assert "w7" not in json.dumps(schema(frame))
    assert str(value(frame, '{"rows": [{"word": "w1"}]}')["word"].dtype) == "category"


def test_a_value_may_be_missing_where_its_type_says_so() -> None:
    row = '{"rows": [{"n": null, "x": null, "s": null, "b": null}]}'
    frame = value("n: int | None, x: float | None, s: str | None, b: bool | None", row)
    assert [str(frame[name].dtype) for name in "nxb"] == ["Int64", "float64", "boolean"]
    assert frame.isna().all().all()
    with pytest.raises(ValueError, match="valid number"):
        value("n: float", '{"rows": [{"n": null}]}')


def test_times_of_several_zones_are_told_apart() -> None:
    rows = [{"at": "2024-01-01T12:00:00+02:00"}, {"at": "2024-01-01"}, {"at": "2024-01-01T12:00:00Z"}]
    frame = value("at: datetime64[ns]", json.dumps({"rows": rows}))
    assert frame["at"].dt.hour.tolist() == [10, 0, 12]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (pd.DataFrame, 'A DataFrame needs columns: give {"region": str'),
        (object(), "JSON cannot give an answer of the type"),
        (Annotated[str, Field(pattern="(?!x)")], "JSON cannot give an answer of the type"),
        (list["Unknown"], "JSON cannot give an answer of the type"),  # type: ignore[name-defined]  # noqa: F821
        (pd.Timestamp, "JSON cannot give an answer of the type"),
        ({}, "A DataFrame without columns"),
        ({"a": 3}, "The column 'a' has a type that pandas does not know: 3."),
        ({(1, 2): int}, "has no name that JSON can give"),
        ({"1": int, 1: int}, "Two columns have the same name"),
        ("a: int, a: str", "Two columns of 'a: int, a: str' have the same name"),
        ("a: datetime64", "There can be no such DataFrame"),
        ("a: pd.DataFrame()", "is no type"),
        ("answer", "'answer' is int here, not a type."),
        ("Receipt", "There is no type 'Receipt' in this session."),
        ("a: Receipt", "There is no type 'Receipt' in this session."),
    ],
)
def test_what_cannot_be_an_answer_is_refused_at_once(kind: Any, said: str) -> None:
    with pytest.raises(AssentError) as error:
        output_type(kind, NAMES)
    assert said in str(error.value)


KINDS = [
    Invoice, "Invoice", "list[Invoice] | None", int, Color, {"region": str, "c": Color, "day": "datetime64[ns]"},
    pd.DataFrame({"c": pd.Categorical(["a"], ordered=True), 7: [1]}), "a: Literal['x,y', 'z'], \"b c\": int | None",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_another_process_finds_the_type_again(kind: Any) -> None:
    output = output_type(kind, NAMES)
    again = restored(json.loads(json.dumps(output.to_json(NAMES))), NAMES)
    assert (again.schema, again.wrapped, again.columns) == (output.schema, output.wrapped, output.columns)


def test_a_type_that_is_missing_or_has_changed_is_told() -> None:
    class Changed(BaseModel):
        number: int

    record = output_type(Invoice, NAMES).to_json(NAMES)
    with pytest.raises(NotFound, match=r"There is no type 'Invoice' in this session\. Run the cell that defines it"):
        restored(record, {})
    with pytest.raises(ConfigError, match="The type Invoice is not the one that the run was started with"):
        restored(record, {"Invoice": Changed})


def test_a_type_whose_validator_ends_the_process_only_refuses_the_answer() -> None:
    class Fatal(BaseModel):
        x: int

        @field_validator("x")
        @classmethod
        def never(cls, value: int) -> int:
            raise SystemExit("this is the end")

    with pytest.raises(ValueError, match="this is the end"):
        read(output_type(Fatal, {}), '{"x": 1}')
