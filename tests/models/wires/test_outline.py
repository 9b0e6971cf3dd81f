"""The part of a JSON Schema that Claude can be held to."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from assent.models.wires.outline import outline


class Address(BaseModel):
    street: str = Field(min_length=1, description="Where it stands.")
    kind: Literal["home", "work"] = "home"


class Person(BaseModel):
    name: str = Field(pattern="^[A-Z]")
    age: Annotated[int, Field(ge=0, le=130)]
    born: Annotated[str, Field(json_schema_extra={"format": "date"})]
    homes: list[Address] = Field(min_length=1, max_length=3)
    nick: str | None = None


class Tree(BaseModel):
    leaves: list["Tree"]


def thing(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def test_objects_are_closed_and_what_cannot_be_held_to_is_told() -> None:
    made = outline(Person.model_json_schema())
    assert made is not None
    address = made["$defs"]["Address"]
    assert made["additionalProperties"] is address["additionalProperties"] is False
    assert (made["required"], address["required"]) == (["name", "age", "born", "homes"], ["street"])
    assert address["properties"]["street"]["description"] == "Where it stands. (minLength: 1)"
    told = made["properties"]
    assert told["name"]["description"] == "(pattern: ^[A-Z])"
    assert told["age"]["description"] == "(maximum: 130, minimum: 0)"
    assert told["born"]["format"] == "date"
    assert told["homes"]["items"] == {"$ref": "#/$defs/Address"}
    assert (told["homes"]["minItems"], told["homes"]["description"]) == (1, "(maxItems: 3)")
    assert [item["type"] for item in told["nick"]["anyOf"]] == ["string", "null"]
    assert not {"pattern", "minimum", "maximum"} & (told["name"].keys() | told["age"].keys())


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        {"type": "object", "additionalProperties": {"type": "string"}},
        thing(any={}),
        thing(free={"type": "object", "additionalProperties": True, "properties": {"a": {"type": "string"}}}),
        thing(rows={"type": "array"}),
        thing(pair={"type": "array", "prefixItems": [{"type": "string"}]}),
        thing(self={"$ref": "#"}),
        thing(**{f"n{at}": {"type": ["integer", "null"]} for at in range(17)}),
        {"type": "object", "properties": {f"n{at}": {"type": "integer"} for at in range(25)}},
        Tree.model_json_schema(),
    ],
)
def test_a_schema_that_says_more_is_none(schema: dict[str, Any]) -> None:
    assert outline(schema) is None


def test_a_wide_table_of_required_columns_fits() -> None:
    columns = {f"n{at}": {"type": "number"} for at in range(60)}
    made = outline(thing(rows={"type": "array", "items": thing(**columns)}))
    assert made is not None
    assert made["properties"]["rows"]["items"]["properties"] == columns
