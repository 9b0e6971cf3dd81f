"""All events as JSON Lines, each with its hash: what an auditor reads, and what `assent verify` verifies again.

A line has the columns of `schema.NAMES` that are not NULL. `time` is ISO 8601 with microseconds, UTC; `cost` a text
with nine decimals. `body` is the JSON itself; as a text where it would not come back the same, for its hash is of that.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from assent.core.errors import StoreError
from assent.store.chain import PORTION, Select
from assent.store.rows import encoded
from assent.store.schema import COLUMNS, NAMES
from assent.store.tampering import Finding

_ROWS = (
    "SELECT " + ", ".join(f'CAST("{name}" AS VARCHAR)' if name == "body" else f'"{name}"' for name in NAMES)
) + " FROM events WHERE seq > ? AND seq <= ? ORDER BY seq"
_TYPES = {"VARCHAR": str, "JSON": str, "BIGINT": int, "INTEGER": int, "DOUBLE": float}
_BITS = {"BIGINT": 63, "INTEGER": 31}


def lines(select: Select) -> Iterator[str]:
    """The events that are there now, a line each."""
    [(last,)] = select("SELECT coalesce(max(seq), 0) FROM events", ())
    for after in range(0, last, PORTION):
        for row in select(_ROWS, (after, min(last, after + PORTION))):
            yield _line(row)


def export(select: Select, file: Path, *, replace: bool = False) -> int:
    """Write all events to a file, readable by its owner alone; how many. It appears when it is whole."""
    if file.exists() and not replace:
        raise StoreError(f"{file} exists. Give another name, or replace it with --force.")
    part = file.with_name(f"{file.name}.part")
    count = 0
    try:
        part.touch(0o600)  # all that was said is in it
        with part.open("w", encoding="utf-8", newline="\n") as out:
            for count, line in enumerate(lines(select), 1):  # noqa: B007
                out.write(f"{line}\n")
        part.replace(file)
    except OSError as error:
        raise StoreError(f"{file} could not be written: {error.strerror or error}. Choose another place.") from None
    finally:
        part.unlink(missing_ok=True)
    return count


def rows(text: Iterable[str]) -> Iterator[tuple[Any, ...] | Finding]:
    """The rows of exported lines, as the table has them; a finding for each that is no event, or not in its place."""
    highest = 0
    for number, line in enumerate(text, 1):
        try:
            row = _row(json.loads(line, parse_constant=_refuse, object_pairs_hook=_once))
        except (ValueError, TypeError, InvalidOperation, RecursionError):
            yield Finding("unreadable", highest + 1, f"Line {number}, after event {highest}, is no event.")
            continue
        if row[0] < highest:
            text_ = f"Event {row[0]} stands behind event {highest}, in line {number}: lines were moved."
            yield Finding("moved", row[0], text_)
        highest = max(highest, row[0])
        yield row


def _line(row: tuple[Any, ...]) -> str:
    values = {name: value for name, value in zip(NAMES, row, strict=True) if value is not None}
    values["time"] = values["time"].isoformat(timespec="microseconds") + "Z"
    if "cost" in values:
        values["cost"] = f"{values['cost']:.9f}"
    values["body"] = _plain(values["body"])
    return encoded(values)


def _plain(body: str) -> Any:
    """A body as JSON, if its text comes back from that."""
    try:
        value = json.loads(body)
        return value if isinstance(value, dict) and encoded(value) == body else body
    except (ValueError, RecursionError):
        return body


def _row(values: dict[str, Any]) -> tuple[Any, ...]:
    if set(values) - set(NAMES) or not {"seq", "time", "kind", "body", "prev", "hash"} <= set(values):
        raise ValueError
    return tuple([_value(name, kind, values.get(name)) for name, kind in COLUMNS])


def _value(name: str, kind: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "time":
        return datetime.fromisoformat(value.removesuffix("Z"))
    if name == "body" and isinstance(value, dict):
        return encoded(value)
    if name == "cost":
        return Decimal(_of(str, value))
    if kind in _BITS and abs(_of(int, value)) >> _BITS[kind]:
        raise ValueError
    return _of(_TYPES[kind], value)


def _of(kind: type, value: Any) -> Any:
    if type(value) is not kind and not (kind is float and type(value) is int):
        raise TypeError
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names come once: of two, others might read the first, and we the last."""
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError
    return values


def _refuse(_: str) -> Any:
    raise ValueError
