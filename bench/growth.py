"""How much dearer a step gets as the conversation grows: the last ten steps over the first ten.

In CPU time of the loop's thread. The journal's thread has as much to write for each step, but writes for many at once:
its first commit never falls into the first ten steps.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from bench import floor, ours, server
from bench.report import Figure
from bench.sizes import Sizes

Mark = Callable[[], None]
EDGE = 10


def measure(sizes: Sizes) -> list[Figure]:
    """In this process, then over HTTP."""
    return asyncio.run(_in_process(sizes)) + asyncio.run(_over_http(sizes))


async def _in_process(sizes: Sizes) -> list[Figure]:
    steps = sizes.steps
    with ours.session(ours.Script(steps)) as opened:
        least = await _growth(lambda mark: floor.loop(floor.scripted(steps), mark), sizes.runs)
        mine = await _growth(lambda mark: ours.run(opened, ours.agent(steps, given=ours.marking(mark))), sizes.runs)
    return [Figure(f"growth over {steps} steps, in process", mine, "times", floor=least, aim=1.5)]


async def _over_http(sizes: Sizes) -> list[Figure]:
    steps = sizes.steps
    model = f"custom:steps-{steps}"
    with server.serving() as url, ours.session(url=url) as opened:
        async with floor.client() as http:
            ask = floor.over_http(http, url, steps, streamed=True)
            least = await _growth(lambda mark: floor.loop(ask, mark), sizes.runs)
        mine = await _growth(lambda mark: ours.run(opened, ours.agent(steps, model, ours.marking(mark))), sizes.runs)
        await ours.close_connections(opened, model)
    return [Figure(f"growth over {steps} steps, over HTTP", mine, "times", floor=least, aim=1.5)]


async def _growth(work: Callable[[Mark], Awaitable[object]], runs: int) -> float:
    """Summed over runs: one run's edges are a matter of luck."""
    first = last = 0.0
    for number in range(runs + 1):
        marks = await _marked(work)
        if number:  # the first run warms up
            first += marks[EDGE] - marks[0]
            last += marks[-1] - marks[-1 - EDGE]
    return last / first


async def _marked(work: Callable[[Mark], Awaitable[object]]) -> list[float]:
    """The thread's CPU time at each tool call of one run."""
    marks: list[float] = []
    await work(lambda: marks.append(time.thread_time()))
    return marks
