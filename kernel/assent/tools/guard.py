"""Keeps code that runs on the event loop's own thread interruptible and within its time."""

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary

from assent.core.ids import run_of

_at_work: dict[str, Callable[[], None]] = {}  # by call: how to break into its code
_lock = threading.Lock()
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


def break_in(run: str) -> None:
    """End the synchronous code of a run's call that holds up the main thread, as SIGINT would. From any other thread.

    Without effect where there is none, so whatever else the main thread does is left in peace.
    """
    with _lock:
        for call, act in _at_work.items():
            if run_of(call) == run:
                act()


@contextlib.contextmanager
def guarded(seconds: float, call: str = "") -> Iterator[None]:
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
    breaking = False

    def break_in() -> None:
        nonlocal breaking
        breaking = True
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)  # a real signal also ends a sleep

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal breaking
        meant, breaking = breaking, False
        if asyncio.current_task(loop) is task:
            raise KeyboardInterrupt
        if callable(interrupt) and not meant:
            interrupt(number, frame)

    def on_alarm(_number: int, _frame: FrameType | None) -> None:
        if asyncio.current_task(loop) is task:
            raise TimeUp(f"the code ran longer than {seconds:g} s and was stopped")

    try:
        with _handler(signal.SIGINT, on_interrupt), _alarm(seconds, on_alarm), _reachable(call, break_in):
            yield
    except KeyboardInterrupt:
        # Out of a task a KeyboardInterrupt would stop the kernel's loop; a cancellation stops the run.
        raise asyncio.CancelledError from None
    except TimeUp as error:
        raise TimeoutError(str(error)) from None


@contextlib.contextmanager
def _reachable(call: str, act: Callable[[], None]) -> Iterator[None]:
    with _lock:
        _at_work[call] = act
    try:
        yield
    finally:
        with _lock:
            _at_work.pop(call, None)


@contextlib.contextmanager
def _alarm(seconds: float, handler: Any) -> Iterator[None]:
    began = time.monotonic()
    left, interval = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        with _handler(signal.SIGALRM, handler):
            signal.setitimer(signal.ITIMER_REAL, seconds)
            try:
                yield
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        if left:  # somebody else's alarm goes on, and strikes at once if its time has come meanwhile
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - began), 1e-6), interval)


@contextlib.contextmanager
def _handler(number: signal.Signals, handler: Any) -> Iterator[None]:
    previous = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, previous)
