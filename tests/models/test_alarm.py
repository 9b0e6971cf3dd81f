"""One timer for many waits."""

import asyncio
from typing import Any

import pytest

from assent.models.alarm import Alarm


async def nothing() -> int:
    return 7


def test_a_wait_that_takes_too_long_is_cut_short_and_the_next_one_is_not() -> None:
    async def run() -> None:
        alarm = Alarm()
        assert await alarm.wait(nothing(), 1) == 7
        with pytest.raises(TimeoutError):
            await alarm.wait(asyncio.Event().wait(), 0.01)
        assert await alarm.wait(asyncio.sleep(0.03, 8), 5) == 8
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        alarm.stop()

    asyncio.run(run())


def test_many_waits_set_one_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> int:
        loop: Any = asyncio.get_running_loop()
        times: list[float] = []
        original = loop.call_at

        def call_at(when: float, *rest: Any) -> Any:
            times.append(when)
            return original(when, *rest)

        monkeypatch.setattr(loop, "call_at", call_at)
        alarm = Alarm()
        for _ in range(100):
            await alarm.wait(nothing(), 5)
        alarm.stop()
        return len(times)

    assert asyncio.run(run()) == 1


def test_a_later_wait_may_be_shorter_or_longer_than_the_timer_that_is_set() -> None:
    async def run() -> float:
        alarm, loop = Alarm(), asyncio.get_running_loop()
        await alarm.wait(nothing(), 60)
        with pytest.raises(TimeoutError):
            await alarm.wait(asyncio.Event().wait(), 0.01)
        await alarm.wait(nothing(), 0.01)
        began = loop.time()
        with pytest.raises(TimeoutError):
            await alarm.wait(asyncio.Event().wait(), 0.1)
        return loop.time() - began

    assert asyncio.run(run()) >= 0.1


def test_time_between_waits_does_not_count() -> None:
    async def run() -> int:
        alarm = Alarm()
        await alarm.wait(nothing(), 0.01)
        await asyncio.sleep(0.05)
        return await alarm.wait(nothing(), 0.01)

    assert asyncio.run(run()) == 7


def test_somebody_elses_cancellation_stays_one() -> None:
    async def run() -> None:
        alarm = Alarm()
        task = asyncio.ensure_future(alarm.wait(asyncio.Event().wait(), 5))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        alarm.stop()

    asyncio.run(run())


def test_somebody_elses_cancellation_after_a_wait_that_was_cut_short_stays_one() -> None:
    async def twice(alarm: Alarm, again: asyncio.Event) -> None:
        with pytest.raises(TimeoutError):
            await alarm.wait(asyncio.Event().wait(), 0)
        again.set()
        await alarm.wait(asyncio.Event().wait(), 5)

    async def run() -> None:
        alarm, again = Alarm(), asyncio.Event()
        task = asyncio.ensure_future(twice(alarm, again))
        await again.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        alarm.stop()

    asyncio.run(run())


def test_both_at_once_is_a_cancellation() -> None:
    async def run() -> None:
        alarm = Alarm()
        task = asyncio.ensure_future(alarm.wait(asyncio.Event().wait(), 0))
        await asyncio.sleep(0)
        task.cancel()
        alarm._rang = True  # as if the timer had gone off in the same round of the loop
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        alarm.stop()

    asyncio.run(run())
