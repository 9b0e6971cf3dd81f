"""The runs that a session has at work: from a command to a run, and what is left of it."""

import asyncio
import contextlib
import functools
import logging
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from assent.catalog import Catalog, Tools
from assent.core import cargo
from assent.core.commands import ForkRun, ResumeRun, RunCommand, StartRun
from assent.core.errors import AssentError, ConfigError, Conflict, ModelError, NoModel, NotFound, StoreError
from assent.core.events import Event, Kind
from assent.core.ids import new_id, run_of
from assent.core.run_mode import check_run_mode, tightest
from assent.core.taint import Source, Sources, merged, to_json
from assent.core.waiver import Waiver
from assent.history.fork import forked
from assent.history.recordings import Recordings
from assent.history.replay import Replayed, replay
from assent.history.tape import Played
from assent.policy import phase
from assent.policy.facts import Facts
from assent.policy.layers import Layers
from assent.runs import branch, records, stopping
from assent.runs.act import act_of
from assent.runs.carried import of_journal, resolved
from assent.runs.descent import Descent, descent, performer
from assent.runs.entered import Entrance, pictured
from assent.runs.foreseen import Foresee
from assent.runs.live import Live, live_runs
from assent.runs.marks import Marks
from assent.runs.outgoing import Outgoing, carried, rules_of
from assent.runs.output import OutputType, output_type, read, restored
from assent.runs.own_budget import own_budget, purse_of
from assent.runs.pictures import keep_all, shown
from assent.runs.run import ANSWER, Run
from assent.runs.state import State, fold
from assent.runs.stopping import Stop
from assent.runs.taint import answer_of
from assent.runs.whole import of_rules
from assent.store import forget
from assent.store.parcel import as_one_act, unchanged
from assent.store.window import Window
from assent.tools.cut import Whole
from assent.tools.foresee import foresee
from assent.tools.idempotency import WITHIN
from assent.tools.plan import equipped
from assent.tools.variables import VARIABLE

