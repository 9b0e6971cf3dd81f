"""What a text carries of the notebook's data: where that comes from, and what of it is masked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST = 200  # columns, and tables, that an account names

Cell = tuple[int, int, str]  # from, to, and the name of the rule: where in a text the value of a masked column stands


@dataclass(frozen=True, slots=True)
class Source:
    """Something of the notebook's that a text carries: a variable told in a prompt, or what a tool gave.

    `tables` are the variables that it was made of, `columns` those that stand in it, `rows` how many of them do, of
    `total`. `bytes` is the length of its own part of the text in UTF-8, None where the text is all its.
    """

    what: str
    name: str = ""
    tables: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: int | None = None
    total: int | None = None
    bytes: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As the journal keeps it: what is empty is left out, and of very many names the first."""
        value = {name: getattr(self, name) for name in self.__slots__ if getattr(self, name) not in ("", (), None)}
        return value | {name: value[name][:MOST] for name in ("tables", "columns") if name in value}


@dataclass(frozen=True, slots=True)
class Cargo:
    """The sources of one text, and the `cells` in it whose columns are masked.

    `looked` are the rules about columns (`core.mask.Mask.key`) by which these were looked for.
    """

    sources: tuple[Source, ...] = ()
    cells: tuple[Cell, ...] = ()
    looked: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.sources or self.cells or self.looked)

    def to_json(self) -> dict[str, Any]:
        """As the body of an event holds it, under `carries`."""
        value: dict[str, Any] = {}
        if self.sources:
            value["sources"] = [source.to_json() for source in self.sources]
        if self.cells:
            value["cells"] = [list(cell) for cell in self.cells]
        if self.looked:
            value["looked"] = list(self.looked)
        return value


EMPTY = Cargo()


def joined(whole: str, pieces: Sequence[tuple[str, Cargo]]) -> Cargo:
    """What a text carries that others stand in, one after the other; each piece of it as far as it does."""
    sources: list[Source] = []
    found: list[Cell] = []
    at = 0
    for text, cargo in pieces:
        sources += cargo.sources
        begin = whole.find(text, at)
        begin = begin if begin >= 0 else whole.find(text)  # proposals of proposals stand before what comes after them
        if begin >= 0:
            most = len(text)  # which may be the beginning of what the cells are of
            found += [(begin + start, begin + min(end, most), name) for start, end, name in cargo.cells if start < most]
            at = begin
    looked = [set(cargo.looked) for _, cargo in pieces if cargo]
    return Cargo(tuple(sources), tuple(found), tuple(sorted(set.intersection(*looked))) if looked else ())


def from_json(value: Mapping[str, Any] | None) -> Cargo:
    """The inverse of `Cargo.to_json`."""
    if not value:
        return EMPTY
    sources = [_source(item) for item in value.get("sources", ())]
    cells = tuple([(begin, end, name) for begin, end, name in value.get("cells", ())])
    return Cargo(tuple(sources), cells, tuple(value.get("looked", ())))


def _source(value: Mapping[str, Any]) -> Source:
    lists: dict[str, Any] = {name: tuple(value[name]) for name in ("tables", "columns") if name in value}
    return Source(**{**value, **lists})
