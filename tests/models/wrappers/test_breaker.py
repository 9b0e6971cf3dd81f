"""A circuit: when it opens, whom it refuses, who tries, what closes it."""

import asyncio
import threading
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from tests.support.attempts import ASKED, Attempts, answer, fault, hear, heard, notices, refusal

from assent.core.errors import OverLimit
from assent.core.events import Kind
from assent.core.model import Request
from assent.core.model_settings import ModelSettings
from assent.models.wrappers.breaker import breaker
from assent.models.wrappers.wrapped import Wrapped

THREE = ModelSettings(breaker=3, cool_down=30)
NOBODY = replace(ASKED, agent="")
BOB = replace(ASKED, agent="bob")


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def broken(*attempts: Any, request: Request = NOBODY) -> tuple[Wrapped, Attempts, Clock]:
    """A model whose circuit has just opened, and what later attempts bring."""
    clock, model = Clock(), Attempts([fault()], [fault()], [fault()], *attempts)
    asked = breaker(model, THREE, clock=clock)
    for _ in range(3):
        hear(asked, request)
    return asked, model, clock


def test_it_opens_after_so_many_failures_in_a_row_and_says_so() -> None:
    clock, model = Clock(), Attempts([fault()])
    asked = breaker(model, THREE, clock=clock)
    assert [notices(hear(asked, NOBODY)) for _ in range(2)] == [[], []]
    [notice] = notices(hear(asked, NOBODY))
    assert (notice.kind, notice.model, notice.seconds) == (Kind.CIRCUIT_OPENED, "maker:m", 30)
    assert notice.reason == "maker:m failed 3 times in a row: It has a fault (HTTP 500)."


def test_an_open_one_refuses_without_asking_and_says_why_and_how_long() -> None:
    asked, model, clock = broken()
    clock.now += 9.5
    [error] = hear(asked, NOBODY)
    assert str(error) == (
        "maker:m failed 3 times in a row and is left alone for another 21 s (last: It has a fault (HTTP 500)): "
        "run again later, or choose another model."
    )
    assert not error.retryable
    assert len(model.asked) == 3


def test_a_success_in_between_begins_the_count_again() -> None:
    model = Attempts([fault()], [fault()], [answer()], [fault()], [fault()], [answer()])
    asked = breaker(model, THREE)
    assert all(not notices(hear(asked)) for _ in range(6))
    assert len(model.asked) == 6


def test_after_the_cool_down_one_trial_goes_through_and_its_success_closes() -> None:
    async def main() -> None:
        gate = asyncio.Event()
        asked, model, clock = await asyncio.to_thread(broken, [gate, answer()], [answer()])
        clock.now += 30
        trial = asyncio.ensure_future(heard(asked, NOBODY))
        await asyncio.sleep(0)
        [error] = await heard(asked, NOBODY)
        assert "is left alone until a trial request has succeeded" in str(error)
        gate.set()
        notice, end = await trial
        assert (notice.kind, end.stop) == (Kind.CIRCUIT_CLOSED, "stop")
        assert len(await heard(asked, NOBODY)) == 1
        assert len(model.asked) == 5

    asyncio.run(main())


def test_a_trial_that_fails_opens_it_again() -> None:
    asked, model, clock = broken([fault()])
    clock.now += 31
    [notice, _] = hear(asked, NOBODY)
    assert "failed 4 times in a row" in notice.reason
    [error] = hear(asked, NOBODY)
    assert "for another 30 s" in str(error)
    assert len(model.asked) == 4


def test_a_trial_that_is_cancelled_counts_neither_way_and_lets_another_try() -> None:
    async def main() -> None:
        asked, model, clock = await asyncio.to_thread(broken, [asyncio.Event()], ["a", answer()], [answer()])
        clock.now += 30
        trial = asyncio.ensure_future(heard(asked, NOBODY))
        await asyncio.sleep(0)
        trial.cancel()
        await asyncio.wait([trial])
        assert trial.cancelled()
        stream: Any = asked.stream(NOBODY)
        async with aclosing(stream):
            await anext(stream)  # left before its answer
        notice, _ = await heard(asked, NOBODY)
        assert notice.kind is Kind.CIRCUIT_CLOSED
        assert len(model.asked) == 6

    asyncio.run(main())


