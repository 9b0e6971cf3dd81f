"""How many tokens an answer of a model has at most, where its vendor says so and refuses to be asked for more."""

import re

from assent.models.wires import claude

# By the vendors' pages on their models; the first that fits. The rest of a row's family may have more, none has less.
_LONGEST = tuple(
    [
        (re.compile(pattern), tokens)
        for pattern, tokens in (
            (r"gpt-3\.5|gpt-4(-|$)|gpt-4o-2024-05-13", 4_096),
            (r"gpt-4o|chatgpt-4o|gpt-4\.5|gpt-5-chat", 16_384),
            (r"gpt-4\.1|o1-preview", 32_768),
            (r"o1-mini", 65_536),
            (r"o[134](-|$)", 100_000),
            (r"gpt-[5-9]", 128_000),
            (r"gemini-(1|2\.0)", 8_192),
            (r"gemini-", 65_535),
        )
    ]
)


def longest(model: str) -> int | None:
    """The most tokens that an answer of `provider:model` may have; None where nobody knows."""
    provider, _, name = model.partition(":")
    if provider == "anthropic":
        return claude.limit(name)  # it is sent where nothing else is
    if provider not in ("openai", "openai-responses", "gemini"):
        return None  # others serve models of the same names by limits of their own
    return next((tokens for pattern, tokens in _LONGEST if pattern.match(name)), None)
