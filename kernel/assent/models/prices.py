"""What an answer cost, where a price is known."""

from dataclasses import dataclass, replace
from decimal import Decimal

from assent.core.model import Usage

_FREE = frozenset({"local", "scripted"})

_MANY = 1_000  # tokens by which the price of one is found

# Vendors whose name in genai-prices is another one than in our table.
_NAMES = {"moonshot": "moonshotai", "xai": "x-ai", "gemini": "google", "openai-responses": "openai"}


def cost(model: str, usage: Usage) -> Decimal | None:
    """US dollars for one answer of `provider:model`; None where nobody can say."""
    if usage.cost is not None:
        return usage.cost
    provider, _, name = model.partition(":")
    if provider in _FREE or (provider == "ollama" and not name.endswith("cloud")):
        return Decimal(0)
    if usage.input is None or usage.output is None:
        return None
    return _listed(_NAMES.get(provider, provider), name, usage)


@dataclass(frozen=True, slots=True)
class Rates:
    """What a model's answers cost, after up to `tokens` of input: `input` for all of that, `output` for each token."""

    model: str
    tokens: int
    input: Decimal
    output: Decimal

    def price(self, most: int) -> Decimal:
        """Of an answer of so many tokens, at most."""
        return self.input + most * self.output


def rates(model: str, tokens: int) -> Rates | None:
    """The prices after an input of so many tokens; None where nobody knows them."""
    least, more = [cost(model, Usage(tokens, output)) for output in (0, _MANY)]
    return None if least is None or more is None else Rates(model, tokens, least, (more - least) / _MANY)


def saved(model: str, usage: Usage, paid: Decimal | None) -> Decimal | None:
    """US dollars that the vendor's prompt cache spared (less than zero where writing it cost more); None if unknown.

    `paid` is what the answer did cost.
    """
    if paid is None or not (usage.cached or usage.cache_write):
        return None
    uncached = cost(model, replace(usage, cached=0, cache_write=0, cost=None))
    return None if uncached is None else uncached - paid


def per_million(model: str) -> tuple[Decimal | None, Decimal | None]:
    """US dollars for a million tokens in and for a million out, of short requests; None where nobody can say."""
    # Of a thousand, taken a thousand times: some vendors want more for tokens of a long request.
    prices = [cost(model, usage) for usage in (Usage(1000, 0), Usage(0, 1000))]
    into, out = [None if price is None else (1000 * price).normalize() + 0 for price in prices]
    return into, out


def _listed(provider: str, name: str, usage: Usage) -> Decimal | None:
    try:
        import genai_prices  # optional, and 0.1 s to import
    except ImportError:
        return None
    tokens = genai_prices.Usage(
        input_tokens=usage.input,
        output_tokens=usage.output,
        cache_read_tokens=usage.cached or 0,
        cache_write_tokens=usage.cache_write or 0,
    )
    try:
        return genai_prices.calc_price(tokens, name, provider_id=provider).total_price
    except (LookupError, ValueError):
        return None
