"""How a model is asked: how often again, how fast, and who stands in for it. One table of the settings for each."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
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

    `attempts` counts the first one. `breaker` is after how many failures in a row the model is left alone for
    `cool_down`, 0 for never. `fallback` names the models to ask instead, in order. `cache` is how long an answer
    is given again to the very same request. `tier` presets the limits that are not set.
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
        if self.attempts < 1 or not self.silence > 0:
            raise ConfigError("A model's attempts must be at least 1, and its silence above 0.")
        if self.tier and self.tier not in TIERS:
            raise ConfigError(f"A model's tier is {self.tier!r}; it must be {', '.join(TIERS)}.")
        if negative := [name for name, value in self._numbers() if not value >= 0]:
            raise ConfigError(f"A model's {', '.join(negative)} must not be negative.")

    def _numbers(self) -> list[tuple[str, float]]:
        named = [(item.name, getattr(self, item.name)) for item in fields(self)]
        return [(name, value) for name, value in named if isinstance(value, int | float)]


Tables = Mapping[str, Mapping[str, Any]]


def settings_of(name: str, tables: Tables) -> ModelSettings:
    """The settings of `provider:model`: those of `default`, the provider's over them, the model's own over these."""
    values: dict[str, Any] = {}
    for key in ("default", name.partition(":")[0], name):
        values |= tables.get(key, {})
    return replace(ModelSettings(), **({**TIERS.get(values.get("tier", ""), {}), **values}))


def check(tables: Any, source: str) -> Tables:
    """The `[models.NAME]` tables of a settings file, each field of its type; `ConfigError` names what is wrong."""
    if not isinstance(tables, Mapping) or not all(isinstance(table, Mapping) for table in tables.values()):
        raise ConfigError(f'models in {source} must be tables: write [models."provider:model"] and the settings below.')
    checked = {
        name: {key: _typed(name, key, value, source) for key, value in table.items()} for name, table in tables.items()
    }
    for name in checked:
        settings_of(name, checked)
    return checked


_KINDS = get_type_hints(ModelSettings)


def _typed(name: str, key: str, value: Any, source: str) -> Any:
    if key not in _KINDS:
        raise ConfigError(f"Unknown model setting {key} of {name} in {source}; there are {', '.join(_KINDS)}.")
    kind = _KINDS[key]
    if kind == tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
    elif kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    elif type(value) is kind:
        return value
    expected = "a list of names" if kind == tuple[str, ...] else f"of the type {kind.__name__}"
    raise ConfigError(f"{key} of {name} in {source} is {value!r}; it must be {expected}.")
