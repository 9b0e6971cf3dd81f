"""Runs a second over HTTP: so many agents at once, each doing runs of one tool call and an answer, one after another.

`python -m bench.throughput floor|ours|rarely AGENTS SECONDS` is one measurement, in a process of its own beside the
server's; `rarely` is ours with the cyclic garbage collector set to run rarely, as servers that hold much do.
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from statistics import median

import psutil  # type: ignore[import-untyped]  # has no types

from bench import server
from bench.process import ask
from bench.report import Figure
from bench.sizes import Sizes

ROUNDS = 3  # a round takes several seconds
MODEL = "steps-1"

Work = Callable[[], Awaitable[object]]


def measure(sizes: Sizes) -> list[Figure]:
    """The floor and Assent in turns, for each number of agents."""
    return [figure for agents in sizes.crowds for figure in _measured(agents, sizes)]


def _measured(agents: int, sizes: Sizes) -> list[Figure]:
    many = agents == max(sizes.crowds)
    found: dict[str, list[dict[str, float]]] = {who: [] for who in ("floor", "ours", *(["rarely"] if many else []))}
    for _ in range(min(sizes.rounds, ROUNDS)):
        for who, values in found.items():
            values.append(ask("-m", "bench.throughput", who, str(agents), str(sizes.lasting)))

    def middle(who: str, what: str) -> float:
        return median(value[what] for value in found[who])

    def figure(name: str, what: str, unit: str, who: str = "ours") -> Figure:
        return Figure(name, middle(who, what), unit, middle("floor", what))

    name = f"{agents:,} {'agent' if agents == 1 else 'agents'} at once over HTTP"
    figures = [
        replace(figure(f"{name}: 2-turn runs", "rate", "a second"), least=1_000 if many else None),
        replace(figure("time for each of them", "wall", "µs"), aim_ratio=1.5),
        figure("CPU of our process for each", "cpu", "µs"),
        figure("CPU of the server for each", "server", "µs"),
    ]
    if many:
        figures.append(figure("runs, garbage collected rarely", "rate", "a second", "rarely"))
        figures.append(figure("CPU of our process for each, garbage collected rarely", "cpu", "µs", "rarely"))
    return figures


def main(who: str, agents: int, seconds: float) -> None:
    """Measure one of them in this process and print the figures."""
    if who == "rarely":
        gc.set_threshold(100_000)
    with server.serving() as url:
        print(json.dumps(asyncio.run(_floor(url, agents, seconds) if who == "floor" else _ours(url, agents, seconds))))


async def _floor(url: str, agents: int, seconds: float) -> dict[str, float]:
    from bench import floor  # neither is to hold what only the other has imported

    async with floor.client() as http:
        ask_server = floor.over_http(http, url, 1, streamed=True)
        return await _counted(lambda: floor.loop(ask_server), agents, seconds)


async def _ours(url: str, agents: int, seconds: float) -> dict[str, float]:
    from bench import ours

    with ours.session(url=url) as opened:
        by = ours.agent(1, f"custom:{MODEL}")
        counted = await _counted(lambda: ours.run(opened, by), agents, seconds)
        await ours.close_connections(opened, f"custom:{MODEL}")
        return counted


async def _counted(work: Work, agents: int, seconds: float) -> dict[str, float]:
    """A first run of each opens the connections and is not counted; every run that was begun in time is."""
    await asyncio.gather(*[work() for _ in range(agents)])
    (served,) = psutil.Process().children()
    began, cpu, theirs = time.perf_counter(), time.process_time(), _cpu(served)
    runs = sum(await asyncio.gather(*[_again(work, began + seconds) for _ in range(agents)]))
    wall, cpu, theirs = time.perf_counter() - began, time.process_time() - cpu, _cpu(served) - theirs
    return {"rate": runs / wall, "wall": wall / runs * 1e6, "cpu": cpu / runs * 1e6, "server": theirs / runs * 1e6}


async def _again(work: Work, until: float) -> int:
    runs = 0
    while time.perf_counter() < until or not runs:
        await work()
        runs += 1
    return runs


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
