"""Seeing what code would do to a large table before it runs: how long it takes, and stops the notebook's loop."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from assent.sandbox.copy import on_copy
from assent.tools.foresee import foresee
from assent.tools.python import python_tool
from bench.report import Figure
from bench.sizes import Sizes

SECONDS = 1.5  # the default of preview_seconds
BALLAST = 4 << 30  # bytes that a large kernel holds besides
CHANGES = {
    "rows filtered": "orders = orders[orders.qty > 0]",
    "rows filtered and numbered anew": "orders = orders[orders.qty > 0].reset_index(drop=True)",
    "rows sorted and numbered anew": "orders = orders.sort_values('price', ignore_index=True)",
    "nulls filled in place": "orders.loc[orders.price.isna(), 'price'] = 0",
    "a column computed": "orders['total'] = orders.price * orders.qty",
    "a column of text changed": "orders['region'] = orders.region.str.upper()",
    "grouped into a new table": "by_region = orders.groupby('region', as_index=False).price.sum()",
}


@dataclass(frozen=True, slots=True)
class _Made:
    """One preview: `tried` on a copy rather than read from the text, `whole` if it left nothing uncompared."""

    milliseconds: float
    tried: bool
    whole: bool


def measure(sizes: Sizes) -> list[Figure]:
    """Wall time of whole previews, each of one change to a table of five columns, one of each in every round.

    None takes longer than its limit, which is the aim; so it is met where each was tried on a copy and compared whole.
    """
    rows = sizes.written * 10
    names = {"__name__": "notebook", "orders": _orders(rows)}
    rounds = [{name: _previewed(code, names) for name, code in CHANGES.items()} for _ in range(sizes.rounds)]
    figures = [_figure(name, [found[name] for found in rounds]) for name in CHANGES]
    made = [one for found in rounds for one in found.values()]
    tried, whole = sum([one.tried for one in made]), sum([one.whole for one in made])
    first = Figure(f"{rows:,} rows: previews tried on a copy", tried, f"of {len(made)}", least=len(made))
    second = Figure("of these compared whole", whole, f"of {len(made)}", least=len(made))
    still = Figure("the loop stands still for a copy", _still(sizes), "ms")
    ballast = np.ones(int(BALLAST * min(rows / 1_000_000, 1)), dtype="uint8")
    large = Figure(f"the same with {ballast.nbytes / 2**30:.1f} GiB more", _still(sizes), "ms")
    return [first, second, *figures, still, large]


def _orders(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    price = np.where(np.arange(rows) % 100 == 0, np.nan, rng.random(rows) * 100)
    region = rng.choice(["north", "south", "west"], rows)
    note = [f"n{number}" for number in range(rows)]
    return pd.DataFrame(
        {"id": range(rows), "price": price, "qty": rng.integers(0, 9, rows), "region": region, "note": note}
    )


def _previewed(code: str, names: Mapping[str, Any]) -> _Made:
    python = python_tool(lambda: dict(names))
    began = time.perf_counter()
    preview = asyncio.run(foresee(python, {"code": code}, SECONDS))
    tried = preview.how == "copy"
    return _Made((time.perf_counter() - began) * 1e3, tried, tried and not preview.gaps)


def _figure(name: str, made: Sequence[_Made]) -> Figure:
    tried, whole = sum([one.tried for one in made]), sum([one.whole for one in made])
    said = "" if whole == len(made) else f" ({tried} of {len(made)} tried on a copy, {whole} whole)"
    return Figure(name + said, median([one.milliseconds for one in made]), "ms")


def _still(sizes: Sizes) -> float:
    """From the call to the first time that the loop is free again."""

    async def once() -> float:
        began = time.perf_counter()
        task = asyncio.ensure_future(on_copy(lambda: [{}], SECONDS))
        await asyncio.sleep(0)
        stood = time.perf_counter() - began
        await task
        return stood * 1e3

    return median(asyncio.run(once()) for _ in range(sizes.rounds))
