"""Pieces of code that ran in a kernel: the analyst's cells and agents' calls, with what they read and wrote."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assent.history.slicing import Effect
from assent.store import blobs
from assent.store.window import Window

# What a body has above a certain size is set aside, and what a piece touched may be part of it.
_PIECES = """
    SELECT epoch_us(time) / 1e6, notebook, cell, coalesce(run, body ->> 'run'), agent, step, call, body
    FROM events WHERE (kind = 'cell_ran' OR (kind = 'call_finished' AND tool = 'python'))
        AND coalesce(body ->> '$.touched.kernel', if((body ->> 'blob') IS NULL, NULL, $kernel)) = $kernel
    ORDER BY seq"""
_LIVES = """
    SELECT body ->> '$.touched.kernel' AS kernel FROM events
    WHERE (kind = 'cell_ran' OR (kind = 'call_finished' AND tool = 'python'))
        AND (list_contains($notebooks, notebook) OR (notebook IS NULL AND len($notebooks) = 0))
        AND (body -> '$.touched.bound') IS NOT NULL
    GROUP BY kernel HAVING kernel IS NOT NULL ORDER BY max(seq) DESC"""
_PLACES = """
    SELECT DISTINCT notebook FROM events WHERE kind = 'notebook_placed' AND notebook IS NOT NULL AND body ->> 'id' IN
        (SELECT body ->> 'id' FROM events WHERE kind = 'notebook_placed' AND notebook = ?)"""
_CODES = """
    SELECT call, arg_max(body ->> '$.arguments.code', seq) FROM events
    WHERE kind = 'call_started' AND list_contains(?, call) GROUP BY call"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A cell, a call of the tool `python`, or the answer of a run that `--into` bound (a `run`, and no `call`).

    `at` is seconds since the epoch. `code` is as it ran, but for keys; of an answer there is none.
    """

    at: float
    notebook: str | None
    cell: str | None
    count: int | None
    digest: str
    run: str | None
    agent: str | None
    step: int | None
    call: str | None
    code: str
    failed: bool
    effect: Effect

    @property
    def kind(self) -> str:
        return "call" if self.call else "answer" if self.run else "cell"


def pieces(journal: Window, kernel: str) -> list[Piece]:
    """What ran in one life of a kernel, oldest first."""
    rows = journal.select(_PIECES, {"kernel": kernel})
    told = codes(journal, [call for *_, call, _ in rows if call])
    found = [_piece(journal.folder, row, told) for row in rows]
    return [piece for piece, life in found if life == kernel]


def lives(journal: Window, notebook: str | None) -> list[str]:
    """The lives of a notebook's kernels in which variables were bound, the latest first."""
    return [kernel for (kernel,) in journal.select(_LIVES, {"notebooks": places(journal, notebook)})]


def places(journal: Window, notebook: str | None) -> list[str]:
    """Where a notebook is and was."""
    if notebook is None:
        return []
    return list(dict.fromkeys([notebook, *[place for (place,) in journal.select(_PLACES, [notebook])]]))


def codes(journal: Window, calls: Iterable[str]) -> dict[str, str]:
    """The code of calls, as it ran."""
    wanted = list(calls)
    return dict(journal.select(_CODES, [wanted])) if wanted else {}


def first_line(code: str) -> str:
    """The first line that says something."""
    lines = [line.strip() for line in code.splitlines()]
    return next((line for line in lines if line and not line.startswith("#")), "")


def effect_of(touched: Mapping[str, Any]) -> Effect:
    """What a body says under `touched` (`tools.touched.Touched.to_json`); what may have changed counts as changed."""
    read, bound, changed, deleted, absent, maybe = (
        frozenset(touched.get(what, ())) for what in ("read", "bound", "changed", "deleted", "absent", "maybe")
    )
    shares, later = touched.get("shares", {}), touched.get("later", {})
    return Effect(read, bound, changed | maybe, deleted, shares=shares, later=later, absent=absent)


def settle(journal: Window) -> None:
    """Wait until what was posted before can be read."""
    journal.append([]).result()


def _piece(folder: Path, row: tuple[Any, ...], told: Mapping[str, str]) -> tuple[Piece, str]:
    at, notebook, cell, run, agent, step, call, text = row
    body = json.loads(text)
    if "touched" not in body and "blob" in body:
        body = json.loads(blobs.get(folder / blobs.FOLDER, body["blob"]))
    touched = body.get("touched") or {}
    piece = Piece(
        at=at, notebook=notebook, cell=cell, count=body.get("count"), digest=body.get("digest", ""), run=run,
        agent=agent, step=step, call=call, code=(told.get(call) or "") if call else body.get("source", ""),
        failed=bool(body.get("error")), effect=effect_of(touched),
    )  # fmt: skip
    return piece, touched.get("kernel", "")
