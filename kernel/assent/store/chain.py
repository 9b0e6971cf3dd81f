"""Verifying a journal: each row's hash anew, the link to the row before it, what was forgotten, the payloads."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assent.core.errors import StoreError
from assent.core.events import Kind
from assent.store import blobs
from assent.store.rows import FORGOTTEN, sealed
from assent.store.schema import NAMES

GENESIS = "0" * 64
PORTION = 10_000  # rows that are read at once
_NAMED = 5  # payloads that an error names

Select = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]

# The database hashes the bodies, so that they need not be fetched; those of schema version 1 are in the chain as text.
_COLUMN = {
    "time": "CASE WHEN isfinite(time) THEN epoch_us(time) END",  # infinity is never written
    "cost": "CAST(cost AS VARCHAR)",  # with all nine decimals, as the chain has it
    "body": f"""CASE WHEN batch IS NULL THEN CAST(body AS VARCHAR) WHEN starts_with(body, '{FORGOTTEN}')
        THEN substr(CAST(body AS VARCHAR), {len(FORGOTTEN) + 1}, 64) ELSE sha256(body) END""",
}
_BLOBS = """CASE WHEN contains(body, '"blob":"') OR contains(body, '"images":[')
    THEN list_append(json_extract_string(body, '$.images[*].digest'), body ->> '$.blob') END"""
_KEPT = f"CASE WHEN starts_with(body, '{FORGOTTEN}') OR kind = '{Kind.COMPACTED}' THEN body END"
LINKED = ", ".join([_COLUMN.get(name, f'"{name}"') for name in NAMES])  # the columns of a row, as its hash covers them
_ROWS = f"""SELECT {LINKED}, {_BLOBS}, {_KEPT}
    FROM events WHERE seq > ? AND seq <= ? ORDER BY seq"""
_HASH, _BATCH, _KIND = NAMES.index("hash"), NAMES.index("batch"), NAMES.index("kind")


@dataclass(frozen=True, slots=True)
class Verified:
    """A journal whose chain fits: how many events, the last one's hash, how many were forgotten, and payloads."""

    events: int
    head: str
    forgotten: int
    payloads: int

    def __str__(self) -> str:
        forgotten = f"{self.forgotten:,} of them forgotten, " if self.forgotten else ""
        payloads = f", {self.payloads:,} payloads" if self.payloads else ""
        return f"{self.events:,} events, {forgotten}the chain fits, head {self.head[:12]}{payloads}"


@dataclass(slots=True)
class Walk:
    """How far a chain has been followed."""

    seq: int = 0
    head: str = GENESIS
    payloads: dict[str, int] = field(default_factory=dict)  # a blob's name, and the first event that names it
    forgotten: int = 0
    digest: Any = field(default_factory=hashlib.sha256)  # over what was forgotten
    said: tuple[int, str] = (0, "")  # what the journal says of that: how many, and the digest


def verify(select: Select, folder: Path | None) -> Verified:
    """Follow the chain to the event that is the last one now; `StoreError` names the first that does not fit.

    `select` reads the journal, in portions, so that nothing is held up; `folder` is the workspace's, None where no
    payloads are at hand, which then count as none.
    """
    compacted = _compactions(select)
    try:
        return _verified(select, folder)
    except StoreError:
        if _compactions(select) == compacted:
            raise
    return verify(select, folder)  # the first portions were read before events were forgotten, the last ones after


def _verified(select: Select, folder: Path | None) -> Verified:
    walk = followed(select)
    if walk.forgotten and (walk.forgotten, walk.digest.hexdigest()) != walk.said:
        raise StoreError(
            f"The journal was changed: {walk.forgotten:,} events read as forgotten, and no compaction says so of "
            "exactly these. Restore a backup with `assent restore FILE`."
        )
    if folder is not None:
        _check_payloads(walk.payloads, folder / blobs.FOLDER)
    return Verified(walk.seq, walk.head, walk.forgotten, len(walk.payloads) if folder else 0)


def followed(select: Select) -> Walk:
    """A whole chain, whatever it says of what was forgotten."""
    [(last, count)] = select("SELECT coalesce(max(seq), 0), count(*) FROM events", ())
    walk = Walk()
    while walk.seq < last:
        rows = select(_ROWS, (walk.seq, min(last, walk.seq + PORTION)))
        _follow(walk, rows)
        if not rows:
            raise _unfit(walk.seq + 1)
    if count != last:
        raise StoreError(
            f"The journal was changed: it has {count:,} events, of which {last:,} are in the chain. "
            "Restore a backup with `assent restore FILE`."
        )
    return walk


def recent(select: Select) -> int:
    """Follow the end of the chain alone, which takes no time; how many events that were, or `StoreError`."""
    [(last,)] = select("SELECT coalesce(max(seq), 0) FROM events", ())
    walk = Walk(max(0, last - PORTION))
    if walk.seq:
        [(walk.head,)] = select("SELECT hash FROM events WHERE seq = ?", (walk.seq,))
    begin = walk.seq
    _follow(walk, select(_ROWS, (begin, last)))
    return walk.seq - begin


def _follow(walk: Walk, rows: Iterable[tuple[Any, ...]]) -> None:
    for *row, names, kept in rows:
        seq, prev, digest = row[0], row[_HASH - 1], row[_HASH]
        if seq != walk.seq + 1 or prev != walk.head or digest != recomputed(row):
            raise _unfit(walk.seq + 1)
        walk.seq, walk.head = seq, digest
        for name in names or ():
            if name is not None:
                walk.payloads.setdefault(name, seq)
        if kept is not None:
            _remember(walk, row[_KIND], kept)


def recomputed(row: Sequence[Any]) -> str:
    """The hash that a row of `LINKED` should have."""
    try:
        return sealed(linked(row))
    except ValueError:  # a duration that is no number, which is never written
        return ""


def linked(row: Sequence[Any]) -> list[Any]:
    """What of a row of `LINKED` its hash covers."""
    batch = row[_BATCH]
    return [*row[:_HASH]] if batch is None else [*row[:_HASH], batch]


def _remember(walk: Walk, kind: str, body: str) -> None:
    if kind == Kind.COMPACTED:
        said = json.loads(body)
        walk.said = said.get("forgotten", 0), said.get("digest", "")
    else:
        walk.forgotten += 1
        walk.digest.update(_line(walk.seq, body))


def _line(seq: int, body: str) -> bytes:
    """A forgotten row, as the digest of `COMPACTED` covers it."""
    return f"{seq} {body}\n".encode()


def _unfit(seq: int) -> StoreError:
    return StoreError(
        f"The journal was changed: event {seq} does not fit the hash chain. What comes before it is whole. "
        "Restore a backup with `assent restore FILE`."
    )


def _check_payloads(names: Mapping[str, int], folder: Path) -> None:
    wrong = []
    for name, seq in names.items():
        try:
            blobs.get(folder, name)
        except StoreError as error:
            wrong.append(f"event {seq}: {error}")
    if wrong:
        more = f" And {len(wrong) - _NAMED} more." if len(wrong) > _NAMED else ""
        raise StoreError(
            f"The chain fits, but {len(wrong)} of {len(names)} payloads do not. {' '.join(wrong[:_NAMED])}{more} "
            f"Copy {folder} from a backup, or restore one with `assent restore FILE`."
        )


def _compactions(select: Select) -> int:
    [(count,)] = select("SELECT count(*) FROM events WHERE kind = ?", [Kind.COMPACTED])
    return int(count)
