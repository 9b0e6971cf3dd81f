"""What a run may still spend of each budget that it is under."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from assent.core.budget import EXACT, Budget, Meter, plainly, said
from assent.core.clock import CLOCK
from assent.core.events import Event, Kind, Scope
from assent.models.prices import Rates
from assent.runs.pool import DAY, Part, in_journal, part_of

SHARE = 16  # a run reserves this part of what is left, or what it needs next where that is more
QUARTER = 4  # and never more than this part for an answer that may become longer than it is reckoned
_NONE = Decimal(0)
_SPENDING = frozenset({Kind.MODEL_ANSWERED, Kind.CALL_STARTED, Kind.CALL_FINISHED})


@dataclass(slots=True)
class Pot:
    """One budget as one run has it. `until` is how far the run may go on its own: the limit, or what it has reserved.

    `of` is the run that is under it: this one, or one above it. `others` is what all other runs had spent or reserved
    when the run last looked.
    """

    budget: Budget
    of: Scope
    above: bool = False
    meter: Meter = field(default_factory=Meter)
    until: dict[str, Decimal] = field(default_factory=dict)
    others: dict[str, Decimal] = field(default_factory=dict)
    part: Part | None = None  # None where no other run spends of it
    day: float = 0.0
    warned: bool = False
    waived: set[str] = field(default_factory=set)  # the waivers that were told of

    @property
    def key(self) -> str:
        return self.part.key if self.part else self.budget.name

    @property
    def spent(self) -> dict[str, Decimal]:
        """By all runs, as far as this one knows."""
        return {kind: self.meter.of(kind) + self.others.get(kind, _NONE) for kind in self.budget.limits}

    def add(self, event: Event) -> None:
        """Count one more event of the run; on another day it begins anew."""
        if "day" in self.budget.per and event.at >= self.day + DAY:
            self.begin(event.at)
        self.meter.add(event)
        if event.kind is Kind.BUDGET_WARNED and event.body.get("key") == self.key:
            self.warned = True

    def begin(self, now: float) -> None:
        """Count for the day of `now`, of which nothing is reserved yet."""
        self.day = now - now % DAY
        self.meter.clear()
        self.others, self.warned = {}, False
        self.until = {kind: limit for kind, limit in self.budget.limits.items() if kind not in self.budget.common}
        self.part = part_of(self.budget, self.of, self.day) if self.budget.common else None

    def lacks(self, need: Mapping[str, Decimal]) -> bool:
        """Whether the run may not go on by `need` without looking at what others have."""
        own, until = self.meter.of, self.until
        return any(own(kind) + need.get(kind, _NONE) > until.get(kind, -1) for kind in self.budget.limits)

    def short_of(self, need: Mapping[str, Decimal]) -> str:
        """Which limit does not cover `need`, by what is known of others; "" where all do."""
        spent = self.spent
        limits = self.budget.limits
        return next((kind for kind in limits if spent[kind] + need.get(kind, _NONE) > limits[kind]), "")

    @property
    def left(self) -> dict[str, Decimal]:
        """What the run may spend on its own, without a waiver."""
        return {kind: self.until.get(kind, _NONE) - self.meter.of(kind) for kind in self.budget.limits}

    def wanted(self, need: Mapping[str, Decimal], wish: Mapping[str, Decimal]) -> dict[str, Decimal]:
        """How far the run is to go next: a share of what is left, at least by `need`.

        And by twice its `wish`, so that the next steps need not ask again, where that is no more than a quarter.
        """
        spent = self.spent
        return {
            kind: self.meter.of(kind)
            + max(
                need.get(kind, _NONE),
                _share(kind, limit - spent[kind]),
                min(2 * wish.get(kind, _NONE), _share(kind, limit - spent[kind], QUARTER)),
            )
            for kind, limit in self.budget.common.items()
        }

    def reserved(self, wanted: Mapping[str, Decimal]) -> dict[str, Any]:
        """The body of the event that reserves."""
        until = {kind: in_journal(kind, value) for kind, value in wanted.items()}
        return {"budget": self.budget.name, "key": self.key, "until": until}

    def told(self) -> dict[str, Any]:
        """The budget and what is spent of it, for events."""
        others = {kind: self.others.get(kind, _NONE) for kind in self.budget.limits}
        named = {"name": f"{self.budget.name} of the run {self.of.run}"} if self.above else {}
        known = {"key": self.key, "spent": plainly(self.spent), "others": plainly(others)}
        return {**self.budget.to_json(), **named, **known}

    def warning(self) -> dict[str, Any]:
        """The body of the event that says, once, that the budget comes to its end."""
        kind = nearly(self)
        self.warned = True
        text = f"{said(kind, self.spent[kind])} spent of {said(kind, self.budget.limits[kind])}"
        return {**self.told(), "kind": kind, "text": text}


def _share(kind: str, left: Decimal, of: int = SHARE) -> Decimal:
    part = max(left, _NONE) / of
    return part.quantize(EXACT, "ROUND_DOWN") if kind in ("money", "seconds") else part // 1


@dataclass(slots=True)
class Purse:
    """The pots of one run, fed with its events in their order.

    `counted` is how many tokens the conversation had up to the last answer, 0 where nobody has counted them; `largest`
    the most tokens that an answer had, and `dearest` the most that one cost, if that is known of any. An answer that a
    budget has `cut` would have had more.
    """

    pots: Sequence[Pot]
    counted: int = 0
    largest: int = 0
    priced: Rates | None = None  # what answers cost, as it was looked up last
    dearest: Decimal | None = None
    cut: int = 0  # where the last answer was, in tokens; 0 where it was not

    def hear(self, event: Event) -> list[Pot]:
        """Count an event; the pots that it brings to their warning, each once."""
        self._measure(event)
        for pot in self.pots:
            pot.add(event)
        if event.kind not in _SPENDING:
            return []
        return [pot for pot in self.pots if not pot.warned and nearly(pot)]

    def recall(self, events: Iterable[Event]) -> None:
        """Count what the run has done so far, of which a pot of this day has what is of this day."""
        now = CLOCK.now()
        for pot in self.pots:
            pot.begin(now)
        for event in events:
            self._measure(event)
            for pot in self.pots:
                if "day" not in pot.budget.per or event.at >= pot.day:
                    pot.add(event)

    def _measure(self, event: Event) -> None:
        if event.kind is Kind.MODEL_ANSWERED:
            self.counted = (event.input_tokens or 0) + (event.output_tokens or 0) if event.input_tokens else 0
            self.cut = event.body.get("bound", 0) if event.body.get("stop") == "length" else 0
            self.learn(max(event.output_tokens or 0, 2 * self.cut), event.cost)

    def learn(self, tokens: int, cost: Decimal | None) -> None:
        """An answer may have so many tokens, and cost so much."""
        self.largest = max(self.largest, tokens)
        self.dearest = cost if self.dearest is None else max(self.dearest, cost or self.dearest)


def purse(pots: Sequence[Pot], events: Iterable[Event]) -> Purse | None:
    """The purse of a run of which `events` were told so far; None where no budget is its."""
    if not pots:
        return None
    made = Purse(pots)
    made.recall(events)
    return made


def pots_of(budgets: Iterable[Budget], scope: Scope) -> list[Pot]:
    """One for each of the budgets that a run of `scope` is under."""
    return [Pot(budget, scope) for budget in budgets if is_for(budget, scope)]


def pots_above(budgets: Iterable[Budget], scope: Scope) -> list[Pot]:
    """One for each of the budgets that a run which started this one has for itself and for all below it."""
    found = [budget for budget in budgets if budget.own and budget.common and is_for(budget, scope)]
    return [Pot(replace(budget, limits=budget.common), scope, above=True) for budget in found]


def is_for(budget: Budget, scope: Scope) -> bool:
    """Whether runs of `scope` are under a budget."""
    return budget.agent in ("", scope.agent) and budget.user in ("", scope.user)


def nearly(pot: Pot) -> str:
    """Which limit has come to the share at which to warn; "" where none has."""
    spent, share = pot.spent, pot.budget.warn_at
    return next((kind for kind, limit in pot.budget.limits.items() if limit and spent[kind] >= share * limit), "")
