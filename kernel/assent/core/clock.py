"""The time of day for what expires: however the machine's clock is set, it never goes back."""

import threading
import time
from collections.abc import Callable

AHEAD = 86_400.0  # seconds: what was written by a clock that was further ahead of ours tells nothing of the time


class Clock:
    """Seconds since the epoch, by the machine's clock; where that is set back, it goes on from where it was.

    So what has expired stays so, and what is yet to expire does so no later than the seconds that it has left.
    Any thread may ask.
    """

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._steady = steady
        self._lock = threading.Lock()
        self._latest = wall()
        self._at = steady()

    def now(self) -> float:
        with self._lock:
            at = self._steady()
            self._latest = max(self._wall(), self._latest + at - self._at)
            self._at = at
            return self._latest

    def learn(self, seconds: float) -> None:
        """It is at least as late as this: something was written then, unless by a clock that was far ahead."""
        with self._lock:
            if seconds <= self._latest + AHEAD:
                self._latest = max(self._latest, seconds)


CLOCK = Clock()  # this process's
