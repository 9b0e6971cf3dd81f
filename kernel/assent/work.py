"""The runs that a session has at work: from their opening to what is left of them."""

import asyncio
import contextlib
import functools
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import replace
from typing import Any

from assent.catalog import Catalog, Tools
from assent.core.commands import ForkRun, RunCommand, StartRun
from assent.core.cut import Whole
from assent.core.errors import AssentError, ConfigError, Conflict, NotFound, StoreError
from assent.core.ids import new_id
from assent.history.recordings import Recordings
from assent.history.replay import Replayed, replay
from assent.opening import Opening, Workplace, begin, fork, resume
from assent.policy import phase
from assent.policy.facts import Facts
from assent.policy.layers import NONE
from assent.policy.loader import Loader
from assent.runs import branch, records, stopping
from assent.runs.above import line
from assent.runs.carried import of_journal
from assent.runs.descent import descent, performer, policies_above
from assent.runs.foreseen import Foresee
from assent.runs.live import Live, live_runs
from assent.runs.marks import Marks
from assent.runs.outgoing import Outgoing, carried
from assent.runs.output import read
from assent.runs.own_budget import purse_of
from assent.runs.run import ANSWER, Run
from assent.runs.state import State
from assent.runs.stopping import Stop
from assent.runs.taint import answer_of
from assent.runs.whole import of_masks
from assent.store.parcel import as_one_act, unchanged
from assent.store.window import Window
from assent.tools.foresee import foresee
from assent.tools.plan import equipped

KEPT = 16  # runs whose values a session remembers


