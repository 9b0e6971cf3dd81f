"""Who waits for a commit: threads by a `concurrent.futures.Future`, coroutines by a future of their loop."""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from concurrent.futures import Future

Waiting = Future[None] | asyncio.Future[None]


def settle(futures: Iterable[Waiting], failure: Exception | None = None) -> None:
    """Resolve every future, or fail it with `failure`; one wake-up for each event loop, however many wait on it."""
    loops: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for future in futures:
        if isinstance(future, asyncio.Future):
            loops.setdefault(future.get_loop(), []).append(future)
        else:
            _resolve([future], failure)
    for loop, waiting in loops.items():
        with contextlib.suppress(RuntimeError):  # the loop was closed, and nobody waits any more
            loop.call_soon_threadsafe(_resolve, waiting, failure)


def _resolve(futures: Sequence[Waiting], failure: Exception | None) -> None:
    for future in futures:
        if future.done():  # given up
            continue
        if failure is None:
            future.set_result(None)
        else:
            future.set_exception(failure)
