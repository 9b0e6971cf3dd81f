"""JSON Schemas as vendors want them."""

from collections.abc import Mapping
from typing import Any


def strict(schema: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """The schema with every object closed to further properties, and whether it can be enforced strictly.

    It can where every property of every object is required and no object is left open.
    Source: https://platform.openai.com/docs/guides/structured-outputs
    """
    closed, complete = _closed(dict(schema))
    return closed, complete


def _closed(value: Any) -> tuple[Any, bool]:
    if isinstance(value, list):
        pairs = [_closed(item) for item in value]
        return [item for item, _ in pairs], all(complete for _, complete in pairs)
    if not isinstance(value, Mapping):
        return value, True
    made = {key: _closed(item) for key, item in value.items()}
    closed = {key: item for key, (item, _) in made.items()}
    complete = all(complete for _, complete in made.values())
    if value.get("type") == "object":
        properties = value.get("properties") or {}
        is_open = bool(value.get("additionalProperties", False))
        closed.setdefault("additionalProperties", False)
        return closed, complete and not is_open and set(value.get("required", ())) == set(properties)
    return closed, complete
