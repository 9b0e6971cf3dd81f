"""Waiting for what another thread, process or kernel does in its own time."""

import time
from collections.abc import Callable


def eventually(is_so: Callable[[], object], seconds: float = 15) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "it has not come about in time"
        time.sleep(0.01)
