"""A bound on many short waits, one after another, for the price of one timer."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class Alarm:
    """Cuts a wait short that takes too long. `stop` it when no more waits come.

    `asyncio.timeout` sets a timer for each wait, which costs more than most waits. This one looks, when its timer goes
    off, whether the wait that was on then is still on, and otherwise sets it anew.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self._until = 0.0
        self._rang = False

    async def wait(self, awaitable: Awaitable[T], seconds: float) -> T:
        """What `awaitable` gives, or `TimeoutError`. One wait at a time."""
        task = self._task = asyncio.current_task()
        assert task is not None
        self._until, self._rang = self._loop.time() + seconds, False
        cancelling = task.cancelling()
        if self._timer is None or self._timer.when() > self._until:
            self._set()
        try:
            return await awaitable
        except asyncio.CancelledError:
            if self._rang and task.uncancel() <= cancelling:
                raise TimeoutError from None
            raise  # somebody else's wish
        finally:
            self._task = None

    def stop(self) -> None:
        """Let go of the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self) -> None:
        self.stop()
        self._timer = self._loop.call_at(self._until, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._task is None:
            return
        if self._loop.time() < self._until:
            self._set()
        else:
            self._rang = True
            self._task.cancel()
