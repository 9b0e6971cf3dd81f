"""JSON Schemas as vendors want them."""

from collections.abc import Mapping
from typing import Any

# What a strictly held model cannot be held to.
# Source: https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
_LOOSE = frozenset(
    (
        "minLength", "maxLength", "minProperties", "maxProperties", "patternProperties", "propertyNames",
        "unevaluatedProperties", "unevaluatedItems", "contains", "minContains", "maxContains", "uniqueItems",
        "oneOf", "allOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "default",
        "prefixItems",
    )
)  # fmt: skip
_FORMATS = frozenset(("date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"))
_SCHEMAS = ("properties", "$defs", "definitions", "patternProperties")  # names to schemas
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = ("items", "not", "additionalProperties", "contains")
_TYPES = frozenset(("type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const"))
_LOOKAROUND = ("(?=", "(?!", "(?<")


def strict(schema: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """The schema with every object of known properties closed to others, and whether it can be enforced strictly.

    It can where every property of every object is required, no object is left open, and no keyword is used that
    cannot be enforced. Source: https://platform.openai.com/docs/guides/structured-outputs
    """
    closed, complete = _closed(schema)
    return closed, complete and closed.get("type") == "object"


def _closed(schema: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    closed, complete = dict(schema), _enforceable(schema)
    for key in _SCHEMAS:
        if isinstance(inner := schema.get(key), Mapping):
            pairs = {name: _part(value) for name, value in inner.items()}
            closed[key] = {name: value for name, (value, _) in pairs.items()}
            complete = complete and all(kept for _, kept in pairs.values())
    for key in _LISTS:
        if isinstance(inner := schema.get(key), list):
            parts = [_part(value) for value in inner]
            closed[key] = [value for value, _ in parts]
            complete = complete and all(kept for _, kept in parts)
    for key in _SINGLE:
        if isinstance(schema.get(key), Mapping):
            closed[key], kept = _part(schema[key])
            complete = complete and kept
    if _is_object(schema) and "properties" in schema:
        closed.setdefault("additionalProperties", False)
    return closed, complete


def _part(value: Any) -> tuple[Any, bool]:
    return _closed(value) if isinstance(value, Mapping) else (value, False)


def _enforceable(schema: Mapping[str, Any]) -> bool:
    """Whether a model can be held to this schema, apart from the schemas inside it."""
    if not _LOOSE.isdisjoint(schema) or _TYPES.isdisjoint(schema):
        return False
    if "$ref" in schema and len(schema) > 1:
        return False
    if schema.get("format", "uuid") not in _FORMATS or any(mark in schema.get("pattern", "") for mark in _LOOKAROUND):
        return False
    if schema.get("type") == "array" and not isinstance(schema.get("items"), Mapping):
        return False
    return not _is_object(schema) or _complete(schema)


def _is_object(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind)


def _complete(schema: Mapping[str, Any]) -> bool:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or schema.get("additionalProperties", False) is not False:
        return False
    return set(schema.get("required", ())) == set(properties)
