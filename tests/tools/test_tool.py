"""`@tool`: a typed function becomes something a model can call, or says at once why it cannot."""

import dataclasses
import datetime
import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pandas as pd
import pytest
from pydantic import BaseModel, Field, field_validator

from assent.core.errors import ConfigError
from assent.tools.tool import Tool, tool, validate


class Address(BaseModel):
    city: str
    zip: int = 0


@dataclasses.dataclass
class Size:
    width: int
    height: int = 1


class Picky(BaseModel):
    value: int

    @field_validator("value")
    @classmethod
    def _look(cls, value: int) -> int:
        return {1: 1}[value]


def properties(made: Tool[..., Any]) -> dict[str, Any]:
    found = made.schema["properties"]
    assert isinstance(found, dict)
    return found


def test_a_plain_function_becomes_a_tool_and_stays_callable() -> None:
    @tool
    def add(a: int, b: int = 2) -> int:
        """Add two numbers."""
        return a + b

    assert (add.name, add.description, add.privilege) == ("add", "Add two numbers.", "execute_risky")
    assert add.schema == {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer", "default": 2}},
        "required": ["a"],
        "additionalProperties": False,
    }
    assert add(1) == 3
    assert add.spec.name == "add"


def test_options() -> None:
    @tool(name="other", description="Says.", privilege="read_only", timeout=3)
    async def say() -> str:
        return "hi"

    assert (say.name, say.description, say.timeout, say.idempotent) == ("other", "Says.", 3, True)
    assert inspect.iscoroutinefunction(say.function)


def test_every_declared_type_reaches_the_function_as_itself() -> None:
    @tool
    def order(  # type: ignore[no-untyped-def]  # one parameter has no annotation, and that is the case
        address: Address,
        size: Size,
        day: datetime.date,
        colour: Literal["red", "blue"] = "red",
        note: str | None = None,
        tags: list[str] = [],  # noqa: B006 - people write it, and must not share it between calls
        count: Annotated[int, Field(gt=0, description="How many.")] = 1,
        anything=None,  # a parameter without annotation takes any JSON
    ) -> None: ...

    values = validate(order, {"address": {"city": "Bonn"}, "size": {"width": 2}, "day": "2026-01-02", "anything": [1]})
    assert values == {
        "address": Address(city="Bonn"), "size": Size(2), "day": datetime.date(2026, 1, 2), "colour": "red",
        "note": None, "tags": [], "count": 1, "anything": [1],
    }  # fmt: skip
    values["tags"].append("mine")
    assert validate(order, {"address": {"city": "B"}, "size": {"width": 2}, "day": "2026-01-02"})["tags"] == []
    shown = properties(order)
    assert shown["colour"]["enum"] == ["red", "blue"]
    assert shown["count"]["description"] == "How many."
    assert shown["note"] == {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    assert order.schema["required"] == ["address", "size", "day"]


@pytest.mark.parametrize("name", ["schema", "copy", "json", "model_config", "model_dump", "_private", "field_0"])
def test_a_parameter_may_have_any_name(name: str) -> None:
    scope: dict[str, Any] = {}
    exec(f"def find({name}: int, other: int = 1): return {name}", scope)
    found = tool(scope["find"])
    assert set(properties(found)) == {name, "other"}
    assert validate(found, {name: "3"}) == {name: 3, "other": 1}
    with pytest.raises(ValueError, match=name):
        validate(found, {name: "three"})


def test_a_default_that_json_cannot_say_is_kept_for_the_function() -> None:
    marker = object()

    @tool
    def find(where: Any = marker) -> None: ...

    assert validate(find, {}) == {"where": marker}
    assert "default" not in properties(find)["where"]


def variadic(*names: str) -> None: ...
def keywords(**names: str) -> None: ...
def positional(name: str, /) -> None: ...
def a_frame(frame: pd.DataFrame) -> None: ...
def a_function(act: Callable[[], int]) -> None: ...
def unresolved(name: "NoSuchThing") -> None: ...  # type: ignore[name-defined]  # noqa: F821 - that is the case
def harmless() -> None: ...


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (variadic, r"'variadic' has the parameter \*names: str: give plain named ones"),
        (keywords, r"parameter \*\*names"),
        (positional, "'positional' has the parameter name"),
        (a_frame, "'a_frame' has a parameter that JSON cannot give"),
        (a_function, "'a_function' has a parameter that JSON cannot give"),
        (unresolved, "annotations of the tool 'unresolved' cannot be read.*NoSuchThing"),
        (functools.partial(harmless), "is no function; @tool goes above a def"),
        (Address, "is no function"),
        (3, "is no function"),
    ],
)
def test_what_no_model_could_call_is_refused_where_it_is_defined(function: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        tool(function)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"privilege": "harmless"}, "'harmless' is no privilege; there are read_only"),
        ({"timeout": 0}, "no time"),
        ({"preview": "would"}, "The preview of 'harmless' must be a function, not 'would'"),
        ({"facts": {"price": 2}}, "The facts of 'harmless' must be a function"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        tool(**options)(harmless)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "a: Field required"),
        ({"a": "x"}, "a: Input should be a valid integer"),
        ({"a": 1, "c": 2}, "c: Extra inputs are not permitted"),
        ({"a": 1, "b": 1.5}, "b: Input should be a valid integer"),
        ({"c": 2}, "a: Field required; c: Extra inputs"),
    ],
)
def test_wrong_arguments_say_what_is_wrong(arguments: dict[str, Any], message: str) -> None:
    @tool
    def add(a: int, b: int = 2) -> int:
        return a + b

    with pytest.raises(ValueError, match=message):
        validate(add, arguments)


def test_where_in_a_nested_argument_something_is_wrong_is_said() -> None:
    @tool
    def send(to: list[Address], picky: Picky | None = None) -> None: ...

    with pytest.raises(ValueError, match=r"to\.0\.zip: Input should be a valid integer"):
        validate(send, {"to": [{"city": "Bonn", "zip": "north"}]})
    with pytest.raises(ValueError, match="KeyError: 2"):  # a validator that breaks is a wrong argument too
        validate(send, {"to": [], "picky": {"value": 2}})
