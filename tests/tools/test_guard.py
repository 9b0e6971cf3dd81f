"""Code on the loop's own thread can be interrupted, ends in time, and leaves no handler behind."""

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from assent.tools.guard import guarded, turn

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")


def spin(until: float = 15) -> None:
    end = time.monotonic() + until
    while time.monotonic() < end:
        pass


def interrupt_after(begun: threading.Event) -> threading.Thread:
    def kill() -> None:
        begun.wait(5)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


@pytest.fixture(autouse=True)
def _handlers_are_as_they_were() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGALRM)
    alarm, _ = signal.getitimer(signal.ITIMER_REAL)  # that of the test's own time limit, say
    yield
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGALRM)) == before
    assert (signal.getitimer(signal.ITIMER_REAL)[0] > 0) == (alarm > 0)


def test_code_that_runs_too_long_is_stopped() -> None:
    async def run() -> None:
        with guarded(0.1):
            spin()

    began = time.monotonic()
    with pytest.raises(TimeoutError, match=r"ran longer than 0\.1 s and was stopped"):
        asyncio.run(run())
    assert time.monotonic() - began < 10


def test_code_that_survives_its_errors_does_not_survive_its_time() -> None:
    async def run() -> None:
        with guarded(0.1):
            while True:
                try:
                    spin(0.5)
                except Exception:
                    continue

    with pytest.raises(TimeoutError):
        asyncio.run(run())


def test_an_interrupt_is_a_cancellation_and_the_loop_lives() -> None:
    begun = threading.Event()

    async def code() -> None:
        with guarded(10):
            begun.set()
            spin()

    async def run() -> str:
        try:
            await asyncio.ensure_future(code())
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            return "cancelled"
        return "finished"

    thread = interrupt_after(begun)
    assert asyncio.run(run()) == "cancelled"
    thread.join()


@pytest.mark.parametrize("ends", [lambda: None, lambda: 1 / 0], ids=["well", "badly"])
def test_what_ends_in_time_is_left_alone(ends: Callable[[], object]) -> None:
    async def run() -> None:
        with guarded(0.2):
            ends()
        await asyncio.sleep(0.3)

    with contextlib.suppress(ZeroDivisionError):
        asyncio.run(run())


def test_while_the_code_awaits_the_alarm_strikes_nobody_else() -> None:
    seen: list[str] = []

    async def code() -> None:
        with guarded(0.05):
            await asyncio.sleep(0.15)
            seen.append("code went on")

    async def other() -> None:
        spin(0.1)
        seen.append("other went on")

    async def run() -> None:
        await asyncio.gather(code(), other())

    asyncio.run(run())
    assert sorted(seen) == ["code went on", "other went on"]


def test_an_alarm_that_was_set_before_goes_on_and_strikes_late_rather_than_never() -> None:
    struck = threading.Event()
    before = signal.signal(signal.SIGALRM, lambda number, frame: struck.set())
    left, interval = signal.setitimer(signal.ITIMER_REAL, 0.05)

    async def run() -> None:
        with guarded(5):
            spin(0.1)

    try:
        asyncio.run(run())
        assert struck.wait(1)
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, left, interval)


def test_in_another_thread_it_is_without_effect() -> None:
    outcome: list[str] = []

    async def run() -> None:
        with guarded(0.01):
            spin(0.05)
        outcome.append("finished")

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    thread.join()
    assert outcome == ["finished"]


def test_a_turn_is_given_back_when_its_code_fails_or_is_cancelled() -> None:
    async def fail() -> None:
        async with turn():
            raise ValueError("mine")

    async def hang() -> None:
        async with turn():
            await asyncio.Event().wait()

    async def run() -> str:
        with pytest.raises(ValueError, match="mine"):
            await fail()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(hang(), 0.01)
        async with turn():
            return "mine"

    assert asyncio.run(asyncio.wait_for(run(), 5)) == "mine"
    assert asyncio.run(asyncio.wait_for(run(), 5)) == "mine"  # and on another loop
