"""Reading the journal by SQL: each view counted, and a run's transcript fetched."""

import asyncio
import time
from collections.abc import Callable
from statistics import median

from assent.app import Session
from assent.store.schema import VIEWS
from bench import ours
from bench.report import Figure
from bench.sizes import Sizes

PER_RUN = 50  # steps, each of four events


def measure(sizes: Sizes) -> list[Figure]:
    """Wall time in ms of whole answers as DataFrames, over so many events."""
    with ours.session(ours.Script(PER_RUN)) as opened:
        run = asyncio.run(_fill(opened, sizes.events))
        (events,) = opened.journal.select("SELECT count(*) FROM events")[0]
        figures = [_timed(f"SELECT * FROM {view}", opened, sizes) for view in VIEWS]
        figures.append(_timed(f"SELECT * FROM tool_calls WHERE run = '{run}'", opened, sizes, "tool_calls of one run"))
        state = median(_wall(lambda: opened.state(run)) for _ in range(sizes.rounds))
    figures.append(Figure("a run's state folded from its events", state, "ms"))
    return [Figure(f"{events:,} events: {figures[0].name}", figures[0].value, "ms"), *figures[1:]]


async def _fill(opened: Session, events: int) -> str:
    """Runs until there are so many events; the last one's id."""
    run = ""
    while opened.journal.select("SELECT count(*) FROM events")[0][0] < events:
        run = (await ours.run(opened, ours.agent(PER_RUN))).run
    return run


def _timed(query: str, opened: Session, sizes: Sizes, name: str = "") -> Figure:
    return Figure(name or query, median(_wall(lambda: opened.sql(query)) for _ in range(sizes.rounds)), "ms")


def _wall(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3
