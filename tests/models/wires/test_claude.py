"""What each Claude takes, by its name."""

import pytest

from assent.models.wires.claude import family, forced, heats, limit, shaped, thinking, version


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ("claude-sonnet-5-5", ("sonnet", (5, 5))),
        ("claude-sonnet-4-5-20250929", ("sonnet", (4, 5))),
        ("claude-sonnet-4-20250514", ("sonnet", (4, 0))),
        ("claude-opus-5", ("opus", (5, 0))),
        ("claude-3-7-sonnet-latest", ("sonnet", (3, 7))),
        ("claude-3-haiku-20240307", ("haiku", (3, 0))),
        ("anthropic/claude-4.6-opus", ("opus", (4, 6))),
        ("eu.anthropic.claude-opus-4-6-v1:0", ("opus", (4, 6))),
        ("vertex-2/claude-haiku-4-5@20251001", ("haiku", (4, 5))),
        ("claude-2.1", ("", (2, 1))),
        ("glm-4.6", ("", (0, 0))),
        ("my-sonnet", ("sonnet", (0, 0))),
    ],
)
def test_a_version_is_read_from_any_spelling(model: str, known: object) -> None:
    assert (family(model), version(model)) == known


def test_an_answer_is_as_long_as_the_model_can_make_it_or_long_enough() -> None:
    models = ("claude-3-haiku-20240307", "claude-3-5-sonnet", "claude-opus-4-1", "claude-haiku-5-5", "glm-4.6")
    assert [limit(model) for model in models] == [4096, 8192, 32_000, 32_000, 8192]


def test_who_always_thinks_shows_it_and_is_quiet_when_told() -> None:
    adaptive = {"type": "adaptive", "display": "summarized"}
    assert thinking("claude-opus-5-5", None, 9999) == adaptive
    assert thinking("claude-opus-4-6", None, 9999) == thinking("claude-opus-4-6", "none", 9999) == {}
    assert thinking("claude-opus-4-6", "low", 9999) == adaptive
    quiet = {model: thinking(model, "none", 9999)["type"] for model in (
        "claude-sonnet-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5-5", "claude-fable-5-1",
    )}  # fmt: skip
    assert list(quiet.values()) == ["disabled", "between_tools", "disabled", "adaptive", "adaptive"]


def test_who_does_not_think_is_given_no_budget() -> None:
    assert thinking("claude-3-5-haiku-latest", "high", 9999) == {}
    assert thinking("glm-4.6", "low", 9999) == {"type": "enabled", "budget_tokens": 2048}


def test_who_takes_a_temperature() -> None:
    cold = thinking("claude-sonnet-4-5", "low", 9999)
    assert heats("claude-sonnet-4-5", {})
    assert not heats("claude-sonnet-4-5", cold)
    assert not heats("claude-opus-4-7", {})


def test_of_whom_a_tool_can_be_demanded() -> None:
    models = ("claude-sonnet-4-5", "claude-opus-5", "claude-haiku-5-5", "claude-opus-5-5", "claude-fable-5")
    assert [forced(model, {}) for model in models] == [True, True, True, False, False]


def test_who_can_be_held_to_a_schema() -> None:
    models = ("claude-opus-4-1", "claude-sonnet-4-5", "claude-haiku-5-5", "claude-sonnet-4-0", "glm-4.6")
    assert [shaped(model) for model in models] == [True, True, True, False, False]
