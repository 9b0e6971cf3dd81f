"""Asking again after a failure that may pass."""

import asyncio
import random as chance
from collections.abc import Awaitable, Callable

from assent.core.errors import ModelError
from assent.core.events import Kind
from assent.core.model import Model, Notice, Request
from assent.core.model_settings import ModelSettings
from assent.models.wrappers.reason import adding, happened
from assent.models.wrappers.wrapped import Stream, Wrapped, asked

_DOUBLINGS = 30  # more would overflow, long after any wait that makes sense


def retry(
    model: Model,
    settings: ModelSettings,
    *,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    random: Callable[[], float] = chance.random,
) -> Wrapped:
    """`model`, asked up to `settings.attempts` times while its errors are retryable.

    Between two attempts lies a random part of `backoff` seconds, doubled each time, `longest_wait` at most; or, where
    the server says how long, at least that. A server that asks for more than `longest_wait` fails the request at once.
    A circuit that opens ends the attempts. `random` gives numbers from 0 to 1.
    """

    async def stream(request: Request) -> Stream:
        attempt = 1
        while True:
            shown = opened = False
            try:
                async with asked(model, request) as items:
                    async for item in items:
                        if type(item) is not Notice:
                            shown = True
                        elif item.kind is Kind.CIRCUIT_OPENED:
                            opened = True
                        yield item
                return
            except ModelError as error:
                failure = error
            if attempt >= settings.attempts or opened or not failure.retryable or _too_long(failure, settings):
                raise _final(failure, attempt, settings, opened) from failure
            seconds = _pause(failure, attempt, settings, random())
            reason = f"{happened(failure)}."
            yield Notice(Kind.MODEL_RETRIED, model.name, reason, seconds, shown, {"attempt": attempt})
            await sleep(seconds)
            attempt += 1

    return Wrapped(model.name, stream, (model,))


def _pause(error: ModelError, attempt: int, settings: ModelSettings, chosen: float) -> float:
    """Seconds until the next attempt; the random part keeps many agents from coming back at the same moment."""
    wanted = error.retry_after or 0.0
    most = settings.backoff if wanted else settings.backoff * 2.0 ** min(attempt - 1, _DOUBLINGS)
    return wanted + chosen * min(most, settings.longest_wait)


def _too_long(error: ModelError, settings: ModelSettings) -> bool:
    return error.retry_after is not None and error.retry_after > settings.longest_wait


def _final(error: ModelError, attempts: int, settings: ModelSettings, opened: bool) -> ModelError:
    if opened:
        return adding(error, f"for which it is left alone for {settings.cool_down:g} s now")
    if error.retryable and attempts < settings.attempts and _too_long(error, settings):
        wait, most = f"{error.retry_after:.0f}", f"{settings.longest_wait:g}"
        return adding(error, f"and asks to wait for {wait} s, longer than longest_wait ({most} s) allows")
    return adding(error, f"after {attempts} attempts") if error.retryable and attempts > 1 else error
