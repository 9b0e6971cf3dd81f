"""Keeps code that runs on the event loop's own thread interruptible and within its time."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
_has_turn: ContextVar[bool] = ContextVar("has_turn", default=False)


class TimeUp(BaseException):
    """Ends code that ran too long; no Exception, or a loop that survives its errors would survive this too."""


@contextlib.asynccontextmanager
async def turn() -> AsyncIterator[None]:
    """One piece of code at a time on each loop: signal handlers and `sys.stdout` belong to the whole process.

    Agents that the code itself starts share its turn, or both would wait for ever.
    """
    if _has_turn.get():
        yield
        return
    async with _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        token = _has_turn.set(True)
        try:
            yield
        finally:
            _has_turn.reset(token)


@contextlib.contextmanager
def guarded(seconds: float) -> Iterator[None]:
    """Synchronous code of the current task ends on SIGINT (as a cancellation) and after `seconds` (`TimeoutError`).

    Only while that code is on the stack: raising while the loop waits would tear down the loop itself, and there the
    task's own cancellation and timeout do the work. Without effect outside the main thread or without POSIX timers.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    interrupt = signal.getsignal(signal.SIGINT)

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        if asyncio.current_task(loop) is task:
            raise KeyboardInterrupt
        if callable(interrupt):
            interrupt(number, frame)

    def on_alarm(_number: int, _frame: FrameType | None) -> None:
        if asyncio.current_task(loop) is task:
            raise TimeUp(f"the code ran longer than {seconds:g} s and was stopped")

    with _handler(signal.SIGINT, on_interrupt), _handler(signal.SIGALRM, on_alarm):
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        except KeyboardInterrupt:
            # Out of a task a KeyboardInterrupt would stop the kernel's loop; a cancellation stops the run.
            raise asyncio.CancelledError from None
        except TimeUp as error:
            raise TimeoutError(str(error)) from None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


@contextlib.contextmanager
def _handler(number: signal.Signals, handler: Any) -> Iterator[None]:
    previous = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, previous)
