"""What an answer costs."""

import sys
from decimal import Decimal

import pytest

from assent.core.model import Usage
from assent.models import prices
from assent.models.prices import cost, per_million, saved


@pytest.mark.parametrize("model", ["local:qwen2.5-coder-1.5b", "scripted:x", "ollama:qwen3:8b"])
def test_ones_own_machine_costs_nothing(model: str) -> None:
    assert cost(model, Usage(1000, 100)) == 0


def test_a_listed_price_counts_cached_tokens_as_cheaper() -> None:
    plain = cost("openai:gpt-5-mini", Usage(1000, 100))
    cached = cost("openai:gpt-5-mini", Usage(1000, 100, cached=500))
    assert plain is not None
    assert cached is not None
    assert Decimal(0) < cached < plain < Decimal("0.01")


@pytest.mark.parametrize("model", ["groq:openai/gpt-oss-120b", "openrouter:openai/gpt-5-mini", "xai:grok-4-fast"])
def test_vendors_go_by_their_name_in_the_list(model: str) -> None:
    assert cost(model, Usage(1000, 100))


@pytest.mark.parametrize(
    ("model", "usage"),
    [
        ("openai:no-such-model", Usage(1000, 100)),
        ("custom:mine", Usage(1000, 100)),
        ("nonsense", Usage(1, 1)),
        ("openai:gpt-5-mini", Usage()),
        ("ollama:big:cloud", Usage(1000, 100)),
    ],
)
def test_nobody_can_say(model: str, usage: Usage) -> None:
    assert cost(model, usage) is None


def test_what_the_vendor_says_it_cost_comes_first() -> None:
    assert cost("openrouter:any", Usage(1, 1, cost=Decimal("0.5"))) == Decimal("0.5")


def test_without_the_price_list_nobody_can_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    assert cost("openai:gpt-5-mini", Usage(1000, 100)) is None


def test_prices_of_a_million_tokens() -> None:
    into, out = per_million("anthropic:claude-sonnet-4-5")
    assert (str(into), str(out)) == ("3", "15")
    assert per_million("ollama:qwen3:8b") == per_million("local:x") == (0, 0)
    assert per_million("custom:mine") == per_million("openai:no-such-model") == (None, None)
    thousand = cost("openai:gpt-5-mini", Usage(1000, 1000))
    assert thousand is not None
    assert sum(price or 0 for price in per_million("openai:gpt-5-mini")) == thousand * 1000


def test_a_round_price_is_written_without_an_exponent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "cost", lambda model, usage: Decimal("0.010"))
    assert [str(price) for price in per_million("any:model")] == ["10", "10"]


def test_what_the_vendors_cache_spared_or_cost() -> None:
    model = "anthropic:claude-haiku-4-5"  # reads its cache at a tenth of the price, and writes it at five quarters
    read, written = Usage(10_000, 0, cached=10_000), Usage(10_000, 0, cache_write=10_000)
    paid, paid_more = cost(model, read), cost(model, written)
    assert paid is not None
    assert paid_more is not None
    assert saved(model, read, paid) == 9 * paid
    assert saved(model, written, paid_more) == -paid_more / 5
    assert saved(model, Usage(10_000, 5), paid) is None
    assert saved("custom:m", read, None) is None
