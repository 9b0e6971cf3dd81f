"""Settings of models: which table wins, and what is refused."""

import math
from pathlib import Path
from typing import Any

import pytest

from assent.core.config import load
from assent.core.errors import ConfigError
from assent.core.model_settings import TIERS, ModelSettings, Tables, check, settings_of


def test_without_tables_there_are_the_defaults() -> None:
    assert settings_of("groq:m", {}) == ModelSettings()


def test_a_models_own_table_goes_over_its_providers_and_that_over_the_default() -> None:
    tables = {
        "default": {"attempts": 2, "silence": 10, "breaker": 5},
        "groq": {"attempts": 3, "silence": 20},
        "groq:openai/gpt-oss-120b": {"attempts": 4},
        "xai": {"breaker": 9},
    }
    settings = settings_of("groq:openai/gpt-oss-120b", tables)
    assert (settings.attempts, settings.silence, settings.breaker) == (4, 20.0, 5)
    assert settings_of("groq:other", tables).attempts == 3
    assert settings_of("groq", tables).attempts == 3
    assert settings_of("ollama:groq", tables).attempts == 2


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_presets_the_limits(tier: str) -> None:
    settings = settings_of("groq:m", {"groq": {"tier": tier}})
    assert {name: getattr(settings, name) for name in TIERS[tier]} == TIERS[tier]


def test_a_limit_goes_over_the_tier_of_its_table_and_a_tier_over_limits_of_tables_before() -> None:
    tables: Tables = {
        "default": {"tier": "high", "concurrency": 7},
        "groq": {"requests_per_minute": 30},
        "xai": {"tier": "low"},
    }
    groq, xai = settings_of("groq:m", tables), settings_of("xai:m", tables)
    assert (groq.concurrency, groq.requests_per_minute, groq.tokens_per_minute) == (7, 30, 2_000_000)
    assert (xai.concurrency, xai.requests_per_minute) == (4, 20)


def test_equal_settings_are_one_key() -> None:
    tables = {"default": {"fallback": ["a:b"], "backoff": 1}}
    assert settings_of("groq:m", tables) == ModelSettings(fallback=("a:b",), backoff=1.0)
    assert len({settings_of("groq:m", tables), settings_of("xai:m", tables)}) == 1


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"attemps": 3}, "There is no model setting attemps; there are attempts, backoff"),
        ({"attempts": "3"}, "attempts is '3'; it must be of the type int"),
        ({"attempts": True}, "attempts is True; it must be of the type int"),
        ({"attempts": 2.5}, "attempts is 2.5; it must be of the type int"),
        ({"attempts": 0}, "attempts must be at least 1"),
        ({"silence": 0}, "silence a number of seconds above 0"),
        ({"silence": math.inf}, "silence a number of seconds above 0"),
        ({"silence": math.nan}, "silence a number of seconds above 0"),
        ({"backoff": -1, "cache": -0.5}, "backoff, cache must not be negative"),
        ({"cool_down": math.nan}, "cool_down must not be negative"),
        ({"backoff": math.inf, "cool_down": math.inf}, "backoff, cool_down must be a number of seconds, not infinity"),
        ({"tier": "top"}, "tier is 'top'; it must be high, mid, low"),
        ({"tier": ["low"]}, "tier is ['low']; it must be of the type str"),
        ({"fallback": "groq:m"}, "fallback is 'groq:m'; it must be a list of names"),
        ({"fallback": [1]}, "fallback is [1]; it must be a list of names"),
        ({"gpt-5": {"attempts": 3}}, "There is no model setting gpt-5"),
    ],
)
def test_what_makes_no_sense_is_refused_wherever_it_comes_from(table: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as told:
        check({"groq:m": table}, "config.toml")
    assert str(told.value).startswith("[models.groq:m] in config.toml: ")
    assert says in str(told.value)
    with pytest.raises(ConfigError) as told:
        settings_of("groq:m", {"groq:m": table})
    assert says in str(told.value)


@pytest.mark.parametrize("tables", [[], {"groq": 3}, {"attempts": 3}, "groq"])
def test_what_is_no_table_is_refused(tables: Any) -> None:
    with pytest.raises(ConfigError, match=r"models in config\.toml must be tables"):
        check(tables, "config.toml")


def test_the_settings_file_has_a_table_for_each(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        '[models.default]\nattempts = 2\n[models."openai:gpt-5-mini"]\nfallback = ["groq:m", "local"]\ncache = 3600\n'
    )
    settings = settings_of("openai:gpt-5-mini", load(tmp_path).models)
    assert settings == ModelSettings(attempts=2, fallback=("groq:m", "local"), cache=3600.0)
