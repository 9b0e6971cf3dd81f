"""Seeing what code would do to a large table before it runs: how long it takes, and stops the notebook's loop."""

import asyncio
import time
from collections.abc import Mapping
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


def measure(sizes: Sizes) -> list[Figure]:
    """Wall time of whole previews, each of one change to a table of five columns."""
    rows = sizes.written * 10
    names = {"__name__": "notebook", "orders": _orders(rows)}
    figures = [_previewed(name, code, names, sizes) for name, code in CHANGES.items()]
    first = Figure(f"{rows:,} rows: {figures[0].name}", figures[0].value, "ms", aim=SECONDS * 1e3)
    still = Figure("the loop stands still for a copy", _still(sizes), "ms")
    ballast = np.ones(int(BALLAST * min(rows / 1_000_000, 1)), dtype="uint8")
    large = Figure(f"the same with {ballast.nbytes / 2**30:.1f} GiB more", _still(sizes), "ms")
    return [first, *figures[1:], still, large]


def _orders(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    price = np.where(np.arange(rows) % 100 == 0, np.nan, rng.random(rows) * 100)
    region = rng.choice(["north", "south", "west"], rows)
    note = [f"n{number}" for number in range(rows)]
    return pd.DataFrame(
        {"id": range(rows), "price": price, "qty": rng.integers(0, 9, rows), "region": region, "note": note}
    )


def _previewed(name: str, code: str, names: Mapping[str, Any], sizes: Sizes) -> Figure:
    python = python_tool(lambda: dict(names))
    spent, tried = [], 0
    for _ in range(sizes.rounds):
        began = time.perf_counter()
        preview = asyncio.run(foresee(python, {"code": code}, SECONDS))
        spent.append((time.perf_counter() - began) * 1e3)
        tried += preview.how == "copy"
    said = "" if tried == sizes.rounds else f" ({tried} of {sizes.rounds} tried on a copy)"
    return Figure(name + said, median(spent), "ms", aim=SECONDS * 1e3)


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
