"""What an interrupt does while a cell awaits: cancel it at once, or break synchronous code that is in the way."""

import _thread
import asyncio
import queue
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
    watch = _Watch()
    interrupt = _Interrupt(asyncio.get_running_loop(), future, watch)
    previous = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
        watch.close()


class _Interrupt:
    """A SIGINT handler: what it does must be safe wherever it breaks in, so it takes no lock and starts no thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], watch: "_Watch") -> None:
        self._loop = loop
        self._future = future
        self._watch = watch
        self._asked = False

    def __call__(self, _signum: int, _frame: FrameType | None) -> None:
        task = asyncio.current_task(self._loop)
        if task is self._future or (task is not None and self._asked):
            self._answered()
            raise Interrupted
        self._asked = True
        # call_soon would not wake a loop that sleeps in select().
        self._loop.call_soon_threadsafe(self._cancel)
        self._watch.begin()

    def _cancel(self) -> None:
        self._answered()
        self._future.cancel()

    def _answered(self) -> None:
        self._asked = False
        self._watch.end()


class _Watch:
    """A thread that signals the main thread again when `begin` is not followed by `end` within `PATIENCE`."""

    def __init__(self) -> None:
        # Its put() may break into itself, as a signal handler does.
        self._news: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="assent-interrupt", daemon=True).start()

    def begin(self) -> None:
        self._news.put("begin")

    def end(self) -> None:
        self._news.put("end")

    def close(self) -> None:
        """Signal no more; the thread ends by itself."""
        self._news.put("close")

    def _run(self) -> None:
        news, patience = "", None
        while news != "close":
            try:
                news = self._news.get(timeout=patience)
                patience = PATIENCE if news == "begin" else None
            except queue.Empty:
                _signal_main_thread()
                patience = None  # the handler begins anew if there is nothing to break into yet


def _signal_main_thread() -> None:
    main = threading.main_thread().ident
    if main is not None and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main, signal.SIGINT)  # a real signal also ends a sleep or a read
    else:
        _thread.interrupt_main()
