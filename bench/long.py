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
from assent_magics.costs import costs
from bench import journal, ours
from bench.report import Figure
from bench.sizes import Sizes

ROUNDS = 3  # some of these take seconds
BY_DAY = "SELECT date_trunc('day', time) AS day, sum(cost) AS cost FROM costs GROUP BY day ORDER BY day"
CALLS = "SELECT * FROM tool_calls WHERE run = '{run}'"
AIMS = {"`costs` by day": 100.0, "`%agent runs`": 500.0}


def measure(sizes: Sizes) -> list[Figure]:
    """Wall time in ms, the files in the system's memory. The floor is an administrator's session, without a fence."""
    rounds = min(sizes.rounds, ROUNDS)
    with tempfile.TemporaryDirectory(prefix="assent-bench-") as folder:
        journal.write(Path(folder), sizes.written)
        free, fenced = [_timed(Path(folder), Config(admin=admin), rounds) for admin in (True, False)]
    events, runs = sizes.written * journal.EVENTS, sizes.written
    figures = [Figure(name, fenced[name], "ms", free[name], aim=AIMS.get(name)) for name in free]
    figures.append(asyncio.run(_folded(sizes.lasts, rounds)))
    return [Figure(f"{events:,} events of {runs:,} runs: opening", fenced[""], "ms", free[""]), *figures[1:]]


def _timed(folder: Path, config: Config, rounds: int) -> dict[str, float]:
    """How long each work takes in a session with these settings; under "", opening it."""
    began = time.perf_counter()
    with closing(Session(folder, config=config)) as opened:
        opening = (time.perf_counter() - began) * 1e3
        return {"": opening} | {name: _wall(work, rounds) for name, work in _works(opened).items()}


def _works(opened: Session) -> dict[str, Callable[[], object]]:
    [(run,)] = opened.journal.select("SELECT max(run) FROM events")
    desk: Any = SimpleNamespace(session=opened)
    return {
        "`costs` by day": lambda: opened.sql(BY_DAY),
        "`%agent costs`": lambda: costs(desk, ""),
        "`%agent runs`": lambda: manage.runs(desk, ""),
        "`SELECT * FROM runs LIMIT 20`": lambda: opened.sql("SELECT * FROM runs LIMIT 20"),
        "what waits for an answer, one run in a thousand": opened.pending,
        "the state of one run": lambda: opened.state(run),
        "the calls of one run, by SQL": lambda: opened.sql(CALLS.format(run=run)),
    }


async def _folded(steps: int, rounds: int) -> Figure:
    """A run that was really run, four events for each of its steps."""
    with ours.session(ours.Script(steps)) as opened:
        run = (await ours.run(opened, ours.agent(steps))).run
        count = len(opened.journal.events(run))
        return Figure(f"the state of a run of {count:,} events", _wall(lambda: opened.state(run), rounds), "ms")


def _wall(work: Callable[[], object], rounds: int) -> float:
    work()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1e3)
    return median(times)
