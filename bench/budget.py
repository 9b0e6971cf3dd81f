"""What a budget costs: CPU of a step under none, under the run's own, under one shared by all; and one reservation."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from statistics import median

from assent.app import Session
from assent.core.budget import Budget
from assent.core.events import Event, Kind, Scope
from assent.runs.pool import Part, others, part_of
from assent.store.window import Window
from bench import ours
from bench.report import Figure
from bench.sizes import Sizes
from bench.steps import Work, cpu_per_step

_LIMITS = "money = 1000\ntokens = 1_000_000_000\ncalls = 1_000_000\n"
_POLICY = '[[budget]]\nname = "bench"\nper = "{per}"\n' + _LIMITS
_MODEL = "openai:gpt-4o-mini"  # its price is looked up before each answer
_PAST = 20_000  # events of runs before, of the same day


def measure(sizes: Sizes) -> list[Figure]:
    """In turns, so that a busy machine is as slow for each."""
    return asyncio.run(_steps(sizes)) + _reservation(sizes)


async def _steps(sizes: Sizes) -> list[Figure]:
    few, many = [await _cpu(steps, sizes.rounds) for steps in (sizes.short, sizes.steps)]
    between = sizes.steps - sizes.short
    none, own, shared = [
        max((much * sizes.steps - little * sizes.short) / between, 0) for little, much in zip(few, many, strict=True)
    ]
    opening = [max((few[number] - few[0]) * sizes.short, 0) / 1000 for number in (1, 2)]
    return [
        Figure("a budget of each run, CPU of one more step", own, "µs", floor=none),
        Figure("a budget of the day, the same", shared, "µs", floor=none),
        Figure(f"a run of {sizes.short} steps under a budget of its own: CPU more than under none", opening[0], "ms"),
        Figure("the same, of the day", opening[1], "ms"),
    ]


async def _cpu(steps: int, rounds: int) -> list[float]:
    """CPU of a step in µs: without a budget, with one of each run, with one of the day."""
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(_session(steps, per)) for per in ("", "run", "day")]
        works: list[Work] = [partial(ours.run, one, ours.agent(steps)) for one in opened]
        return await cpu_per_step(works, steps, rounds)


@contextlib.contextmanager
def _session(steps: int, per: str) -> Iterator[Session]:
    script = ours.Script(steps)
    script.name = _MODEL
    with ours.session(script) as opened:
        if per:
            (opened.folder / "policy.toml").write_text(_POLICY.format(per=per), "utf-8")
        yield opened


def _reservation(sizes: Sizes) -> list[Figure]:
    """The look at what all others have, over a day of many events."""
    budget = Budget("bench", ("day",), {"money": Decimal(1), "calls": Decimal(1)})
    scope = Scope(run="mine", agent="analyst", user="bench")
    with ours.session() as opened:
        journal: Window = opened.journal
        journal.append([_event(journal, number) for number in range(_PAST)]).result()
        part = part_of(budget, scope, time.time() // 86_400 * 86_400)
        spans = [_timed(journal, part, budget) for _ in range(sizes.rounds)]
    return [Figure(f"what others have of a budget, over {_PAST:,} events of the day", median(spans) * 1e3, "ms")]


def _timed(journal: Window, part: Part, budget: Budget) -> float:
    began = time.perf_counter()
    others(journal, part, budget.limits, "mine")
    return time.perf_counter() - began


def _event(journal: Window, number: int) -> Event:
    scope = journal.scope(run=f"r{number // 40}", agent="analyst")
    if number % 2:
        return scope.event(Kind.CALL_STARTED, call=f"r.{number}")
    return scope.event(Kind.MODEL_ANSWERED, input_tokens=120, output_tokens=20, cost=Decimal("0.00003"), body={})
