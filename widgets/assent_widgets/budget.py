"""The budgets of a run as a bar each, and what befalls them, in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from assent.core.budget import Meter, said
from assent.core.events import Event, Kind
from assent_widgets.escape import plural
from assent_widgets.render import Words

BUDGETS = frozenset({Kind.BUDGET_OPENED, Kind.BUDGET_RESERVED, Kind.BUDGET_WARNED, Kind.BUDGET_WAIVED})
_SIGNS = 10  # of a bar
_TITLES = {
    Kind.BUDGET_WARNED: "The budget {name} comes to its end:",
    Kind.BUDGET_WAIVED: "The budget {name} is waived:",
}


@dataclass(slots=True)
class Bar:
    """One budget as it was told of last, and what the run had spent by then."""

    told: Mapping[str, Any]
    own: Mapping[str, Decimal]

    def text(self, now: Mapping[str, Decimal]) -> str:
        """The limit that is nearest, drawn, and all of them in words."""
        limits = {kind: Decimal(limit) for kind, limit in self.told["limits"].items()}
        spent = {kind: Decimal(self.told["spent"][kind]) + now[kind] - self.own[kind] for kind in limits}
        share = max([spent[kind] / limit if limit else Decimal(1) for kind, limit in limits.items()])
        full = min(int(share * _SIGNS), _SIGNS)
        words = ", ".join([f"{said(kind, spent[kind])} of {said(kind, limit)}" for kind, limit in limits.items()])
        return f"{self.told['name']} {'▰' * full}{'▱' * (_SIGNS - full)} {words}"


@dataclass(slots=True)
class Bars:
    """Folds a run's events; `add` says whether the bars are to be drawn anew."""

    meter: Meter = field(default_factory=Meter)
    bars: dict[str, Bar] = field(default_factory=dict)
    estimate: Mapping[str, Any] = field(default_factory=dict)

    def add(self, event: Event) -> bool:
        self.meter.add(event)
        stopping = event.body.get("budget") if event.kind is Kind.RUN_SUSPENDED else None
        if event.kind is Kind.BUDGET_OPENED:
            self.bars = {told["key"]: Bar(told, self.meter.spent) for told in event.body["budgets"]}
            self.estimate = event.body.get("estimate", {})
        elif told := stopping or (event.body if event.kind in _TITLES else None):
            self.bars[told["key"]] = Bar(told, self.meter.spent)
        return bool(self.bars)

    @property
    def words(self) -> Words:
        now = self.meter.spent
        lines = [bar.text(now) for bar in self.bars.values()]
        return Words("\n".join([*lines, *_estimated(self.estimate)]), "quiet", "Budget:")


def befell(event: Event) -> Words:
    """A line about a warning or a waiver."""
    title = _TITLES[event.kind].format(name=event.body.get("name", ""))
    return Words(f"{event.body.get('text', '')}.", "note", title)


def _estimated(estimate: Mapping[str, Any]) -> list[str]:
    """What the run was thought to cost as it began."""
    first = f"The first request has about {said('tokens', Decimal(estimate.get('tokens', 0)))}"
    first += f", which cost {said('money', Decimal(estimate['least']))}" if "least" in estimate else ""
    past = ""
    if estimate.get("runs") and "median" in estimate:
        median, most = [said("money", Decimal(estimate[name])) for name in ("median", "most")]
        runs = plural(estimate["runs"], "run")
        past = f" Of this agent's last {runs}, half cost up to {median}, nine of ten up to {most}."
    return [f"{first}.{past}"] if estimate else []
