"""What differs between a table before and after: rows, columns, types, nulls, values, and a few rows to look at."""

import math
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from assent.tools.sql import cell_text

_SHOWN = 3  # rows of a kind
_WIDTH = 7  # columns of a table that are shown
_CELLS = 20_000_000  # values of a table that are compared one by one
_COLUMNS = 500
_LOOKED_AT = 1000  # values of a column, to see whether there are several
_MATCHING, _COMPARING = 4e-7, 1.5e-7  # seconds a row, at most, on a slow machine
_FEW = 100_000  # rows whose texts are hashed


@dataclass(frozen=True, slots=True)
class _Rows:
    """Which rows went and came, by position; `before` and `after` are the rows that are in both, in one order.

    `exact`: rows were told apart, not only counted. `moved`: the rows that stayed stand in another order.
    """

    removed: Any
    added: Any
    before: Any
    after: Any
    exact: bool = True
    moved: bool = False


def snapshot(frame: Any) -> Any:
    """The table as it is now, whatever happens to it; from pandas 3 on that takes no copy of its values."""
    copies = int(sys.modules["pandas"].__version__.partition(".")[0]) < 3
    return frame.copy(deep=copies)


def differs(before: Any, after: Any) -> bool:
    """Whether it is worth a look: a table that nobody wrote to still has the same values in the same memory."""
    if before.shape != after.shape or not before.columns.equals(after.columns):
        return True
    if not before.index.is_(after.index) and not before.index.equals(after.index):
        return True
    return any(not _is_shared(before.iloc[:, i], after.iloc[:, i]) for i in range(min(before.shape[1], _COLUMNS)))


def difference(before: Any, after: Any, until: float = math.inf) -> dict[str, Any]:
    """As plain values: `rows` before and after, `removed` and `added` of them, what became of columns, and tables.

    `nulls` and `dtypes` by column, before and after; `values` by column, how many changed in rows that stayed;
    Where the monotonic clock has come near `until`, rows are only `counted`, and `unseen` columns are not compared.
    """
    rows = _matched(before, after, until)
    renamed = _renamed(before, after) if rows.exact else {}
    gone = [name for name in before.columns if name not in after.columns and name not in renamed]
    new = [name for name in after.columns if name not in before.columns and name not in renamed.values()]
    pairs = [(name, renamed.get(name, name)) for name in before.columns if renamed.get(name, name) in after.columns]
    unique = before.columns.is_unique and after.columns.is_unique and len(pairs) <= _COLUMNS
    found: dict[str, Any] = {
        "rows": [len(before), len(after)],
        "removed": len(rows.removed) if rows.exact else max(len(before) - len(after), 0),
        "added": len(rows.added) if rows.exact else max(len(after) - len(before), 0),
        "moved": rows.moved,
        "counted": not rows.exact,
        "gone": [str(name) for name in gone],
        "new": [str(name) for name in new],
        "renamed": {str(old): str(now) for old, now in renamed.items()},
    }
    if not unique:
        return found | {
            "dtypes": {},
            "nulls": {},
            "values": {},
            "tables": [],
            "unseen": [str(name) for name, _ in pairs],
        }
    columns = [(old, before[old], after[now]) for old, now in pairs]
    found["dtypes"] = {str(n): [str(a.dtype), str(b.dtype)] for n, a, b in columns if a.dtype != b.dtype}
    found["nulls"] = {} if _is_late(len(before), _COMPARING, until) else _nulls(columns)
    masks, unseen = _changes(rows, pairs, until) if rows.exact else ({}, [])
    found["unseen"] = [str(name) for name in unseen]
    found["values"] = {str(name): int(mask.sum()) for name, mask in masks.items() if mask.any()}
    marked = [name for name, mask in masks.items() if mask.any()]
    odd = [old for old, now in pairs if before[old].dtype != after[now].dtype]
    return found | {"tables": _tables(before, after, rows, marked, odd, new, renamed, masks)}


