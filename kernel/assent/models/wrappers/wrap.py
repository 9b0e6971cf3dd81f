"""Which wrappers a model gets, and in which order."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from assent.core.model import Model
from assent.core.model_settings import ModelSettings
from assent.models.wrappers.breaker import breaker
from assent.models.wrappers.cache import cache
from assent.models.wrappers.fallback import fallback
from assent.models.wrappers.limit import limit
from assent.models.wrappers.limiter import Spent, limiter_of
from assent.models.wrappers.outward import outward
from assent.models.wrappers.retry import retry


def guard_of(settings: ModelSettings) -> ModelSettings:
    """The part of the settings that also holds where the model stands in for another; without fallbacks, no cycles."""
    return replace(settings, fallback=(), cache=0.0)


def guarded(model: Model, settings: ModelSettings, spent: Spent = lambda: ()) -> Model:
    """`model` with its account of what leaves, its limits, circuit breaker and retries, as far as the settings ask.

    Limits and circuits count for all that share what this gives back, so there should be one for each model.
    """
    model = outward(model)
    if limiter := limiter_of(settings, spent):
        model = limit(model, limiter)
    if settings.breaker:
        model = breaker(model, settings)
    return retry(model, settings) if settings.attempts > 1 else model


def wrapped(
    model: Model, settings: ModelSettings, find: Callable[[str], Model], folder: Path, place: str = ""
) -> Model:
    """A guarded `model` with its fallbacks and its cache in `folder`.

    From the outside in: cache, fallback, then for each model retry, circuit breaker, limits, outward. So what is in the
    cache waits for nothing, every attempt counts for the circuit, and whoever is refused takes no room. `find` gives
    the guarded model of a name, `place` is where the model answers.
    """
    if others := [name for name in dict.fromkeys(settings.fallback) if name != model.name]:
        model = fallback(model, others, find)
    return cache(model, folder, settings.cache, place=place) if settings.cache else model
