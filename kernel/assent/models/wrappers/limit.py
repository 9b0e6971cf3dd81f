"""A model kept within its limits: who finds no room waits, in order of priority, and says so."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

from assent.core.errors import OverLimit
from assent.core.events import Kind
from assent.core.model import Answer, Delta, Model, Notice, Request
from assent.models.prices import cost
from assent.models.wrappers.limiter import Bell, Limiter, Timer, Turn
from assent.models.wrappers.wrapped import Wrapped, asked


def limit(model: Model, limiter: Limiter) -> Wrapped:
    """`model`, asked only when `limiter` gives room; everyone who asks the same model shares one limiter.

    While a request waits it says so for the display, afterwards how long for the journal. Its place among those at once
    is free again when its stream has ended, was closed or cancelled. `OverLimit` where money gives no room in time.
    """

    async def stream(request: Request) -> AsyncIterator[Delta | Answer]:
        turn = limiter.enter()
        if turn is None:
            rung: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            turn = limiter.queue(request.priority, _bell(rung))
        try:
            if not turn.granted and turn.refused is None:
                began = limiter.clock()
                yield Notice(None, model.name, f"waiting for the {turn.reason}", turn.seconds)
                await rung
                yield Notice(Kind.MODEL_WAITED, model.name, turn.reason, limiter.clock() - began)
            if turn.refused is not None:
                raise _refused(model.name, turn)
            turn.asked = True
            async with asked(model, request) as items:
                async for item in items:
                    if isinstance(item, Answer):
                        turn.usage = item.usage
                        turn.cost = cost(item.by or model.name, item.usage) if limiter.spending else None
                    yield item
        finally:
            limiter.leave(turn)

    return Wrapped(model.name, stream, (model,))


def _bell(rung: asyncio.Future[None]) -> Bell:
    """Reaches whoever awaits `rung` on its event loop."""
    loop, thread = rung.get_loop(), threading.get_ident()

    def ring() -> None:
        if threading.get_ident() == thread:
            _settle(rung)
        else:
            loop.call_soon_threadsafe(_settle, rung)

    def later(seconds: float, call: Callable[[], None]) -> Timer:
        if threading.get_ident() == thread:
            return loop.call_later(seconds, call)
        return loop.call_soon_threadsafe(loop.call_later, seconds, call)

    return Bell(ring, later)


def _settle(rung: asyncio.Future[None]) -> None:
    if not rung.done():
        rung.set_result(None)


def _refused(name: str, turn: Turn) -> OverLimit:
    seconds = turn.refused or 0.0
    when = f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"
    return OverLimit(
        f"{name} has reached its {turn.reason} and has room again in {when}: "
        "run again then, raise dollars_per_hour in config.toml, or choose another model."
    )