def rows_of(frame: Any, columns: Iterable[Any] = (), most: int = _SHOWN) -> dict[str, Any]:
    """The first rows of a table with their labels, those `columns` among others: columns, rows as text, how many."""
    chosen = _chosen(frame, list(columns))
    return {"columns": ["", *[str(name) for name in chosen]], "rows": _cells(frame, chosen, most), "total": len(frame)}


def _matched(before: Any, after: Any, until: float) -> _Rows:
    late = _is_late(len(before) + len(after), _MATCHING, until)
    late = late or not (before.columns.is_unique and after.columns.is_unique)
    if before.index.is_(after.index) or before.index.equals(after.index):
        moved = not late and _is_numbered(before) and _mostly_differs(before, after)
        return (_by_content(before, after) if moved else None) or _in_order(before, after)
    if late:
        return _uncounted(before, after)
    if _is_numbered(before) and _is_numbered(after):
        return _renumbered(before, after)
    return _by_labels(before, after)


def _is_numbered(frame: Any) -> bool:
    index = frame.index
    return type(index).__name__ == "RangeIndex" and index.start == 0 and index.step == 1


def _in_order(before: Any, after: Any) -> _Rows:
    return _Rows((), (), before, after)


def _uncounted(before: Any, after: Any) -> _Rows:
    return _Rows((), (), before, after, exact=False)


def _by_labels(before: Any, after: Any) -> _Rows:
    """Rows that kept their labels."""
    np = sys.modules["numpy"]
    one, other = before.index, after.index
    if one.nlevels != other.nlevels or one.dtype != other.dtype or not (one.is_unique and other.is_unique):
        return _uncounted(before, after)
    if _is_numbered(before):  # then a label is a position, and nothing need be hashed
        labels = other.to_numpy()
        stays = (labels >= 0) & (labels < len(before))
        kept = np.zeros(len(before), dtype=bool)
        kept[labels[stays]] = True
    else:
        kept, stays = one.isin(other), other.isin(one)
    common, in_both = one[kept], after[stays]
    moved = not common.equals(in_both.index)
    aligned = in_both.loc[common] if moved else in_both
    return _Rows((~kept).nonzero()[0], (~stays).nonzero()[0], before[kept], aligned, moved=moved)


