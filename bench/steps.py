"""CPU time of a step: one model call and one tool call, all threads of the process counted."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from statistics import median

from httpx import AsyncClient

from assent.app import Session
from bench import floor, ours, server
from bench.report import Figure
from bench.sizes import Sizes

Work = Callable[[], Awaitable[object]]


def measure(sizes: Sizes) -> list[Figure]:
    """In this process with a scripted model, then over HTTP."""
    return asyncio.run(_in_process(sizes)) + asyncio.run(_over_http(sizes))


async def _in_process(sizes: Sizes) -> list[Figure]:
    steps = sizes.steps
    with ours.session(ours.Script(steps)) as opened, ours.session(ours.Script(steps)) as threaded:
        works: list[Work] = [
            lambda: floor.loop(floor.scripted(steps)),
            lambda: ours.run(opened, ours.agent(steps)),
            lambda: ours.run(threaded, ours.agent(steps, given=ours.price_in_thread)),
        ]
        least, mine, in_thread = await cpu_per_step(works, steps, sizes.rounds)
    name = f"in process, {steps} steps, CPU a step"
    return [
        Figure(name, mine, "µs", floor=least, aim=300),
        Figure("the same, a synchronous tool in its thread", in_thread, "µs", floor=least),
    ]


async def _over_http(sizes: Sizes) -> list[Figure]:
    figures: list[Figure] = []
    with server.serving() as url, ours.session(url=url) as opened:
        async with floor.client() as http:
            for steps in (sizes.short, sizes.steps):
                figures += await _asked(opened, http, url, steps, sizes.rounds)
    return figures


async def _asked(opened: Session, http: AsyncClient, url: str, steps: int, rounds: int) -> list[Figure]:
    model = f"custom:steps-{steps}"
    works: list[Work] = [
        lambda: floor.loop(floor.over_http(http, url, steps, streamed=True)),
        lambda: floor.loop(floor.over_http(http, url, steps, streamed=False)),
        lambda: ours.run(opened, ours.agent(steps, model)),
    ]
    streamed, whole, mine = await cpu_per_step(works, steps, rounds)
    await ours.close_connections(opened, model)
    name = f"over HTTP, {steps} steps, CPU a step"
    return [
        Figure(name, mine, "µs", floor=streamed, aim_ratio=1.5),
        Figure("the same, floor not streaming", mine, "µs", floor=whole),
    ]


async def cpu_per_step(works: list[Work], steps: int, rounds: int) -> list[float]:
    """The median CPU time of each work in µs a step; in each round every work has its turn, after one to warm up."""
    return [median(times) for times in await cpu_each(works, steps, rounds)]


async def cpu_each(works: list[Work], steps: int, rounds: int) -> list[list[float]]:
    """For each work the CPU time of every round, in µs a step."""
    spent: list[list[float]] = [[] for _ in works]
    for number in range(rounds + 1):
        for work, times in zip(works, spent, strict=True):
            began = time.process_time()
            await work()
            if number:
                times.append((time.process_time() - began) / steps * 1e6)
    return spent
