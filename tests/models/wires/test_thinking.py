"""How each vendor is told how much to think."""

from typing import Any

import pytest

from assent.models.endpoints import CUSTOM, ENDPOINTS
from assent.models.wires.thinking import WAYS, heats, thinks, told

OFF, ON = {"thinking": {"type": "disabled"}}, {"thinking": {"type": "enabled"}}


def effort(words: str) -> dict[str, str]:
    return {"reasoning_effort": words}


@pytest.mark.parametrize(
    ("way", "model", "none", "medium", "high"),
    [
        ("openai", "gpt-5-mini", effort("minimal"), effort("medium"), effort("high")),
        ("openai", "gpt-5-codex", effort("low"), effort("medium"), effort("high")),
        ("openai", "gpt-5.4-mini", effort("none"), effort("medium"), effort("high")),
        ("openai", "gpt-5.4-pro", {}, {}, {}),
        ("openai", "gpt-5.2-chat-latest", {}, {}, {}),
        ("openai", "gpt-5-chat-latest", {}, {}, {}),
        ("openai", "gpt-4o", {}, {}, {}),
        ("openai", "o3-mini", effort("low"), effort("medium"), effort("high")),
        ("openai", "somebodys-model", effort("none"), effort("medium"), effort("high")),
        ("groq", "openai/gpt-oss-120b", effort("low"), effort("medium"), effort("high")),
        ("groq", "llama-3.3-70b-versatile", {}, {}, {}),
        ("deepseek", "deepseek-flash", OFF, ON | effort("medium"), ON | effort("high")),
        ("moonshot", "kimi-k2.6", OFF, ON, ON),
        ("moonshot", "kimi-k3", effort("low"), effort("high"), effort("high")),
        ("moonshot", "kimi-k2.7-code", {}, {}, {}),
        ("mistral", "mistral-medium-latest", effort("none"), effort("high"), effort("high")),
        ("mistral", "mistral-large-4", {}, {}, {}),
        ("xai", "grok-4.3", effort("none"), effort("medium"), effort("high")),
        ("xai", "grok-3-mini", effort("low"), effort("low"), effort("high")),
        ("xai", "grok-4-fast-reasoning", {}, {}, {}),
        ("plain", "qwen3", effort("none"), effort("medium"), effort("high")),
        ("", "gpt-5-mini", {}, {}, {}),
    ],
)
def test_the_words_of_each_vendor(way: str, model: str, none: Any, medium: Any, high: Any) -> None:
    assert [told(way, model, "none"), told(way, model, "medium"), told(way, model, "high")] == [none, medium, high]
    assert told(way, model, None) == {}


def test_openrouter_has_one_field_for_all() -> None:
    assert told("openrouter", "anthropic/claude-sonnet-5", "high") == {"reasoning": {"effort": "high"}}


def test_groq_is_asked_to_keep_thinking_out_of_the_text() -> None:
    assert told("groq", "qwen/qwen3-32b", None) == {"reasoning_format": "parsed"}
    assert told("groq", "qwen/qwen3-32b", "none") == {"reasoning_format": "parsed"} | effort("none")
    assert told("groq", "openai/gpt-oss-20b", None) == {}


def test_every_way_of_the_table_exists() -> None:
    assert {row.effort for row in (*ENDPOINTS, CUSTOM) if row.wire in ("chat", "responses")} <= {*WAYS, ""}


@pytest.mark.parametrize("model", ["gpt-5-mini", "gpt-5.4", "gpt-5.6-luna", "o3", "o4-mini", "gpt-6-astra"])
def test_models_that_think(model: str) -> None:
    assert thinks(model)
    assert not heats("openai", model, "high")


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4.1", "gpt-3.5-turbo", "gpt-5-chat-latest", "llama3", "omni-1"])
def test_models_that_do_not(model: str) -> None:
    assert not thinks(model)
    assert heats("openai", model, None)


def test_a_temperature_goes_to_a_model_that_does_not_think_this_time() -> None:
    assert [heats("openai", "gpt-5.4", effort) for effort in (None, "none", "low")] == [True, True, False]
    assert [heats("openai", "gpt-5.6-sol", effort) for effort in (None, "none", "low")] == [False, True, False]
    assert [heats("openai", "gpt-5-mini", effort) for effort in (None, "none")] == [False, False]
    assert not heats("moonshot", "kimi-k2.6", None)
    assert heats("moonshot", "moonshot-v1-8k", None)
    assert heats("plain", "kimi-k2.6", None)
