"""What a limiter's decision costs: with nobody waiting, and for each grant with a thousand waiting."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from statistics import median
from typing import Any

from assent.core.messages import user
from assent.core.model import Model, Request
from assent.core.model_settings import ModelSettings
from assent.models.wrappers.limit import limit
from assent.models.wrappers.limiter import Bell, Limiter
from bench import ours
from bench.report import Figure
from bench.sizes import Sizes

WAITING = 1_000
# Every limit is set, so that each is looked at.
ROOMY = ModelSettings(
    requests_per_minute=10**9, tokens_per_minute=10**12, concurrency=10**6, dollars_per_hour=1e6
)  # fmt: skip
NARROW = replace(ROOMY, concurrency=1)
REQUEST = Request([user("?")])


def measure(sizes: Sizes) -> list[Figure]:
    """CPU time of the thread in µs."""
    rounds, turns = range(sizes.rounds), sizes.turns
    works: list[Callable[[], float]] = [
        lambda: _entered(turns),
        lambda: asyncio.run(_streamed(ours.Script(0), turns)),
        lambda: asyncio.run(_streamed(limit(ours.Script(0), Limiter(ROOMY)), turns)),
        lambda: _granted(turns),
        lambda: asyncio.run(_woken(max(turns // 10, 1))),
    ]
    spent = [[work() for work in works] for _ in rounds]
    entered, alone, within, granted, woken = [median(times) for times in zip(*spent, strict=True)]
    return [
        Figure("a limiter's decision and the end of the turn, nobody waiting", entered, "µs", aim=5),
        Figure("a stream of two items within its limits; the floor has none", within, "µs", alone),
        Figure(f"a place in the queue, its grant and its end, {WAITING:,} waiting", granted, "µs"),
        Figure("many streams at once through one place, each; the floor has no limit", woken, "µs", alone),
    ]


def _entered(turns: int) -> float:
    limiter = Limiter(ROOMY)
    began = time.thread_time()
    for _ in range(turns):
        turn = limiter.enter()
        assert turn is not None
        turn.asked = True
        limiter.leave(turn)
    return (time.thread_time() - began) / turns * 1e6


def _granted(turns: int) -> float:
    """Each turn that ends lets the first in line go, and another joins the end."""
    limiter = Limiter(NARROW)
    bell = Bell(lambda: None, _no_timer)
    held = limiter.enter()
    assert held is not None
    line = deque([limiter.queue("mid", bell) for _ in range(WAITING)])
    began = time.thread_time()
    for _ in range(turns):
        held.asked = True
        limiter.leave(held)
        line.append(limiter.queue("mid", bell))
        held = line.popleft()
    return (time.thread_time() - began) / turns * 1e6


async def _streamed(model: Model, turns: int) -> float:
    began = time.thread_time()
    for _ in range(turns):
        await _read(model)
    return (time.thread_time() - began) / turns * 1e6


async def _woken(streams: int) -> float:
    model = limit(ours.Script(0), Limiter(NARROW))
    began = time.thread_time()
    await asyncio.gather(*[_read(model) for _ in range(streams)])
    return (time.thread_time() - began) / streams * 1e6


async def _read(model: Model) -> None:
    stream: Any = model.stream(REQUEST)
    async with aclosing(stream):
        async for _ in stream:
            pass


def _no_timer(seconds: float, call: Callable[[], None]) -> Any:
    raise RuntimeError("Nobody waits for time to pass here.")
