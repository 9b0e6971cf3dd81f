"""The part of a JSON Schema that Claude can be held to.

Source: https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_KEPT = frozenset(("type", "enum", "const", "required", "title", "description", "default"))
_LISTS = {"anyOf": "anyOf", "oneOf": "anyOf", "allOf": "allOf"}
_DEFINITIONS = ("$defs", "definitions")
_HANDLED = frozenset((*_LISTS, *_DEFINITIONS, "properties", "additionalProperties", "items", "$schema", "$id"))
_FORMATS = frozenset(("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"))
_OPEN = frozenset(("patternProperties", "prefixItems", "not", "if", "propertyNames", "dependentSchemas", "$dynamicRef"))
_OPTIONAL, _UNIONS = 24, 16  # how many of each the vendor takes in one request


class _Beyond(Exception):
    """The schema asks for more than can be said."""


@dataclass(slots=True)
class _Tally:
    optional: int = 0
    unions: int = 0


def outline(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """The schema as far as Claude can be held to it, the rest told in descriptions; None where that changes its shape.

    So it does where an object is open to any property, where anything goes, and where a schema contains itself.
    """
    tally = _Tally()
    try:
        made = _outlined(schema, tally)
    except (_Beyond, RecursionError):
        return None
    if tally.optional > _OPTIONAL or tally.unions > _UNIONS or _recursive(schema):
        return None
    return made


def _outlined(schema: Any, tally: _Tally) -> dict[str, Any]:
    if not isinstance(schema, Mapping) or not _OPEN.isdisjoint(schema):
        raise _Beyond
    if "$ref" in schema:
        return _referred(schema, tally)
    made = {key: value for key, value in schema.items() if key in _KEPT}
    for key, name in _LISTS.items():
        if key in schema:
            tally.unions += name == "anyOf"
            made[name] = [_outlined(item, tally) for item in schema[key]]
    made |= _definitions(schema, tally)
    kind = schema.get("type")
    tally.unions += isinstance(kind, list)
    if not made.keys() & {"type", "enum", "const", "anyOf", "allOf"}:
        raise _Beyond
    if kind == "object" or (isinstance(kind, list) and "object" in kind):
        made |= _object(schema, tally)
    if kind == "array" or (isinstance(kind, list) and "array" in kind):
        made["items"] = _outlined(schema.get("items"), tally)
    return _told(schema, made)


def _object(schema: Mapping[str, Any], tally: _Tally) -> dict[str, Any]:
    properties = schema.get("properties")
    if not properties or schema.get("additionalProperties", False) is not False:
        raise _Beyond
    tally.optional += len(properties.keys() - set(schema.get("required", ())))
    closed = {name: _outlined(item, tally) for name, item in properties.items()}
    return {"properties": closed, "additionalProperties": False}


def _referred(schema: Mapping[str, Any], tally: _Tally) -> dict[str, Any]:
    if not str(schema["$ref"]).startswith(tuple(f"#/{name}/" for name in _DEFINITIONS)):
        raise _Beyond
    return {"$ref": schema["$ref"], **_definitions(schema, tally)}


def _definitions(schema: Mapping[str, Any], tally: _Tally) -> dict[str, Any]:
    return {
        key: {name: _outlined(item, tally) for name, item in schema[key].items()}
        for key in _DEFINITIONS
        if key in schema
    }


def _told(schema: Mapping[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """What cannot be held to is told where the model reads it."""
    rest = {key: value for key, value in schema.items() if key not in _KEPT and key not in _HANDLED}
    if rest.get("format") in _FORMATS:
        made["format"] = rest.pop("format")
    if rest.get("minItems") in (0, 1):
        made["minItems"] = rest.pop("minItems")
    words = ", ".join([f"{key}: {value}" for key, value in rest.items() if key not in ("examples", "discriminator")])
    if words:
        made["description"] = f"{made.get('description', '')} ({words})".strip()
    return made


def _recursive(schema: Mapping[str, Any]) -> bool:
    """Whether a definition leads back to itself."""
    left = {
        f"#/{key}/{name}": set(_references(item)) for key in _DEFINITIONS for name, item in schema.get(key, {}).items()
    }
    while ends := [name for name, leads in left.items() if leads.isdisjoint(left)]:
        for name in ends:
            del left[name]
    return bool(left)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)
