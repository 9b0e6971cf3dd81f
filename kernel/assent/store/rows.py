"""An event as a row of the journal and back, and the hash that chains one row to the next."""

import hashlib
import json
import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from assent.core.canonical import plain
from assent.core.events import Event, Kind
from assent.store.schema import NAMES

FORGOTTEN = '{"forgotten":"'  # how a body begins that was forgotten; its sha256 follows
_EPOCH = datetime(1970, 1, 1)  # UTC, as all times in the journal
_NANO = Decimal("1e-9")  # what the cost column keeps
_MOST = 2**63
_COSTLIEST = Decimal("1e9")  # what it has room for
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=str).encode


def encoded(value: Any) -> str:
    """`value` as JSON text that the database takes, whatever a tool or a model has put into it."""
    try:
        return clean(_encode(value))
    except Exception:  # keys that are no text, NaN, a cycle, endless depth, an object whose text raises
        return clean(_encode(plain(value)))


def clean(text: str) -> str:
    """Half a surrogate pair is no UTF-8 and would refuse the whole commit."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def values_of(event: Event, body: str) -> tuple[Any, ...]:
    """The columns of a row before its hash."""
    values = (
        event.seq, round(event.at * 1e6), event.kind.value, event.run, event.parent, event.step, event.tenant,
        event.user, event.agent, event.notebook, event.cell, event.model, event.tool, event.call, event.privilege,
        event.decision, _count(event.input_tokens), _count(event.output_tokens), _count(event.cached_tokens),
        _count(event.reasoning_tokens), _money(event.cost), _seconds(event.duration), body, event.prev,
    )  # fmt: skip
    return tuple([clean(value) if isinstance(value, str) and not value.isascii() else value for value in values])


def hash_of(values: tuple[Any, ...], batch: str | None) -> str:
    """sha256 (hexadecimal) over a row's other columns, the hash of the row before it among them.

    The body counts by its sha256, so that the chain still fits when a body is forgotten. In rows of schema version 1,
    which have no batch, it counts by its text.
    """
    if batch is not None:
        *others, body, prev = values
        values = (*others, digest_of(body), prev, batch)
    return link_of(values)


def link_of(values: Sequence[Any]) -> str:
    """sha256 (hexadecimal) over what of a row is in the chain."""
    return sealed([f"{value:.9f}" if isinstance(value, Decimal) else value for value in values])


def sealed(values: list[Any]) -> str:
    """`link_of`, where the cost is text already."""
    return hashlib.sha256(covered(values).encode()).hexdigest()


def covered(values: list[Any]) -> str:
    """The text that `sealed` is the hash of: a JSON list, the event's number first."""
    return _encode(values)


def digest_of(body: str) -> str:
    """sha256 (hexadecimal) of a body as it was written, of one that was forgotten too."""
    if body.startswith(FORGOTTEN):
        return body[len(FORGOTTEN) : len(FORGOTTEN) + 64]
    return hashlib.sha256(body.encode()).hexdigest()


def row_of(values: tuple[Any, ...], digest: str, batch: str | None) -> tuple[Any, ...]:
    """The whole row as the database takes it: `values_of` an event, their hash, and the batch."""
    seq, microseconds, *rest = values
    return (seq, _EPOCH + timedelta(microseconds=microseconds), *rest, digest, batch)


def event_of(row: tuple[Any, ...]) -> Event:
    """An event from a row of `schema.SELECT`."""
    columns: dict[str, Any] = dict(zip(NAMES, row, strict=True))
    columns["kind"], columns["body"] = Kind(columns["kind"]), json.loads(columns["body"])
    columns["at"] = columns.pop("time") / 1e6
    return Event(**columns)


def _count(tokens: Any) -> int | None:
    """What a model's server says of its tokens may be no number, or one that the column has no room for."""
    whole = isinstance(tokens, int) and not isinstance(tokens, bool)
    return tokens if whole and 0 <= tokens < _MOST else None


def _seconds(duration: Any) -> float | None:
    """A duration as the column gives it back: a whole number would hash otherwise than the float that it becomes."""
    try:
        seconds = float(duration)
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) else None


def _money(cost: Decimal | None) -> Decimal | None:
    # Rounded here, not by the database, so that the hash is of what is kept.
    if cost is None or not cost.is_finite() or abs(cost) >= _COSTLIEST:
        return None
    return cost.quantize(_NANO, ROUND_HALF_UP)
