"""A run at work: its state, and everything that it may touch while it works."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from assent.core.commands import OnAsk
from assent.core.events import Event, Kind, Progress
from assent.core.model import Model
from assent.core.waiver import Waiver
from assent.policy.facts import Facts
from assent.runs.mailbox import Mailbox
from assent.runs.output import OutputType
from assent.runs.state import State, apply
from assent.runs.stopping import Stop
from assent.store.window import Window
from assent.tools.execute import execute
from assent.tools.tool import Output, Tool

ANSWER = ""  # where `Run.values` keeps the answer's own value; no call is called so


@dataclass(slots=True)
class Run:
    """Owned by one event loop. `answers` brings what people decided, already in the journal; `wait` is in seconds."""

    state: State
    journal: Window
    model: Model
    tools: Mapping[str, Tool[Any, Any]]
    rules: Facts
    wait: float
    on_ask: OnAsk
    last: Event  # what was recorded last, on the disk or on its way to it
    output: OutputType | None = None
    emit: Callable[[Progress], None] = lambda _: None  # whoever shows the run listens here
    answers: Mailbox[Event] = field(default_factory=Mailbox)
    values: dict[str, Any] = field(default_factory=dict)  # what calls gave to Python, by call id; under ANSWER, it
    said: list[str] = field(default_factory=list)  # what the model has said of the answer that it is at
    stopping: Stop | None = None  # somebody wants it to end: nothing more is begun
    ending: asyncio.Future[None] | None = None  # the run's last event, on its way to the disk
    act: Callable[..., Awaitable[Output]] = execute  # a replay gives what is recorded instead, and runs no tool
    waivers: Callable[[], tuple[Waiver, ...]] = tuple  # those that hold for it now; they end by themselves
    answered: Callable[["Run", list[Event]], list[Event]] = lambda _, decided: []  # a recording's answers to what asks

    @property
    def facts(self) -> Facts:
        """The rules, with what people have allowed for this run under them; under other rules it must be asked anew."""
        allowed = frozenset([tool for tool, version in self.state.allowed if version == self.rules.version])
        waivers = self.waivers()
        return replace(self.rules, allowed=allowed, waivers=waivers) if allowed or waivers else self.rules

    def event(self, kind: Kind, **columns: Any) -> Event:
        return self.state.scope.event(kind, **columns)

    def record(self, *events: Event) -> None:
        """Apply events and queue them for the journal without waiting for the disk."""
        self.journal.post(events)
        for event in events:
            self.last = event
            apply(self.state, event)

    async def commit(self, *events: Event) -> None:
        """Apply events once they are on disk."""
        written = self.journal.committed(events)
        self.last = events[-1]
        await written
        for event in events:
            apply(self.state, event)
