"""Tool calls of one turn run together: how long the turn takes."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any

from assent.core.agent import Agent
from assent.core.messages import ToolCall
from assent.models.scripted import ScriptedModel
from assent.tools.tool import Tool, tool
from bench import ours
from bench.report import Figure
from bench.sizes import Sizes
from bench.task import ANSWER


def measure(sizes: Sizes) -> list[Figure]:
    """Asynchronous tools, then ones that block their thread."""

    @tool(privilege="read_only")
    async def waits() -> str:
        """Wait."""
        await asyncio.sleep(sizes.delay)
        return "waited"

    @tool(privilege="read_only")
    def blocks() -> str:
        """Block a thread."""
        time.sleep(sizes.delay)
        return "waited"

    kinds: list[tuple[str, Tool[..., Any]]] = [("asynchronous", waits), ("in threads", blocks)]
    return [asyncio.run(_measured(kind, given, sizes)) for kind, given in kinds]


async def _measured(kind: str, given: Tool[..., Any], sizes: Sizes) -> Figure:
    calls = [ToolCall(f"c{number}", given.name, "{}") for number in range(sizes.calls)]
    by = Agent("bench", tools=(given,), parallel=sizes.calls)

    async def floor() -> None:
        if kind == "asynchronous":
            await asyncio.gather(*[asyncio.sleep(sizes.delay) for _ in calls])
        else:
            await asyncio.gather(*[asyncio.to_thread(time.sleep, sizes.delay) for _ in calls])

    with ours.session(ScriptedModel([calls, ANSWER])) as opened:
        least, mine = [], []
        for _ in range(sizes.rounds):
            least.append(await _wall(floor))
            mine.append(await _wall(lambda: ours.run(opened, by)))
    name = f"{sizes.calls} tools of {sizes.delay * 1e3:g} ms at once, {kind}: wall of the run"
    return Figure(name, median(mine), "ms", median(least))


async def _wall(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return (time.perf_counter() - began) * 1e3
