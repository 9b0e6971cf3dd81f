"""Schemas as vendors want them."""

from typing import Any

import pytest

from assent.models.wires.schema import strict

WORD = {"type": "string"}


def obj(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object", "properties": properties, "required": list(properties) if required is None else required,
    }  # fmt: skip


def test_a_complete_schema_is_closed_and_strict() -> None:
    schema = obj(city=WORD, at=obj(lat={"type": "number"}), tags={"type": "array", "items": obj(name=WORD)})
    closed, complete = strict(schema)
    assert complete
    assert closed["additionalProperties"] is closed["properties"]["at"]["additionalProperties"] is False
    assert closed["properties"]["tags"]["items"]["additionalProperties"] is False
    assert "additionalProperties" not in schema


def test_definitions_and_alternatives_are_closed_too() -> None:
    schema = {
        **obj(a={"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]}),
        "$defs": {"A": obj(x=WORD)},
    }
    closed, complete = strict(schema)
    assert complete
    assert closed["$defs"]["A"]["additionalProperties"] is False


@pytest.mark.parametrize(
    "schema",
    [
        obj([], city=WORD),
        obj(city={"type": "string", "default": "Paris"}),
        obj(city={"type": "string", "minLength": 1}),
        obj(city={"type": "string", "format": "uri"}),
        obj(city={"type": "string", "pattern": "^(?=a)"}),
        obj(city={"oneOf": [WORD, {"type": "null"}]}),
        obj(city={}),
        obj(city=True),
        obj(city={"type": "array"}),
        obj(city={"type": "array", "items": {}}),
        obj(city={"$ref": "#/$defs/A", "description": "Where."}),
        obj(city=obj([], x=WORD)),
        {"type": "array", "items": WORD},
        {"anyOf": [obj(a=WORD), obj(b=WORD)]},
    ],
)
def test_what_cannot_be_enforced_is_not_strict(schema: dict[str, Any]) -> None:
    assert not strict(schema)[1]


def test_an_object_of_any_shape_stays_open() -> None:
    for anything in ({"type": "object"}, {"type": "object", "additionalProperties": WORD}):
        closed, complete = strict(obj(settings=anything))
        assert not complete
        assert closed["properties"]["settings"] == anything


def test_values_that_look_like_schemas_are_left_alone() -> None:
    value = {"type": "object", "properties": {}}
    closed, complete = strict(obj(kind={"const": value}, type={"enum": [value]}))
    assert complete
    assert closed["properties"] == {"kind": {"const": value}, "type": {"enum": [value]}}


def test_an_object_without_properties_is_complete() -> None:
    assert strict({"type": "object", "properties": {}, "additionalProperties": False}) == (
        {"type": "object", "properties": {}, "additionalProperties": False},
        True,
    )
