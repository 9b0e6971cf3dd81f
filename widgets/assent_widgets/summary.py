"""A run in one line: who, with what model, how far, at what price."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from assent.core.events import Event, Kind
from assent_widgets.budget import BUDGETS
from assent_widgets.escape import clean, escape, plural
from assent_widgets.notices import NOTICES
from assent_widgets.style import AMBER, BLUE, GREEN, HEAD, RED, badge

_STATUSES = {
    Kind.RUN_STARTED: "running",
    Kind.RUN_RESUMED: "running",
    Kind.RUN_SUSPENDED: "suspended",
    Kind.RUN_PAUSED: "paused",
    Kind.RUN_FINISHED: "finished",
    Kind.RUN_CANCELLED: "cancelled",
    Kind.RUN_FAILED: "failed",
}
_COLOURS = {
    "waiting for you": AMBER, "pausing": AMBER, "stopping": AMBER, "suspended": AMBER, "paused": AMBER,
    "finished": GREEN, "cancelled": AMBER, "failed": RED,
}  # fmt: skip
# After these the model has to read before it says a word, which takes a local one seconds.
_READS = frozenset({Kind.RUN_STARTED, Kind.RUN_RESUMED, Kind.CALL_FINISHED, Kind.MODEL_FAILED, *NOTICES})


@dataclass(slots=True)
class Summary:
    """Totals of a run so far. `seconds` is time at work, without the pauses; `since` when the work began last.

    `cell` is where the run was started, `approved_by` who let calls run, in order. `waiting` are the calls that wait
    for a person; `silent` while the model has been asked and says nothing yet; `stopping` is "pausing" or "stopping"
    once somebody has asked for that. `recorded`: it is told without what a replay of the run would tell otherwise.
    """

    run: str = ""
    agent: str = ""
    cell: str | None = None
    model: str = ""
    status: str = "running"
    steps: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None
    unpriced: bool = False
    worked: float = 0.0
    since: float | None = None
    last: float = 0.0
    waiting: set[str] = field(default_factory=set)
    approved_by: dict[str, None] = field(default_factory=dict)
    silent: bool = True
    stopping: str = ""
    mode: str = "auto"  # of the run; it is only said where it is another
    recorded: bool = False

    def add(self, event: Event) -> None:
        """Count one event in."""
        self.run, self.agent = self.run or event.run or "", self.agent or event.agent or ""
        if event.kind is Kind.RUN_STARTED and self.last:
            self._branch()
        self.model = event.model or self.model
        self.cell = self.cell or event.cell
        if event.kind in (Kind.RUN_STARTED, Kind.RUN_RESUMED):
            self.mode = str(event.body.get("mode") or self.mode)
        if event.kind is Kind.RUN_RESUMED and self.since is not None:  # cut off: nobody worked since the last event
            self.worked, self.since = self.seconds, None
        if self.since is None and self.status == "running":
            self.since = event.at
        self.last = max(self.last, event.at)
        if event.kind is Kind.MODEL_ANSWERED:
            self._count(event)
        if event.kind is Kind.APPROVAL_DECIDED and event.decision == "approve":
            self.approved_by[str(event.body.get("by", ""))] = None
        if event.kind is Kind.STOP_REQUESTED:
            self.stopping = "pausing" if event.body.get("then") == "pause" else "stopping"
        elif event.kind not in BUDGETS:
            self.silent = event.kind in _READS
        self._wait(event)
        if status := _STATUSES.get(event.kind):
            self._turn(status, event.at)

    def _branch(self) -> None:
        """What came before is another run's, and was paid for there."""
        self.steps = self.input_tokens = self.output_tokens = 0
        self.cost, self.unpriced, self.worked, self.since, self.last = None, False, 0.0, None, 0.0
        self.waiting.clear()

    @property
    def state(self) -> str:
        """The status, and of a running run what it is at."""
        if self.status != "running":
            return self.status
        if self.stopping:
            return self.stopping
        if self.waiting:
            return "waiting for you"
        return "waiting for the model" if self.silent else "running"

    @property
    def seconds(self) -> float:
        return self.elapsed(self.last)

    def elapsed(self, now: float) -> float:
        """Seconds at work until `now`."""
        return self.worked + (max(0.0, now - self.since) if self.since is not None else 0.0)

    def to_json(self) -> dict[str, Any]:
        return {
            "run": self.run, "agent": self.agent, "model": self.model, "status": self.status, "steps": self.steps,
            "input_tokens": self.input_tokens, "output_tokens": self.output_tokens,
            "cost": None if self.cost is None else f"{self.cost.normalize():f}", "seconds": round(self.seconds, 3),
        }  # fmt: skip

    def _wait(self, event: Event) -> None:
        if event.kind is Kind.CALL_DECIDED and event.decision == "ask":
            self.waiting.add(event.call or "")
        elif event.kind in (Kind.CALL_DECIDED, Kind.CALL_STARTED, Kind.CALL_FINISHED) or (
            event.kind is Kind.APPROVAL_DECIDED and not event.body.get("missing")
        ):
            self.waiting.discard(event.call or "")

    def _count(self, event: Event) -> None:
        self.steps += 1
        self.input_tokens += event.input_tokens or 0
        self.output_tokens += event.output_tokens or 0
        if event.cost is None:
            self.unpriced = True
        else:
            self.cost = (self.cost or Decimal(0)) + event.cost

    def _turn(self, status: str, at: float) -> None:
        if status == "running":
            self.since = at if self.since is None else self.since
        elif self.since is not None:
            self.worked, self.since = self.worked + (at - self.since), None
        self.status, self.stopping = status, ""


def summary_html(summary: Summary) -> str:
    """The header line. The class names let the live view tick, and say that its kernel is gone."""
    who = f"<strong>{escape(summary.agent or 'agent')}</strong>"
    mode = [badge(escape(summary.mode), AMBER)] if summary.mode != "auto" else []
    model = [f"<span>{escape(summary.model)}</span>"] if summary.model and not summary.recorded else []
    state = f'<span class="assent-state">{badge(escape(summary.state), _COLOURS.get(summary.state, BLUE))}</span>'
    counts = [escape(item) for item in _counts(summary)]
    seconds = [] if summary.recorded else [f'<span class="assent-seconds">{summary.seconds:.1f} s</span>']
    return f'<div style="{HEAD}">{" · ".join([who, state, *mode, *model, *counts, *seconds])}</div>'


def summary_text(summary: Summary) -> str:
    """The same in plain text, with the run's id."""
    mode = [summary.mode] if summary.mode != "auto" else []
    items = [summary.agent or "agent", summary.state, *mode, "" if summary.recorded else summary.model]
    items += _counts(summary)
    items += [] if summary.recorded else [f"{summary.seconds:.1f} s", f"run {summary.run}"]
    return clean(" · ".join([item for item in items if item]))


def _money(cost: Decimal) -> str:
    """US dollars, as exact as a person wants them."""
    if 0 < cost < Decimal("0.0001"):
        return "< $0.0001"
    return f"${cost:,.4f}" if 0 < cost < 1 else f"${cost:,.2f}"


def _counts(summary: Summary) -> list[str]:
    out = [plural(summary.steps, "step")] if summary.steps else []
    if summary.recorded:
        return [*out, "recorded"]
    if summary.input_tokens or summary.output_tokens:
        out.append(f"{summary.input_tokens:,} in / {summary.output_tokens:,} out tokens")
    if summary.cost is not None:
        out.append(("≥ " if summary.unpriced else "") + _money(summary.cost))
    return out
