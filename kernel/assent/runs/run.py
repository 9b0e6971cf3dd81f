"""A run at work: its state, and everything that it may touch while it works."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from assent.core.commands import OnAsk
from assent.core.events import Event, Kind, Progress
from assent.core.model import Model
from assent.core.preview import Preview
from assent.core.reading import Reading
from assent.core.taint import Source, Sources
from assent.core.waiver import Waiver
from assent.policy.facts import Facts
from assent.policy.layers import NONE, Layers
from assent.policy.loader import Loader
from assent.runs.carried import Carried
from assent.runs.entered import Entrance
from assent.runs.gather import gather
from assent.runs.lasting import Lasting, Register
from assent.runs.mailbox import Mailbox
from assent.runs.outgoing import Outgoing
from assent.runs.output import OutputType
from assent.runs.purse import Purse
from assent.runs.state import State, apply
from assent.runs.stopping import Stop
from assent.runs.trusted import Trusted
from assent.runs.waivers import Waivers
from assent.store.parcel import Guard
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
    answers: Mailbox[Event | None] = field(default_factory=Mailbox)  # None: nobody is there to answer
    values: dict[str, Any] = field(default_factory=dict)  # what calls gave to Python, by call id; under ANSWER, it
    outgoing: Outgoing | None = None  # what it sends to models; a replay sends nothing
    entrance: Entrance | None = None  # what enters its conversation
    asked: list[Mapping[str, Any]] = field(default_factory=list)  # what models on this machine were, at this step
    said: list[str] = field(default_factory=list)  # what the model has said of the answer that it is at
    stopping: Stop | None = None  # somebody wants it to end: nothing more is begun
    ending: asyncio.Future[None] | None = None  # the run's last event, on its way to the disk
    look: Callable[[], Facts] | None = None  # the rules that hold by now; ConfigError where a policy file is broken
    under: tuple[Loader, ...] = ()  # whose policies hold for it: its session's, and those by whose calls it was begun
    known: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # what risk checks were told last, by call id
    readings: dict[str, Reading] = field(default_factory=dict)  # how tools read the arguments of calls, by call id
    inform: Callable[..., Awaitable[Mapping[str, Any] | None]] = gather  # a replay tells what is recorded
    act: Callable[..., Awaitable[Output]] = execute  # a replay gives what is recorded instead, and runs no tool
    foresee: Callable[[Tool[Any, Any], Mapping[str, Any]], Awaitable[Preview]] | None = None  # what a call would do
    answered: Callable[["Run", list[Event]], list[Event]] = lambda _, decided: []  # a recording's answers to what asks
    purse: Purse | None = None  # what it may still spend, where it is under a budget
    bound: int | None = None  # how many tokens the model's next answer may have
    budgeted: Layers = NONE  # the policy whose budgets these are
    waiving: Waivers | None = None  # where `waivers` come from; a replay asks nobody
    trusting: Trusted | None = None  # where `believed` comes from
    above: Callable[[], Sequence[State]] = tuple  # the runs that have started it, the nearest first
    believed: Callable[[Sources], Sources] = lambda taint: taint  # those sources that nobody vouches for
    carried: Carried = field(default_factory=Carried)  # what variables and files carry of such
    noted: list[Source] = field(default_factory=list)  # what runs that its calls started have brought it
    lasting: Register = field(default_factory=Register)  # what people have allowed for more than one call

    def given(self) -> Mapping[str, Lasting]:
        """What people have allowed for this run or its session, by tool; under other rules it must be asked anew."""
        return self.lasting.given(self.state.scope, self.state.session, self.rules.version)

    def waivers(self) -> tuple[Waiver, ...]:
        """Those that hold for it now; they end by themselves, by a person, or with their line of the policy."""
        if self.waiving is None:
            return ()
        return self.waiving.of(self.state.scope, self.rules.layers.of("waiver"))

    @property
    def facts(self) -> Facts:
        """The rules, with what people have allowed for this run under them."""
        allowed = frozenset(self.given())
        waivers, planned = self.waivers(), bool(self.state.plan)
        taint = self.believed(self.state.taint) if self.state.taint else ()
        if not (allowed or waivers or planned or taint):
            return self.rules
        return replace(self.rules, allowed=allowed, waivers=waivers, planned=planned, taint=taint)

    def renew(self) -> bool:
        """Take the rules that hold by now, and the masks and marks; whether the rules are others than before."""
        before = self.rules
        self.rules = self.look() if self.look else before
        if self.entrance is not None:
            self.entrance.renew(self.rules.layers)
        return self.rules is not before

    def event(self, kind: Kind, **columns: Any) -> Event:
        return self.state.scope.event(kind, **columns)

    def record(self, *events: Event) -> None:
        """Apply events and queue them for the journal without waiting for the disk."""
        self.journal.post(events)
        for event in events:
            self.last = event
            apply(self.state, event)
        self.lasting.hear(events)
        self.count(*events)

    async def commit(self, *events: Event, guard: Guard | None = None) -> None:
        """Apply events once they are on disk; `Conflict` if the `guard` says no."""
        if guard is None:
            written = self.journal.committed(events)
        else:
            written = asyncio.wrap_future(self.journal.append(events, guard))
        self.last = events[-1]
        await written
        for event in events:
            apply(self.state, event)
        self.lasting.hear(events)
        self.count(*events)

    def count(self, *events: Event) -> None:
        """What they cost counts; the first that brings a budget near its end is followed by a warning."""
        if self.purse is None:
            return
        for event in events:
            for pot in self.purse.hear(event):
                self.record(self.event(Kind.BUDGET_WARNED, step=event.step, body=pot.warning()))