KEPT = 16  # runs whose values a session remembers
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Opening:
    """What a run begins or goes on with: its state after `event`, which is not recorded yet."""

    state: State
    event: Event
    output: OutputType | None
    seen: int = 0  # the number of the last event before
    played: Played | None = None  # what answers in the place of the model
    told: Sequence[Event] = ()  # what a run that goes on has recorded
    since: float = 0.0  # when the run began


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
        self._namespace = namespace
        self._own: set[str] = set()  # the runs at work that this session opened
        self._values: dict[str, Mapping[str, Any]] = {}  # what the calls of the latest runs gave
        self._types: dict[str, Any] = {}  # the types that runs of this session were given, by how they are written

    def open(self, command: RunCommand, *, watched: bool = True) -> Live:
        """Begin a run, or go on with one; `watched` says whether somebody reads its stream."""
        if not self.live:
            self._journal.recover()
        if isinstance(command, StartRun):
            return self._at_work(command, self._begun(command), watched)
        if isinstance(command, ForkRun):
            return self._at_work(command, self._forked(command), watched)
        return as_one_act(lambda: self._at_work(command, self._resumed(command), watched))

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
            with contextlib.suppress(StoreError):
                self._journal.post([state.scope.event(stop.kind, model=state.model or None, body=stop.why())])
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

        def output(state: State) -> OutputType | None:
            return None if state.output is None else restored(state.output, self._names())

        believed = self._catalog.trusted.untrusted
        return await replay(branch.events(self._journal, run), terms, output, self._journal.folder, believed)

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

    def _rules(self, state: State, tools: Tools) -> Facts:
        return phase.under(self._catalog.rules(state.agent, tools, state.scope.user), state.mode)

    def _begun(self, command: StartRun) -> _Opening:
        output = None if command.output_type is None else self._output_type(command.output_type)
        agent = self._catalog.agent_for(command)
        config, asked = self._catalog.config, command.model or agent.model
        replay = command.replay or config.replay
        played = self.recordings.play(replay, asked or config.model, agent.name, command.prompt)
        model = played or self._catalog.model(asked)
        born = descent()
        above, parent = self._above(born, command.parent), born.parent or command.parent
        scope = self._journal.run(parent=parent, agent=agent.name, notebook=command.notebook, cell=command.cell)
        body: dict[str, Any] = {"prompt": command.prompt, "agent": agent.to_json(), **_held(born)}
        check_run_mode(command.mode)
        if (mode := self._mode(command.mode, above)) != "auto":
            body["mode"] = mode
        if taint := self._taint(command, above):
            body["taint"] = to_json(taint)
        body |= own_budget(command.budget)
        if played is not None:
            body["replay"] = str(played.tape.recording.path)
        if output is not None:
            body["output"] = output.to_json(self._names())
        if command.images:
            body["images"] = keep_all(self._journal.folder, command.images, self._namespace())
        told = (*command.told, *pictured(command.images, self._namespace()), *self._around(born, above))
        if carries := self._entrance(self._catalog.policies.layers()).prompt(command.prompt, told):
            body["carries"] = carries.to_json()
        event = scope.event(Kind.RUN_STARTED, model=model.name, body=body)
        return _Opening(fold([event]), event, output, played=played, since=event.at)

    def _above(self, born: Descent, parent: str | None = None) -> list[State]:
        """The runs that start one: those of the calls that it begins within, and the one that is said to."""
        found = [(name, self._known(name)) for name in born.runs]
        if lost := [name for name, state in found if state is None]:
            raise ConfigError(
                f"This is within a call of the run {lost[0]}, which is not in the workspace {self._journal.folder}, so "
                "nobody can tell what that is under: begin the run in the same workspace, and for the same user. If "
                f"you are a person at a shell of your own, unset {WITHIN}."
            )
        said = self._known(parent) if parent and parent not in born.runs else None
        return [state for state in (*[state for _, state in found], said) if state is not None]

    def _known(self, run: str) -> State | None:
        """How a run stands that may be at work, in whichever workspace of this process; else by the journal."""
        live = self.live.get(run)
        if known := live.run if live else performer(run):
            return known.state
        told = branch.events(self._journal, run)
        return fold(told) if told else None

    def _line(self, state: State) -> list[State]:
        """The runs above one, the nearest first."""
        found, name = list[State](), state.scope.parent
        while name and (above := self._known(name)) is not None and above not in found:
            found.append(above)
            name = above.scope.parent
        return found

    def _taint(self, command: StartRun | ForkRun, above: Sequence[State]) -> Sources:
        """What a run has read before it begins: by what its question shows, and by the runs that start it."""
        entering = [Source(VARIABLE, name) for item in command.told for name in (item.name, *item.tables) if name]
        if isinstance(command, StartRun) and command.images:
            entering += shown(command.images, self._namespace())
        return merged(
            *[resolved(source, self.carried) for source in entering],
            *[state.taint for state in above],
        )

    def _mode(self, said: str, above: Sequence[State]) -> str:
        """The tightest of what is said, of the settings, and of the runs that this one is started or gone on from."""
        return tightest(said, self._catalog.config.mode, *[state.mode for state in above])

    def _forked(self, command: ForkRun) -> _Opening:
        told = branch.events(self._journal, records.find(self._journal, command.run))
        origin, born = fold(told), descent()
        above, parent = self._above(born), born.parent or None
        scope = self._journal.run(parent=parent, agent=origin.agent.name, notebook=command.notebook, cell=command.cell)
        replay, asked = self._catalog.config.replay, command.model or origin.model
        model = asked if replay else self._catalog.model(asked).name
        mode = self._mode(origin.mode, above)
        event = forked(told, command, scope, model, equipped(self._catalog.tools_of(origin.agent), mode))
        event.body |= _held(born)
        if mode != "auto":
            event.body["mode"] = mode
        around = (*command.told, *self._around(born, above))
        if carries := self._entrance(self._catalog.policies.layers()).prompt(command.prompt, around):
            event.body["carries"] = carries.to_json()
        if played := self.recordings.play(replay, command.model, origin.agent.name, event.body["prompt"]):
            event.model, event.body["replay"] = played.name, str(played.tape.recording.path)
        if taint := self._taint(command, above):
            event.body["taint"] = to_json(taint)
        state = fold([*branch.shared(told, event), event])
        if state.answered:
            raise ConfigError(
                f"Step {state.step} of the run {origin.run} is its answer, and nothing comes after it: "
                'say what comes next by --prompt "…", or take an earlier step.'
            )
        output = None if state.output is None else restored(state.output, self._names())
        return _Opening(state, event, output, played=played, since=told[0].at)

    def _resumed(self, command: ResumeRun) -> _Opening:
        run = records.find(self._journal, command.run)
        if self.live.at_work(run):
            raise ConfigError(f"The run {run} is at work already; %agent stop {run} stops it.")
        events = branch.events(self._journal, run)
        state = fold(events)
        if state.status == "running" and self._is_elsewhere(events):
            raise ConfigError(f"The run {run} is at work in another kernel; %agent stop {run} stops it.")
        if state.status == "finished":
            raise ConfigError(
                f'The run {run} has finished; there is nothing to resume. %agent fork {run} --prompt "…" asks further.'
            )
        forget.check_whole(events, "resumed")
        played = self.recordings.play_on(self._catalog.config.replay, events, otherwise=bool(command.model))
        model = self._catalog.model(command.model).name if command.model and not played else state.model
        if not command.model and not played:
            self._check_model(state)
        born = descent()
        mode = self._mode(state.mode, self._above(born, state.scope.parent))
        body = {**({"mode": mode} if mode != state.mode else {}), **own_budget(command.budget), **_held(born)}
        event = state.scope.event(Kind.RUN_RESUMED, model=model or None, body=body)
        output = None if state.output is None else restored(state.output, self._names())
        return _Opening(fold([*events, event]), event, output, events[-1].seq, played, events, events[0].at)

    def _check_model(self, state: State) -> None:
        """`NoModel` where the model that a run goes on with is not to be had now."""
        try:
            self._catalog.model(state.model)
        except (ModelError, NotFound) as error:
            raise NoModel(
                f"The run {state.run} goes on with the model {state.model!r}, which is not to be had. {error} "
                f"Or go on with another one: %agent resume {state.run} --model NAME."
            ) from None

    def _is_elsewhere(self, events: Sequence[Event]) -> bool:
        """Whether another process works on a run. One that has died does not: the store has seen to it."""
        begun = next(event for event in reversed(events) if event.kind in (Kind.RUN_STARTED, Kind.RUN_RESUMED))
        return (begun.batch or "").partition(".")[0] != self._journal.house.writer

    def _at_work(self, command: RunCommand, opening: _Opening, watched: bool) -> Live:
        state, event = opening.state, opening.event
        tools, record = equipped(self._catalog.tools_of(state.agent), state.mode), self._catalog.config.record
        recorder = self.recordings.recorder(record) if record and not opening.played else None
        run = Run(
            state=state,
            journal=self._journal,
            model=opening.played or self._catalog.model(state.model),
            tools=tools,
            rules=self._rules(state, tools),
            wait=command.wait,
            on_ask=command.on_ask,
            last=event,
            output=opening.output,
            waivers=self._waivers(state),
            waiving=self._catalog.waivers,
            trusting=self._catalog.trusted,
            lasting=self.live.grants,
            believed=functools.partial(self._catalog.trusted.untrusted, scope=state.scope),
            carried=self.carried,
            foresee=self._foresee(),
        )
        run.entrance = self._entrance(run.rules.layers)
        run.outgoing = Outgoing(rules_of(run.rules.layers), state.cargo, self.marks, run.rules.layers, state.run)
        event.body["session"] = state.session = self.session
        run.above = functools.partial(self._line, state)
        run.purse = purse_of(state, run.rules.layers.of("budget"), [*opening.told, event], run.above())
        self.live.grants.hear(opening.told)
        run.look = lambda: run.rules if self._catalog.is_current(run.rules) else self._rules(state, tools)
        if parent := self.live.get(state.scope.parent or ""):
            run.stopping = parent.run.stopping  # which was heard before it was there to hear it
        live = Live(run, asyncio.get_running_loop(), heard=opening.seen, watched=watched)
        live.callers = descent().runs
        if not self.live.claim(live):
            raise Conflict  # another thread was first to resume it
        self._own.add(state.run)
        try:
            if opening.seen:  # nobody else may resume the run, or answer it, between the look and the start
                self._journal.append([event], unchanged(state.run, opening.seen)).result()
            else:
                self._journal.post([event])
        except AssentError:
            self._forget(state.run)
            raise
        self.recordings.begin(run, opening.played, opening.since, recorder)
        return live

    def whole(self) -> Whole | None:
        """What a question's variables are not cut through, by the rules that hold now."""
        layers = self._catalog.policies.layers()
        return of_rules(rules_of(layers), self._entrance(layers))

    def _entrance(self, layers: Layers) -> Entrance:
        columns = tuple([rule for rule in rules_of(layers) if rule.columns])
        return Entrance(self._namespace, self.marks, layers, columns)

    def _around(self, born: Descent, above: Sequence[State]) -> list[cargo.Source]:
        """What a run may carry that is started by calls which are at work, here or in another process."""
        found = [
            cargo.Source("variable", "its parent", tuple(sorted(carried(state.cargo))), bytes=0)
            for state in above
            if state.cargo and performer(state.run) is None
        ]
        for call in born.calls:
            run = performer(run_of(call))
            if run is not None and (begun := run.state.batch.get(call)) is not None and run.entrance is not None:
                found.append(
                    run.entrance.around(run.tools[begun.tool], act_of(run, begun).forms, carried(run.state.cargo))
                )
        return found

    def _waivers(self, state: State) -> Callable[[], tuple[Waiver, ...]]:
        standing = self._catalog.policies.layers().of("waiver")
        return functools.partial(self._catalog.waivers.of, state.scope, standing)

    def _foresee(self) -> Foresee | None:
        config = self._catalog.config
        return functools.partial(foresee, seconds=config.preview_seconds) if config.preview else None

    def _forget(self, run: str) -> None:
        self.live.pop(run, None)
        self._own.discard(run)

    def _output_type(self, kind: Any) -> OutputType:
        output = output_type(kind, self._names())
        if not isinstance(kind, str) and not output.columns:
            self._types[output.text] = kind  # no name of it need be in the namespace for a resume in this session
        return output

    def _read_again(self, state: State) -> Mapping[str, Any]:
        if state.output is None or state.status != "finished":
            return {}
        try:
            return {ANSWER: read(restored(state.output, self._names()), state.answer)[1]}
        except (NotFound, ConfigError, ValueError):  # the type is not here, or is another one now
            return {}

    def _names(self) -> Mapping[str, Any]:
        """The names that a type may be written with."""
        return {**self._types, **self._namespace()}


def _held(born: Descent) -> dict[str, str]:
    """What the event that begins a run says of a descent that nobody can rule out."""
    if born.held:
        _log.warning("A run of an agent: %s", born.held)
    return {"held": born.held} if born.held else {}