def test_cancelled_requests_never_open_it() -> None:
    model = Attempts([asyncio.Event()], [asyncio.Event()], [asyncio.Event()], [answer()])

    async def main() -> list[Any]:
        asked = breaker(model, THREE)
        for _ in range(3):
            task = asyncio.ensure_future(heard(asked))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        return await heard(asked)

    assert asyncio.run(main())[-1].stop == "stop"


def test_an_agent_whose_requests_are_refused_is_stopped_and_others_are_not() -> None:
    model = Attempts([refusal()], [refusal()], [refusal()], [answer()])
    asked = breaker(model, THREE)
    [opened] = [notice for _ in range(3) for notice in notices(hear(asked))]
    assert opened.details == {"by": "ada"}
    [error] = hear(asked)
    assert "maker:m failed 3 times in a row when the agent ada asked" in str(error)
    assert hear(asked, BOB)[-1].stop == "stop"


def test_what_a_limit_of_ours_keeps_back_counts_neither_way() -> None:
    model = Attempts([OverLimit("maker:m has reached its limit.")], [answer()])
    asked = breaker(model, ModelSettings(breaker=1))
    [told] = hear(asked)
    assert isinstance(told, OverLimit)
    assert hear(asked)[-1].stop == "stop"


def test_a_trial_that_a_limit_of_ours_keeps_back_lets_another_try() -> None:
    asked, _, clock = broken([OverLimit("maker:m has reached its limit.")], [answer()])
    clock.now += 31
    hear(asked, NOBODY)
    assert hear(asked, NOBODY)[-1].stop == "stop"


def test_faults_of_the_server_count_for_all_who_ask() -> None:
    model = Attempts([fault()])
    asked = breaker(model, THREE)
    hear(asked)
    hear(asked, BOB)
    hear(asked, replace(ASKED, agent="eve"))
    [error] = hear(asked, replace(ASKED, agent="dan"))
    assert "maker:m failed 3 times in a row and is left alone" in str(error)
    assert len(model.asked) == 3


def test_what_opens_and_closes_both_circuits_is_said_once() -> None:
    asked, _, clock = broken([answer()], request=ASKED)
    clock.now += 30
    notice, _ = hear(asked)
    assert (notice.kind, notice.details) == (Kind.CIRCUIT_CLOSED, {})
    clock, model = Clock(), Attempts([fault()])
    asked = breaker(model, replace(THREE, breaker=1), clock=clock)
    opened, _ = hear(asked)
    assert (opened.kind, opened.details) == (Kind.CIRCUIT_OPENED, {})


def test_the_trial_of_one_circuit_is_freed_where_the_other_refuses() -> None:
    clock, later = Clock(), [refusal()] * 3
    model = Attempts([fault()], [fault()], [fault()], *[[error] for error in later], [answer()])
    asked = breaker(model, replace(THREE, cool_down=30), clock=clock)
    for _ in range(3):
        hear(asked, NOBODY)
    clock.now += 30
    for _ in range(3):  # each is a trial that says nothing about the server's health
        hear(asked)
    [error] = hear(asked)
    assert "when the agent ada asked" in str(error)
    assert hear(asked, BOB)[0].kind is Kind.CIRCUIT_CLOSED


def test_what_was_under_way_when_it_opened_changes_nothing() -> None:
    async def main() -> None:
        slow, quick = asyncio.Event(), asyncio.Event()
        model = Attempts([slow, fault()], [quick, answer()], [fault()])
        clock = Clock()
        asked = breaker(model, replace(THREE, breaker=1), clock=clock)
        late = [asyncio.ensure_future(heard(asked, NOBODY)) for _ in range(2)]
        await asyncio.sleep(0)
        await heard(asked, NOBODY)
        clock.now += 20
        slow.set()
        quick.set()
        assert [notices(items) for items in await asyncio.gather(*late)] == [[], []]
        [error] = await heard(asked, NOBODY)
        assert "for another 10 s" in str(error)

    asyncio.run(main())


def test_runs_on_several_event_loops_share_it() -> None:
    model = Attempts([fault()])
    asked = breaker(model, replace(THREE, breaker=50))
    found: list[Any] = []

    def run() -> None:
        found.extend(notices([item for _ in range(25) for item in hear(asked, NOBODY)]))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert [notice.kind for notice in found] == [Kind.CIRCUIT_OPENED]
    assert 50 <= len(model.asked) <= 53  # those that were under way at that moment
