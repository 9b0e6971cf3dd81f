"""What accounting for egress costs: CPU of a step whose request the journal is told of, beside one that it is not.

In process a step is little more than our own loop; a model that is not on this machine is asked over HTTP, always.
"""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from functools import partial
from statistics import median
from typing import Any
from unittest import mock

import assent.work
from assent.app import Session
from assent.runs.outgoing import Outgoing
from assent.runs.result import Result
from bench import ours, server
from bench.report import Figure
from bench.sizes import Sizes
from bench.steps import Work, cpu_each

_AWAY = "openai:steps-{}"  # a vendor's row counts as remote, wherever it answers
_AIM = 1.05


def measure(sizes: Sizes) -> list[Figure]:
    """Of both there is one that tells and one that does not, in turns."""
    return asyncio.run(_in_process(sizes)) + asyncio.run(_over_http(sizes))


async def _in_process(sizes: Sizes) -> list[Figure]:
    steps = sizes.steps
    away = ours.Script(steps)
    away.name = _AWAY.format(steps)
    with ours.session(ours.Script(steps)) as here, ours.session(away) as outside:
        spent = await cpu_each(_works(here, outside, steps), steps, 4 * sizes.rounds)
    return [
        _figure(f"a model on this machine, in process, {steps} steps, CPU a step", *spent[:2], _AIM),
        _figure("the same, of one that is elsewhere", *spent[2:]),
    ]


async def _over_http(sizes: Sizes) -> list[Figure]:
    steps = sizes.steps
    local, remote = f"custom:steps-{steps}", _AWAY.format(steps)
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(server.serving())
        stack.enter_context(mock.patch.dict(os.environ, OPENAI_API_KEY="none", OPENAI_BASE_URL=url))
        here, outside = stack.enter_context(ours.session(url=url)), stack.enter_context(ours.session())
        spent = await cpu_each(_works(here, outside, steps, local, remote), steps, 2 * sizes.rounds)
        await ours.close_connections(here, local)
        await ours.close_connections(outside, remote)
    return [
        _figure(f"a model on this machine, over HTTP, {steps} steps, CPU a step", *spent[:2], _AIM),
        _figure("the same, of one that is elsewhere", *spent[2:], _AIM),
    ]


def _figure(name: str, untold: list[float], told: list[float], aim: float | None = None) -> Figure:
    """By the median of each round's ratio: what a busy machine does to a round, it does to both."""
    floor, ratio = median(untold), median([much / less for much, less in zip(told, untold, strict=True)])
    return Figure(name, floor * ratio, "µs", floor, aim_ratio=aim)


def _works(here: Session, outside: Session, steps: int, local: str = "", remote: str = "") -> list[Work]:
    """Of each session a run that tells nobody, then one as it is."""
    works: list[Work] = []
    for session, model in ((here, local), (outside, remote)):
        asked = partial(ours.run, session, ours.agent(steps, model))
        works += [partial(_untold, asked), asked]
    return works


async def _untold(asked: Callable[[], Awaitable[Result]]) -> Result:
    """A run that says nothing of what it sends, as a replay does."""

    def nothing(*_: Any) -> Outgoing | None:
        return None

    with mock.patch.object(assent.work, "Outgoing", nothing):
        return await asked()
