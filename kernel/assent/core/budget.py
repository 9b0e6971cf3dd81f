"""A budget, and what runs have spent of one: values, and the fold that counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_UP, Decimal, InvalidOperation
from typing import Any

from assent.core.events import ENDINGS, Event, Kind

KINDS = ("tokens", "money", "seconds", "calls", "files", "lines")  # what can be limited
PERS = ("run", "agent", "user", "day")
WARN_AT = Decimal("0.8")
EXACT = Decimal("0.000000001")  # dollars, as the journal keeps them
_WORDS = {"calls": ("call", "calls"), "files": ("file", "files"), "lines": ("line", "lines")}

Amounts = Mapping[str, Decimal]  # by one of KINDS; money in US dollars


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be spent: `limits` by one of KINDS, in all that is of the same `per`.

    `per` says what has a budget of its own: each run, each agent, each user, each day (UTC), or a combination of the
    last three. `agent` and `user` narrow it to theirs. `warn_at` is the share of a limit at which to warn. `rule` names
    the line that says so. Budgets never reach beyond a tenant. A `firm` one is the organisation's: one person's waiver
    does not loosen it.
    """

    name: str
    per: tuple[str, ...]
    limits: Amounts
    agent: str = ""
    user: str = ""
    warn_at: Decimal = WARN_AT
    rule: str = ""
    firm: bool = False

    @property
    def own(self) -> bool:
        """Whether each run has one, of which those that its calls start spend too."""
        return "run" in self.per

    @property
    def common(self) -> dict[str, Decimal]:
        """The limits that several runs spend of. A run's time is its own: what its calls start runs within it."""
        return {kind: limit for kind, limit in self.limits.items() if not (self.own and kind == "seconds")}

    def to_json(self) -> dict[str, Any]:
        """As events tell of it."""
        return {"name": self.name, "per": list(self.per), "limits": plainly(self.limits), "warn_at": str(self.warn_at),
                **({"rule": self.rule} if self.rule else {})}  # fmt: skip


def amount(kind: str, value: Any) -> Decimal:
    """A limit from what somebody wrote; `ValueError` where it is none."""
    try:
        number = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
    except InvalidOperation:
        raise ValueError(value) from None
    whole = kind in ("tokens", "calls", "files", "lines")
    if not number.is_finite() or number < 0 or (whole and number != number.to_integral_value()):
        raise ValueError(value)
    if kind == "money" and number != number.quantize(EXACT):
        raise ValueError(value)
    return number


@dataclass(slots=True)
class Meter:
    """What one run has spent, by its events in their order; `add` takes the next one.

    Seconds are those between events at which the run was at work: not waiting for a person, suspended or paused, and
    none before a clock that was set back. A file counts once for a run, however often it is written; a changed line is
    one taken away and one added. `unpriced` are answers whose cost nobody knows.
    """

    tokens: int = 0
    money: Decimal = Decimal(0)
    micros: int = 0
    calls: int = 0
    lines: int = 0
    unpriced: int = 0
    files: set[str] = field(default_factory=set)
    last: Event | None = None

    def add(self, event: Event) -> None:
        if event.kind is Kind.RUN_STARTED:  # also of a fork, which does not pay for what it shares
            self.clear()
        if self.last is not None and _at_work(self.last.kind, event.kind):
            self.micros += max(round((event.at - self.last.at) * 1_000_000), 0)
        self.last = event
        if event.kind is Kind.MODEL_ANSWERED:
            self.tokens += (event.input_tokens or 0) + (event.output_tokens or 0)
            self.money += event.cost or 0
            self.unpriced += event.cost is None
        elif event.kind is Kind.CALL_STARTED:
            self.calls += 1
        elif event.kind is Kind.CALL_FINISHED and (touched := event.body.get("touched")):
            self.files.update(touched.get("files", ()), touched.get("removed", ()))
            self.lines += touched.get("lines", 0)

    def clear(self) -> None:
        """Nothing is spent; the time goes on from the last event."""
        self.tokens = self.micros = self.calls = self.lines = self.unpriced = 0
        self.money, self.files = Decimal(0), set()

    @property
    def spent(self) -> dict[str, Decimal]:
        """All of it, by KINDS."""
        return {kind: self.of(kind) for kind in KINDS}

    def of(self, kind: str) -> Decimal:
        """What is spent of one of KINDS."""
        match kind:
            case "money":
                return self.money
            case "seconds":
                return Decimal(self.micros) / 1_000_000
            case "files":
                return Decimal(len(self.files))
            case _:
                return Decimal(getattr(self, kind))


# After these, and up to those, a run is not at work: it waits for a person, or nobody works on it.
RESTS_AFTER = ENDINGS | {Kind.CALL_DECIDED}
RESTS_BEFORE = frozenset({Kind.RUN_STARTED, Kind.RUN_RESUMED, Kind.RUN_SUSPENDED, Kind.APPROVAL_DECIDED})


def _at_work(before: Kind, after: Kind) -> bool:
    return before not in RESTS_AFTER and after not in RESTS_BEFORE


def plainly(amounts: Amounts) -> dict[str, str]:
    """Amounts as an event holds them: text, for JSON's numbers are not exact."""
    return {kind: f"{value.normalize() + 0:f}" for kind, value in amounts.items()}


def said(kind: str, value: Decimal) -> str:
    """An amount as people read it: $0.50, 1,200 tokens, 3 files."""
    if kind == "money":
        exact = value.quantize(Decimal("0.01")) == value
        return f"${value:,.2f}" if exact else f"${value.quantize(Decimal('0.0001'), ROUND_UP):,.4f}"
    if kind == "seconds":
        return f"{value:,.1f} s" if value < 100 else f"{value:,.0f} s"
    one, many = _WORDS.get(kind, (kind, kind))
    return f"{value:,.0f} {one if value == 1 else many}"
