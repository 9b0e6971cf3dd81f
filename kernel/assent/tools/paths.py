"""Which arguments a tool has, also within others: `order.amount`."""

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import PydanticJsonSchemaWarning

Schema = Mapping[str, Any]


def strange(arguments: type[BaseModel], schema: Schema, path: str) -> tuple[str, tuple[str, ...]] | None:
    """How far a path goes that no call can have, and which there are instead; None where calls can, or nobody knows.

    `schema` is that of `arguments`. Within an object both the name of a field and the one for calls count.
    """
    spellings = [schema.get("$defs", {})]
    if "." in path:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PydanticJsonSchemaWarning)  # of defaults, which are not asked for here
            spellings.append(arguments.model_json_schema(by_alias=False).get("$defs", {}))
    places, way = [schema], ""
    for part in path.split("."):
        nodes = [node for place in places for node in _nodes(place, spellings)]
        if any(_is_open(node) for node in nodes):
            return None
        within = [node.get("properties", {}) for node in nodes]
        if not any(part in names for names in within):
            return f"{way}{part}", tuple(dict.fromkeys([f"{way}{name}" for names in within for name in names]))
        places, way = [names[part] for names in within if part in names], f"{way}{part}."
    return None


def _nodes(schema: Any, spellings: list[Schema], depth: int = 20) -> Iterator[Any]:
    """What may stand there: what a reference names, by each spelling; each of several alternatives."""
    alternatives = [item for key in ("anyOf", "oneOf", "allOf") for item in schema.get(key, ())] if schema else []
    name = str(schema.get("$ref", "")).rpartition("/")[2] if schema else ""
    if depth and name:
        for known in spellings:
            yield from _nodes(known.get(name, {}), spellings, depth - 1)
    elif depth and alternatives:
        for item in alternatives:
            yield from _nodes(item, spellings, depth - 1)
    else:
        yield schema


def _is_open(node: Any) -> bool:
    """Whether anything may be within: an object of any fields, or what no schema describes."""
    if not isinstance(node, Mapping) or node.get("additionalProperties"):
        return True
    closed = "properties" in node or "enum" in node or "const" in node
    return not closed and node.get("type", "object") == "object"
