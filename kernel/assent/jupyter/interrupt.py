"""What an interrupt does while a cell awaits: cancel it at once, or break synchronous code that is in the way."""

import _thread
import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# Seconds the event loop has to cancel the cell before the code that holds it up is broken into.
PATIENCE = 0.25

# Code sees a KeyboardInterrupt, asyncio a cancellation: an ordinary KeyboardInterrupt that leaves a task
# stops the event loop, and the kernel with it.
Interrupted = type("KeyboardInterrupt", (KeyboardInterrupt, asyncio.CancelledError), {})


@contextmanager
def cancelled_by_sigint(future: asyncio.Future[Any]) -> Iterator[None]:
    """While this context lasts, SIGINT cancels `future`, which the running loop awaits. Main thread only.

    Synchronous code of the cell itself gets a KeyboardInterrupt at once; that of another task after `PATIENCE`
    seconds, so that a task in the middle of a short step is cancelled where it awaits instead.
    """
    interrupt = _Interrupt(asyncio.get_running_loop(), future)
    previous = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
        interrupt.close()


class _Interrupt:
    """A SIGINT handler; the resource it holds is the timer that signals again while the loop is held up."""

    def __init__(self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any]) -> None:
        self._loop = loop
        self._future = future
        self._timer: threading.Timer | None = None

    def __call__(self, _signum: int, _frame: FrameType | None) -> None:
        again = self._timer is not None
        self.close()
        task = asyncio.current_task(self._loop)
        if task is self._future or (task is not None and again):
            raise Interrupted
        # call_soon would not wake a loop that sleeps in select().
        self._loop.call_soon_threadsafe(self._cancel)
        self._timer = threading.Timer(PATIENCE, _signal_main_thread)
        self._timer.daemon = True
        self._timer.start()

    def _cancel(self) -> None:
        self.close()
        self._future.cancel()

    def close(self) -> None:
        """Signal no more on behalf of what was asked so far."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _signal_main_thread() -> None:
    main = threading.main_thread().ident
    if main is not None and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main, signal.SIGINT)  # a real signal also ends a sleep or a read
    else:
        _thread.interrupt_main()
