"""How long answers of known models may be; of others nobody says."""

import pytest

from assent.models.longest import longest


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("openai:gpt-3.5-turbo", 4_096), ("openai:gpt-4", 4_096), ("openai:gpt-4-0613", 4_096),
        ("openai:gpt-4o", 16_384), ("openai:gpt-4o-2024-05-13", 4_096), ("openai:gpt-4.1-mini", 32_768),
        ("openai-responses:gpt-5-chat-latest", 16_384), ("openai-responses:gpt-5-mini", 128_000),
        ("openai:o1-mini", 65_536), ("openai:o3", 100_000), ("gemini:gemini-1.5-pro", 8_192),
        ("gemini:gemini-2.5-flash", 65_535), ("openrouter:gpt-4o", None), ("openai:something-new", None),
        ("ollama:qwen3", None), ("", None),
    ],
)  # fmt: skip
def test_how_long_an_answer_may_be(model: str, tokens: int | None) -> None:
    assert longest(model) == tokens