class Work:
    """Opens and retires the runs of one session, and keeps what the latest of them gave.

    `live` holds the runs at work on the journal, whichever session of this process opened them.
    """

    def __init__(self, journal: Window, catalog: Catalog, namespace: Callable[[], MutableMapping[str, Any]]) -> None:
        self.live = live_runs(journal)
        self.session = new_id()  # what is allowed for a session is for runs of this one
        self.recordings = Recordings()
        self.carried = of_journal(journal, lambda: catalog.config.lineage)
        self.marks = Marks(journal, namespace)
        self._journal = journal
        self._catalog = catalog
        self._place = Workplace(journal, catalog, namespace, self.live, self.recordings, self.carried, self.marks)
        self._own: set[str] = set()  # the runs at work that this session opened
        self._values: dict[str, Mapping[str, Any]] = {}  # what the calls of the latest runs gave

    def open(self, command: RunCommand, *, watched: bool = True) -> Live:
        """Begin a run, or go on with one; `watched` says whether somebody reads its stream."""
        if not self.live:
            self._journal.recover()
        if isinstance(command, StartRun):
            return self._at_work(command, begin(self._place, command), watched)
        if isinstance(command, ForkRun):
            return self._at_work(command, fork(self._place, command), watched)
        return as_one_act(lambda: self._at_work(command, resume(self._place, command), watched))

    def leave(self, live: Live) -> None:
        """Until its task has ended a run is at work, whoever lost patience with it: nobody else may resume it."""
        if live.task is None or live.task.done():
            self.retire(live)
        else:
            live.task.add_done_callback(lambda _: self.retire(live))

    def retire(self, live: Live) -> None:
        """The run is at work no more."""
        run = live.run.state.run
        self._forget(run)
        self.recordings.end(live.run, lambda: branch.events(self._journal, run))
        live.let_go()
        self._tell(live)
        state = live.run.state
        if state.status == "cancelled" and live.run.stopping is None:  # an interrupt, which nobody has told of before
            self.live.stop_children(run, None)
        if state.status == "suspended" and (stop := live.run.stopping):  # which was asked for as that was being written
            event = state.scope.event(stop.kind, model=state.model or None, body=stop.why())
            with contextlib.suppress(StoreError):
                self._journal.append([event]).result()  # whoever looks next sees how it stands
        told = (*state.last_calls, *state.batch, ANSWER)
        kept = {name: value for name, value in live.run.values.items() if name in told}
        self._values = dict([*list(self._values.items())[1 - KEPT :], (run, kept)]) if kept else self._values

    def _tell(self, live: Live) -> None:
        """Whoever started a run reads what it says: so the runs that did have read what it has."""
        self.carried.answered(live.run.state.run, answer_of(live.run))
        for name in {*live.callers, live.run.state.scope.parent or ""} - {""}:
            above = self.live.get(name)
            if run := above.run if above else performer(name):
                run.noted += answer_of(live.run)

    def bound(self, name: str, run: str) -> None:
        """The answer of a run is in a variable now: local only, where the run carries what is."""
        layers = self._catalog.policies.layers()
        if self.marks.hold(layers):
            made_of = carried(records.state(self._journal, run).cargo)
            if local := self.marks.local(made_of, layers):
                self.marks.add([name], f"the answer of the run {run}", local)

    def cell(self, body: Mapping[str, Any]) -> None:
        """A cell has run, as CELL_RAN tells: what it made of something local only is, too."""
        try:
            layers = self._catalog.policies.layers()
        except ConfigError:  # nothing runs until it is mended; the marks hold all the same
            layers = NONE
        self.marks.wrote(body["touched"], "a cell", layers)

    def is_here(self, run: str) -> bool:
        """Whether a run that the session may see is at work in this process."""
        live = self.live.get(run)
        return live is not None and self._journal.access.covers(live.run.state.scope) and self.live.at_work(run)

    def end(self, run: str, stop: Stop) -> str:
        """Stop a run and those that it has started, in whichever kernel; its status afterwards."""
        if stop.seconds is not None and not stop.seconds >= 0:
            raise ConfigError(f"{stop.seconds!r} is no number of seconds: give 0 for at once, None for no limit.")
        try:
            asked = stopping.ask(self._journal, self.live, run, stop)
        except StoreError:  # what is at work can be stopped also where nothing can be written any more
            if not self.is_here(run):
                raise
            self.live.stop(run, stop)
            return "running"
        deaf = stopping.await_ends(self._journal, [name for name in asked if not self.is_here(name)])
        if stop.seconds == 0 and deaf:
            raise ConfigError(
                f"The run {deaf[0]} is at work in another kernel, which does not answer. Interrupt or shut down that "
                f"kernel; then %agent resume {deaf[0]} goes on with it."
            )
        status = records.state(self._journal, run).status
        if status == "suspended" and not self.is_here(run):  # the process that was asked has died
            return self.end(run, stop)
        return status

    def stop(self) -> None:
        """Cancel the runs that this session opened."""
        for run in list(self._own):
            self.live.stop(run)

    def goes_on(self) -> bool:
        """Whether a run that this session opened is at work."""
        return any(self.live.at_work(run) for run in list(self._own))

    def values(self, state: State) -> Mapping[str, Any]:
        """What a run's last calls gave, and its answer where that is of a type, as far as it is known here."""
        values = self._values.get(state.run, {})
        return values if ANSWER in values else {**values, **self._read_again(state)}

    async def replay(self, run: str) -> Replayed:
        """Go through a run's recorded events again, by the rules and tools of today."""

        def terms(state: State) -> tuple[Facts, Tools]:
            tools = equipped(self._catalog.tools_of(state.agent), state.mode)
            return self._rules(state, tools), tools

        believed = self._catalog.trusted.untrusted
        return await replay(
            branch.events(self._journal, run), terms, self._place.output, self._journal.folder, believed
        )

    def terms(self, state: State, call: str) -> tuple[Facts, Tools]:
        """The rules and tools that an answer is for: those a run is at work with, else those it would resume with."""
        if self.live.at_work(state.run):
            run = self.live[state.run].run
            return replace(run.rules, waivers=run.waivers(), planned=bool(state.plan)), run.tools
        known = self._catalog.tools()
        own = {name: known[name] for name in state.agent.tool_names if name in known}
        tools = equipped(own, state.mode)
        rules = self._rules(state, tools)
        asked = state.batch.get(call)
        if asked is not None and (state.status == "running" or len(own) < len(state.agent.tool_names)):
            # At work in another process, or to be resumed where its tools are: the rules there are what counts.
            rules = replace(rules, version=asked.policy_version)
        return replace(
            rules, waivers=self._catalog.waivers.of(state.scope, rules.layers.of("waiver")), planned=bool(state.plan)
        ), tools

    def _rules(self, state: State, tools: Tools, under: tuple[Loader, ...] = ()) -> Facts:
        above = [item.agent for item in line(self._journal, self.live, state)]
        return phase.under(self._catalog.rules(state.agent, tools, state.scope.user, above, under), state.mode)

    def _at_work(self, command: RunCommand, opening: Opening, watched: bool) -> Live:
        record = self._catalog.config.record
        recorder = self.recordings.recorder(record) if record and not opening.played else None
        run, event = self._run(command, opening), opening.event
        name = run.state.run
        live = Live(run, asyncio.get_running_loop(), heard=opening.seen, watched=watched)
        live.callers = descent().runs
        if not self.live.claim(live):
            raise Conflict  # another thread was first to resume it
        self._own.add(name)
        try:
            if opening.seen:  # nobody else may resume the run, or answer it, between the look and the start
                self._journal.append([event], unchanged(name, opening.seen)).result()
            else:
                self._journal.post([event])
        except AssentError:
            self._forget(name)
            raise
        self.recordings.begin(run, opening.played, opening.since, recorder)
        return live

    def _run(self, command: RunCommand, opening: Opening) -> Run:
        state, event = opening.state, opening.event
        tools = equipped(self._catalog.tools_of(state.agent), state.mode)
        under = policies_above(self._catalog.policies)
        run = Run(
            state=state,
            journal=self._journal,
            model=opening.played or self._catalog.model(state.model),
            tools=tools,
            rules=self._rules(state, tools, under),
            wait=command.wait,
            on_ask=command.on_ask,
            last=event,
            output=opening.output,
            waiving=self._catalog.waivers,
            trusting=self._catalog.trusted,
            lasting=self.live.grants,
            believed=functools.partial(self._catalog.trusted.untrusted, scope=state.scope),
            carried=self.carried,
            foresee=self._foresee(),
        )
        run.entrance = self._place.entrance(run.rules.layers)
        run.entrance.gave = run.values
        run.outgoing = Outgoing(run.entrance, state.cargo, state.run, state.names)
        event.body["session"] = state.session = self.session
        if remarks := self._catalog.remarks(state.agent.name):
            event.body["remarks"] = remarks
        run.above = functools.partial(line, self._journal, self.live, state)
        run.purse = purse_of(state, run.rules.layers.of("budget"), [*opening.told, event], run.above())
        self.live.grants.hear(opening.told)
        run.under = (self._catalog.policies, *under)
        run.look = lambda: run.rules if self._catalog.is_current(run.rules, under) else self._rules(state, tools, under)
        if parent := self.live.get(state.scope.parent or ""):
            run.stopping = parent.run.stopping  # which was heard before it was there to hear it
        return run

    def whole(self) -> Whole | None:
        """What a question's variables are not cut through, by the rules that hold now."""
        return of_masks(self._place.entrance(self._catalog.policies.layers()))

    def _foresee(self) -> Foresee | None:
        config = self._catalog.config
        return functools.partial(foresee, seconds=config.preview_seconds) if config.preview else None

    def _forget(self, run: str) -> None:
        self.live.pop(run, None)
        self._own.discard(run)

    def _read_again(self, state: State) -> Mapping[str, Any]:
        if state.status != "finished":
            return {}
        try:
            kind = self._place.output(state)
            return {} if kind is None else {ANSWER: read(kind, state.answer)[1]}
        except (NotFound, ConfigError, ValueError):  # the type is not here, or is another one now
            return {}
