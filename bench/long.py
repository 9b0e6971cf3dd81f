"""A workspace after years: what SQL and `%agent` take over very many runs, and the fold of one very long run."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

from assent.app import Session
from assent.core.config import Config
from assent_magics import manage
from bench import journal, ours
from bench.report import Figure
from bench.sizes import Sizes

BY_DAY = "SELECT date_trunc('day', time) AS day, sum(cost) AS cost FROM costs GROUP BY day ORDER BY day"
CALLS = "SELECT * FROM tool_calls WHERE run = '{run}'"


def measure(sizes: Sizes) -> list[Figure]:
    """Wall time in ms; what is read was read before, since a workspace in use is in the system's memory."""
    with tempfile.TemporaryDirectory(prefix="assent-bench-") as folder:
        journal.write(Path(folder), sizes.written)
        began = time.perf_counter()
        with closing(Session(folder, config=Config())) as opened:
            opening = (time.perf_counter() - began) * 1e3
            figures = [*_read(opened, sizes), Figure("opening the workspace", opening, "ms")]
    return [*figures, asyncio.run(_folded(sizes))]


def _read(opened: Session, sizes: Sizes) -> list[Figure]:
    [(events, runs, run)] = opened.journal.select("SELECT count(*), count(DISTINCT run), max(run) FROM events")
    desk: Any = SimpleNamespace(session=opened)
    works: dict[str, Callable[[], object]] = {
        f"{events:,} events: `costs` by day": lambda: opened.sql(BY_DAY),
        "`%agent costs`": lambda: manage.costs(desk, ""),
        f"{runs:,} runs: `%agent runs`": lambda: manage.runs(desk, ""),
        "`SELECT * FROM runs LIMIT 20`": lambda: opened.sql("SELECT * FROM runs LIMIT 20"),
        "what waits for an answer, in all runs": opened.pending,
        "the state of one run": lambda: opened.state(run),
        "the calls of one run": lambda: opened.sql(CALLS.format(run=run)),
    }
    aims = {"`costs`": 100.0, "`%agent runs`": 500.0}
    return [
        Figure(name, _wall(work, sizes), "ms", aim=next((aim for part, aim in aims.items() if part in name), None))
        for name, work in works.items()
    ]


async def _folded(sizes: Sizes) -> Figure:
    """A run that was really run, four events for each of its steps."""
    steps = sizes.lasts
    with ours.session(ours.Script(steps)) as opened:
        run = (await ours.run(opened, ours.agent(steps))).run
        count = len(opened.journal.events(run))
        return Figure(f"the state of a run of {count:,} events", _wall(lambda: opened.state(run), sizes), "ms")


def _wall(work: Callable[[], object], sizes: Sizes) -> float:
    work()
    times = []
    for _ in range(sizes.rounds):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1e3)
    return median(times)
