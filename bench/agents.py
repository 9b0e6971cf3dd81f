"""Many agents at once, each waiting for one slow model call: wall time and memory, in a process of their own.

`python -m bench.agents floor|ours|rarely AGENTS SECONDS` is one measurement; `rarely` is ours with the cyclic garbage
collector set to run rarely, as servers that hold much do.
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import Awaitable, Callable
from statistics import median

from bench.process import ask, peak_memory
from bench.report import Figure
from bench.sizes import Sizes

ROUNDS = 3  # a round takes several seconds


def measure(sizes: Sizes) -> list[Figure]:
    """The floor and Assent in turns, and Assent with the garbage collector out of the way."""
    found: dict[str, list[dict[str, float]]] = {"floor": [], "ours": [], "rarely": []}
    for _ in range(min(sizes.rounds, ROUNDS)):
        for who, values in found.items():
            values.append(ask("-m", "bench.agents", who, str(sizes.agents), str(sizes.wait)))
    name = f"{sizes.agents:,} agents, each a model call of {sizes.wait:g} s"

    def middle(who: str, what: str) -> float:
        return median(value[what] for value in found[who])

    return [
        Figure(f"{name}: wall", middle("ours", "wall"), "s", middle("floor", "wall"), aim=sizes.wait + 1),
        Figure("CPU", middle("ours", "cpu"), "s", middle("floor", "cpu")),
        Figure("peak memory of the process", middle("ours", "peak"), "MB", middle("floor", "peak"), aim=200),
        Figure("more than before they began", middle("ours", "more"), "MB", middle("floor", "more")),
        Figure("wall, garbage collected rarely", middle("rarely", "wall"), "s", middle("floor", "wall")),
    ]


def main(who: str, agents: int, wait: float) -> None:
    """Measure one of them in this process and print the figures."""
    # Neither is to hold what only the other has imported.
    if who == "floor":
        from bench import floor

        values = asyncio.run(_together(lambda: floor.loop(floor.scripted(0, wait)), agents))
    else:
        from bench import ours

        if who == "rarely":
            gc.set_threshold(100_000)
        with ours.session(ours.Script(0, wait)) as opened:
            by = ours.agent(1)
            values = asyncio.run(_together(lambda: ours.run(opened, by), agents))
    print(json.dumps(values))


async def _together(work: Callable[[], Awaitable[object]], agents: int) -> dict[str, float]:
    before, began, cpu = peak_memory(), time.perf_counter(), time.process_time()
    await asyncio.gather(*[work() for _ in range(agents)])
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {"wall": wall, "cpu": cpu, "peak": peak_memory(), "more": peak_memory() - before}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
