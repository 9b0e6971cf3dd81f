"""How a model is asked: how often again, how fast, and who stands in for it. One table of the settings for each."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from assent.core.errors import ConfigError

# Requests and tokens a minute, requests at once: roughly what vendors grant a large, a middling and a new account.
TIERS: Mapping[str, Mapping[str, int]] = {
    "high": {"requests_per_minute": 5000, "tokens_per_minute": 2_000_000, "concurrency": 200},
    "mid": {"requests_per_minute": 500, "tokens_per_minute": 200_000, "concurrency": 50},
    "low": {"requests_per_minute": 20, "tokens_per_minute": 40_000, "concurrency": 4},
}


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Settings of one model. A limit of 0 is no limit; times are in seconds, money in US dollars.

    `attempts` counts the first one; before the next lies a random part of `backoff`, doubled each time, `longest_wait`
    at most. That is also the longest that a server, or the limit of money, may make a request wait. `silence` is after
    how long without a byte a server is given up. `breaker` is after how many failures in a row the model is left alone
    for `cool_down`, 0 for never. `fallback` names the models to ask instead, in order. `cache` is how long an answer is
    given again to the very same request, 0 for not at all. `tier` presets the limits that are not set.
    """

    attempts: int = 4
    backoff: float = 0.5
    longest_wait: float = 60.0
    silence: float = 300.0
    tier: str = ""
    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    concurrency: int = 0
    dollars_per_hour: float = 0.0
    breaker: int = 10
    cool_down: float = 30.0
    fallback: tuple[str, ...] = ()
    cache: float = 0.0

    def __post_init__(self) -> None:
        for name, kind in _KINDS.items():
            object.__setattr__(self, name, _typed(name, getattr(self, name), kind))
        if self.attempts < 1 or not 0 < self.silence < math.inf:
            raise ConfigError("attempts must be at least 1, and silence a number of seconds above 0.")
        if self.tier and self.tier not in TIERS:
            raise ConfigError(f"tier is {self.tier!r}; it must be {', '.join(TIERS)}.")
        if endless := [name for name in ("backoff", "cool_down") if getattr(self, name) == math.inf]:
            raise ConfigError(f"{', '.join(endless)} must be a number of seconds, not infinity.")
        numbers = [name for name, kind in _KINDS.items() if kind in (int, float)]
        if negative := [name for name in numbers if not getattr(self, name) >= 0]:
            raise ConfigError(f"{', '.join(negative)} must not be negative.")


Tables = Mapping[str, Mapping[str, Any]]
_KINDS = get_type_hints(ModelSettings)


def settings_of(name: str, tables: Tables) -> ModelSettings:
    """The settings of `provider:model`: those of `default`, the provider's over them, the model's own over these.

    A table's `tier` stands for its limits, so it too goes over those of the tables before.
    """
    values: dict[str, Any] = {}
    for key in ("default", name.partition(":")[0], name):
        table = tables.get(key, {})
        values |= {**TIERS.get(str(table.get("tier", "")), {}), **table}
    if unknown := [key for key in values if key not in _KINDS]:
        raise ConfigError(f"There is no model setting {', '.join(unknown)}; there are {', '.join(_KINDS)}.")
    return ModelSettings(**values)


def check(tables: Any, source: str) -> Tables:
    """The `[models.NAME]` tables of a settings file; `ConfigError` names what is wrong in which of them."""
    if not isinstance(tables, Mapping) or not all(isinstance(table, Mapping) for table in tables.values()):
        raise ConfigError(f'models in {source} must be tables: write [models."provider:model"] and the settings below.')
    for name, table in tables.items():
        try:
            settings_of("", {"default": table})
        except ConfigError as error:
            raise ConfigError(f"[models.{name}] in {source}: {error}") from None
    return tables


def _typed(name: str, value: Any, kind: Any) -> Any:
    if kind == tuple[str, ...]:
        if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise ConfigError(f"{name} is {value!r}; it must be a list of names.")
    if type(value) is kind or (kind is float and type(value) is int):
        return kind(value)
    raise ConfigError(f"{name} is {value!r}; it must be of the type {kind.__name__}.")
