"""After a kernel's end: which variables it had, and which cells and calls would make them again."""

import ast
import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from assent.core.errors import NotFound
from assent.history.pieces import Piece, lives, pieces, settle
from assent.history.slicing import existing, sliced
from assent.store.window import Window

_READERS = ("read", "load", "open", "imread", "scan", "from_file", "get_data")


@dataclass(frozen=True, slots=True)
class Plan:
    """`had`: the variables of the last life; `gone`: those that are to be made again; `steps`: by what, in order.

    `makes` are the variables that each step writes. `missing`: names that no recorded cell has made; `files`: those
    that the steps read by a name in their text, and that are not there.
    """

    ended: float
    had: tuple[str, ...]
    gone: tuple[str, ...]
    steps: tuple[Piece, ...]
    makes: tuple[tuple[str, ...], ...]
    missing: tuple[str, ...]
    files: tuple[str, ...]
    again: frozenset[str]  # digests of cells that this kernel has run already


def plan(
    journal: Window, notebook: str | None, kernel: str, there: Collection[str], wanted: Sequence[str] = ()
) -> Plan | None:
    """How to make the variables of a notebook's last life again, or the `wanted` ones; None where none is known.

    `kernel` is the life that goes on now, and `there` are its variables. `NotFound` names a wanted one nobody made.
    """
    settle(journal)
    before = [life for life in lives(journal, notebook) if life != kernel]
    if not before:
        return None
    ran = pieces(journal, before[0])
    effects = [piece.effect for piece in ran]
    had = existing(effects)
    if unknown := [name for name in wanted if name not in had]:
        names = ", ".join(sorted(had)) or "none"
        raise NotFound(f"The last kernel had no variable {unknown[0]!r} when it ended; it had {names}.")
    gone = sorted(wanted or had.difference(there))
    found = sliced(effects, gone)
    steps = [ran[place] for place in found.chosen]
    now = {piece.digest for piece in pieces(journal, kernel) if piece.digest}
    return Plan(
        ended=ran[-1].at, had=tuple(sorted(had)), gone=tuple(gone), steps=tuple(steps),
        makes=tuple(tuple(sorted((step.effect.bound | step.effect.changed) & had)) for step in steps),
        missing=tuple(sorted(found.missing)), files=tuple(_files(steps)), again=frozenset(now),
    )  # fmt: skip


def _files(steps: Iterable[Piece]) -> list[str]:
    """Files that the steps read by a name in their text, as far as it is one, and that are not there."""
    named = [name for step in steps for name in _read_by(step.code)]
    return [name for name in dict.fromkeys(named) if not os.path.exists(os.path.expanduser(name))]


def _read_by(code: str) -> list[str]:
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return []  # magics, say
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    return [name for node in calls if _reads(node) and (name := _path(node.args[0]))]


def _reads(node: ast.Call) -> bool:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    modes = [*node.args[1:2], *(keyword.value for keyword in node.keywords if keyword.arg == "mode")]
    writes = any(isinstance(mode, ast.Constant) and str(mode.value)[:1] in "wax" for mode in modes)
    return name.startswith(_READERS) and not (name == "open" and writes)


def _path(node: ast.expr) -> str:
    """The path that an argument is, where it is written out and no address."""
    text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    return text if ("." in text or "/" in text) and "://" not in text and "\n" not in text else ""