def _mostly_differs(before: Any, after: Any) -> bool:
    """Whether columns differ in many rows, as after sorting: judged by some of the rows."""
    step = max(len(before) // 200, 1)
    names = [name for name in before.columns if name in after.columns and before[name].dtype == after[name].dtype][:20]
    pairs = [(before[name], after[name]) for name in names if not _is_shared(before[name], after[name])]
    shares = [float(_unequal(one.iloc[::step], other.iloc[::step]).mean()) for one, other in pairs if len(one)]
    return len([share for share in shares if share > 0.2]) >= max(2, len(names) // 2)


def _renumbered(before: Any, after: Any) -> _Rows:
    """Rows that were numbered anew: some at the end came or went, or what they hold tells them apart."""
    columns = [name for name in before.columns if name in after.columns and before[name].dtype == after[name].dtype]
    common = min(len(before), len(after))
    one, other = before.iloc[:common], after.iloc[:common]
    same = [name for name in columns if not _unequal(one[name], other[name]).any()]
    if len(same) == len(columns) > 0 or len([name for name in same if _varies(one[name])]) >= max(len(columns) / 2, 1):
        went, came = range(common, len(before)), range(common, len(after))
        return _Rows(went, came, one, other)
    return _by_content(before, after) or _uncounted(before, after)


def _varies(column: Any) -> bool:
    try:
        return len(column.head(_LOOKED_AT).unique()) > 1
    except TypeError:  # a cell that cannot be hashed, a list say
        return True


def _by_content(before: Any, after: Any) -> _Rows | None:
    """Rows matched by what they hold; equal ones in their order. None where that cannot be had in a short time."""
    np = sys.modules["numpy"]
    names = [name for name in before.columns if name in after.columns and before[name].dtype == after[name].dtype]
    old, now = _keys(before, names), _keys(after, names)
    if old is None or now is None or len(old) == 0 or len(now) == 0:
        return None
    partner = sys.modules["pandas"].Index(now).get_indexer(old)
    kept = partner >= 0
    if kept.mean() < 0.3:  # everything is new, or what tells rows apart has changed
        return None
    partner = partner[kept]
    added = np.ones(len(after), dtype=bool)
    added[partner] = False
    stays = before.iloc[kept.nonzero()[0]], after.iloc[partner]
    moved = not bool((np.diff(partner) > 0).all())
    return _Rows((~kept).nonzero()[0], added.nonzero()[0], *stays, moved=moved)


def _keys(frame: Any, names: list[Any]) -> Any:
    """A number for each row that tells it from the others by numbers and dates, in small tables by all it holds."""
    from pandas.util import hash_pandas_object  # loaded already: there is a DataFrame

    np = sys.modules["numpy"]
    quick = [name for name in names if frame[name].dtype.kind in "iufbmM"]
    chosen = names if len(frame) <= _FEW else quick
    if not chosen or len(frame) * len(chosen) > _CELLS:
        return None
    try:
        keys = hash_pandas_object(frame[chosen], index=False).to_numpy()
    except TypeError:  # a cell that cannot be hashed, a list say
        return None
    if sys.modules["pandas"].Index(keys).is_unique:
        return keys
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    places = np.arange(len(keys))
    first = np.ones(len(keys), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    if first.mean() < 0.5 and len(frame) > _FEW:
        return None
    repeated = places - np.maximum.accumulate(np.where(first, places, 0))  # how many equal rows stand before
    told_apart = np.empty_like(keys)
    told_apart[order] = ordered + repeated.astype("uint64") * np.uint64(0x9E3779B97F4A7C15)
    return told_apart


def _renamed(before: Any, after: Any) -> dict[Any, Any]:
    """Columns that have another name at the same place, and the same values."""
    if before.shape != after.shape:
        return {}
    names = zip(before.columns, after.columns, strict=True)
    candidates = [(i, old, now) for i, (old, now) in enumerate(names) if old not in after.columns]
    return {
        old: now
        for i, old, now in candidates
        if now not in before.columns and before.iloc[:, i].array.equals(after.iloc[:, i].array)
    }


def _nulls(columns: list[tuple[Any, Any, Any]]) -> dict[str, list[int]]:
    written = [(name, one, other) for name, one, other in columns if not _is_shared(one, other)]
    counted = [(name, int(one.isna().sum()), int(other.isna().sum())) for name, one, other in written]
    return {str(name): [old, now] for name, old, now in counted if old != now}


def _changes(rows: _Rows, pairs: list[tuple[Any, Any]], until: float) -> tuple[dict[Any, Any], list[Any]]:
    """For each column that kept its type, which of the rows that stayed have another value; those not compared."""
    found, unseen = {}, []
    for old, now in pairs:
        one, other = rows.before[old], rows.after[now]
        if one.dtype != other.dtype or _is_shared(one, other):
            continue
        if rows.before.size > _CELLS or _is_late(len(one), _COMPARING, until):
            unseen.append(old)
        else:
            found[old] = _unequal(one, other)
    return found, unseen


def _is_late(rows: int, each: float, until: float) -> bool:
    """Whether so many rows, at so many seconds each, would take longer than there is time."""
    return time.monotonic() + rows * each > until


def _unequal(one: Any, other: Any) -> Any:
    """Which values differ, as an array of truths; two nulls do not."""
    np, pd = sys.modules["numpy"], sys.modules["pandas"]
    try:
        unequal = np.asarray(one.array != other.array)
        if unequal.dtype == object:  # a null that is compared is neither true nor false
            unequal = np.where(pd.isna(unequal), True, unequal).astype(bool)
    except (TypeError, ValueError):  # values that do not compare; their texts do
        unequal = one.astype(str).to_numpy() != other.astype(str).to_numpy()
    return unequal & ~(one.isna().to_numpy() & other.isna().to_numpy()) if unequal.any() else unequal


def _is_shared(one: Any, other: Any) -> bool:
    """Whether two columns have their values in the same memory, and so are equal."""
    if len(one) != len(other) or one.dtype != other.dtype:
        return False
    ours, theirs = one.array, other.array
    for name in ("_pa_array", "_ndarray"):
        held, its = getattr(ours, name, None), getattr(theirs, name, None)
        if held is not None and its is not None:
            if name == "_pa_array":
                return held is its
            same: bool = held.__array_interface__["data"] == its.__array_interface__["data"]
            return same and held.strides == its.strides
    return False


def _tables(
    before: Any, after: Any, rows: _Rows, marked: list[Any], odd: list[Any], new: list[Any],
    renamed: dict[Any, Any], masks: dict[Any, Any],
) -> list[dict[str, Any]]:  # fmt: skip
    """Some of the rows that went, that came, and of those that changed, before and after."""
    tables = []
    if not rows.exact:
        return [{"title": "before", **rows_of(before)}, {"title": "after", **rows_of(after)}]
    if len(rows.removed):
        gone = before.iloc[list(rows.removed[:_SHOWN])]
        tables.append({"title": "rows removed", **rows_of(gone), "total": len(rows.removed)})
    if len(rows.added):
        come = after.iloc[list(rows.added[:_SHOWN])]
        tables.append({"title": "rows added", **rows_of(come), "total": len(rows.added)})
    if marked or odd or new or renamed:
        tables.append(_pairs(rows, marked, odd, new, renamed, masks))
    return tables


def _pairs(
    rows: _Rows, marked: list[Any], odd: list[Any], new: list[Any], renamed: dict[Any, Any], masks: dict[Any, Any]
) -> dict[str, Any]:
    """Rows that stayed, each before and after, those first in which a value changed."""
    np = sys.modules["numpy"]
    whole = bool(odd or new or renamed)
    changed = np.zeros(len(rows.before), dtype=bool)
    for mask in masks.values():
        changed |= mask
    places = changed.nonzero()[0] if changed.any() else np.arange(len(rows.before))
    total = len(rows.before) if whole else len(places)
    old, now = rows.before.iloc[places[:_SHOWN]], rows.after.iloc[places[:_SHOWN]]
    back = {name: origin for origin, name in renamed.items()}
    wanted = [renamed.get(name, name) for name in (*marked, *odd, *renamed)]
    chosen = _chosen(now, [*wanted, *new])
    told = _cells(old, [back.get(name, name) for name in chosen], _SHOWN)
    after = _cells(now, chosen, _SHOWN)
    title, lines = "rows changed", []
    if not (marked or odd or renamed):
        title, lines = "rows with what is new", [["", *row] for row in after]
    else:
        for was, is_ in zip(told, after, strict=True):
            lines += [["before", *was], ["after", *is_]]
    columns = ["", "", *[str(name) for name in chosen]]
    return {"title": title, "columns": columns, "rows": lines, "total": total}


def _chosen(frame: Any, first: list[Any]) -> list[Any]:
    """The columns to show, in their order: `first`, and others while there is room."""
    wanted = [name for name in first if name in frame.columns][:_WIDTH]
    wanted += [name for name in frame.columns if name not in wanted][: _WIDTH - len(wanted)]
    return [name for name in frame.columns if name in wanted]


def _cells(frame: Any, columns: list[Any], most: int) -> list[list[str | None]]:
    some = frame.head(most)
    found = [some[name].tolist() if name in some.columns else [None] * len(some) for name in columns]
    labels = [str(label) for label in some.index]
    return [[label, *[cell_text(values[place]) for values in found]] for place, label in enumerate(labels)]
