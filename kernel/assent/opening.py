"""What a run begins or goes on with: from a command to the first event of what it is now."""

import logging
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from assent.catalog import Catalog
from assent.core import cargo
from assent.core.commands import ForkRun, ResumeRun, StartRun
from assent.core.errors import ConfigError, ModelError, NoModel, NotFound
from assent.core.events import Event, Kind
from assent.core.ids import run_of
from assent.core.run_mode import check_run_mode, tightest
from assent.core.taint import Source, Sources, merged, to_json
from assent.history.fork import forked
from assent.history.recordings import Recordings
from assent.history.tape import Played
from assent.policy.layers import Layers
from assent.runs import branch, records
from assent.runs.above import starting
from assent.runs.act import act_of
from assent.runs.carried import Carried, resolved
from assent.runs.descent import Descent, descent, performer
from assent.runs.entered import Entrance, pictured
from assent.runs.live import LiveRuns
from assent.runs.marks import Marks
from assent.runs.outgoing import carried
from assent.runs.output import OutputType, output_type, restored
from assent.runs.own_budget import own_budget
from assent.runs.pictures import keep_all, shown
from assent.runs.state import State, fold
from assent.store import forget
from assent.store.window import Window
from assent.tools.by_hand import by_hand
from assent.tools.plan import equipped
from assent.tools.variables import VARIABLE

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Opening:
    """What a run begins or goes on with: its state after `event`, which is not recorded yet."""

    state: State
    event: Event
    output: OutputType | None
    seen: int = 0  # the number of the last event before
    played: Played | None = None  # what answers in the place of the model
    told: Sequence[Event] = ()  # what a run that goes on has recorded
    since: float = 0.0  # when the run began


@dataclass(frozen=True, slots=True)
class Workplace:
    """What the runs of one session have in common."""

    journal: Window
    catalog: Catalog
    namespace: Callable[[], MutableMapping[str, Any]]
    live: LiveRuns
    recordings: Recordings
    carried: Carried
    marks: Marks
    types: dict[str, Any] = field(default_factory=dict)  # those that runs were given, by how they are written

    def names(self) -> Mapping[str, Any]:
        """The names that a type may be written with."""
        return {**self.types, **self.namespace()}

    def output(self, state: State) -> OutputType | None:
        """The type of a run's answer."""
        return None if state.output is None else restored(state.output, self.names())

    def entrance(self, layers: Layers) -> Entrance:
        """What looks at what enters a conversation under these policies."""
        return Entrance(self.namespace, self.marks, layers)


def begin(place: Workplace, command: StartRun) -> Opening:
    """Of a run that is new."""
    output = None if command.output_type is None else _output_type(place, command.output_type)
    agent = place.catalog.agent_for(command)
    config, asked = place.catalog.config, command.model or agent.model
    replay = command.replay or config.replay
    played = place.recordings.play(replay, asked or config.model, agent.name, command.prompt)
    model = played or place.catalog.model(asked)
    born = descent()
    above, parent = starting(place.journal, place.live, born, command.parent), born.parent or command.parent
    scope = place.journal.run(parent=parent, agent=agent.name, notebook=command.notebook, cell=command.cell)
    body: dict[str, Any] = {"prompt": command.prompt, "agent": agent.to_json(), **_held(born)}
    check_run_mode(command.mode)
    if (mode := _mode(place, command.mode, above)) != "auto":
        body["mode"] = mode
    if taint := _taint(place, command, above):
        body["taint"] = to_json(taint)
    body |= own_budget(command.budget)
    if played is not None:
        body["replay"] = str(played.tape.recording.path)
    if output is not None:
        body["output"] = output.to_json(place.names())
    if command.images:
        body["images"] = keep_all(place.journal.folder, command.images, place.namespace())
    told = (*command.told, *pictured(command.images, place.namespace()), *_around(born, above))
    if carries := place.entrance(place.catalog.policies.layers()).prompt(command.prompt, told):
        body["carries"] = carries.to_json()
    event = scope.event(Kind.RUN_STARTED, model=model.name, body=body)
    return Opening(fold([event]), event, output, played=played, since=event.at)


def fork(place: Workplace, command: ForkRun) -> Opening:
    """Of a run that goes on otherwise from a step of another."""
    told = branch.events(place.journal, records.find(place.journal, command.run))
    origin, born = fold(told), descent()
    above, parent = starting(place.journal, place.live, born), born.parent or None
    scope = place.journal.run(parent=parent, agent=origin.agent.name, notebook=command.notebook, cell=command.cell)
    replay, asked = place.catalog.config.replay, command.model or origin.model
    model = asked if replay else place.catalog.model(asked).name
    mode = _mode(place, origin.mode, above)
    event = forked(told, command, scope, model, equipped(place.catalog.tools_of(origin.agent), mode))
    event.body |= _held(born)
    if mode != "auto":
        event.body["mode"] = mode
    around = (*command.told, *_around(born, above))
    if carries := place.entrance(place.catalog.policies.layers()).prompt(command.prompt, around):
        event.body["carries"] = carries.to_json()
    if played := place.recordings.play(replay, command.model, origin.agent.name, event.body["prompt"]):
        event.model, event.body["replay"] = played.name, str(played.tape.recording.path)
    if taint := _taint(place, command, above):
        event.body["taint"] = to_json(taint)
    state = fold([*branch.shared(told, event), event])
    if state.answered:
        raise ConfigError(
            f"Step {state.step} of the run {origin.run} is its answer, and nothing comes after it: "
            'say what comes next by --prompt "…", or take an earlier step.'
        )
    return Opening(state, event, place.output(state), played=played, since=told[0].at)


def resume(place: Workplace, command: ResumeRun) -> Opening:
    """Of a run that goes on where it stopped."""
    if command.budget is not None:
        by_hand("What a run may spend is a person's to say anew")
    run = records.find(place.journal, command.run)
    if place.live.at_work(run):
        raise ConfigError(f"The run {run} is at work already; %agent stop {run} stops it.")
    events = branch.events(place.journal, run)
    state = fold(events)
    if state.status == "running" and _is_elsewhere(place, events):
        raise ConfigError(f"The run {run} is at work in another kernel; %agent stop {run} stops it.")
    if state.status == "finished":
        raise ConfigError(
            f'The run {run} has finished; there is nothing to resume. %agent fork {run} --prompt "…" asks further.'
        )
    forget.check_whole(events, "resumed")
    played = place.recordings.play_on(place.catalog.config.replay, events, otherwise=bool(command.model))
    model = place.catalog.model(command.model).name if command.model and not played else state.model
    if not command.model and not played:
        _check_model(place, state)
    born = descent()
    mode = _mode(place, state.mode, starting(place.journal, place.live, born, state.scope.parent))
    body = {**({"mode": mode} if mode != state.mode else {}), **own_budget(command.budget), **_held(born)}
    event = state.scope.event(Kind.RUN_RESUMED, model=model or None, body=body)
    return Opening(fold([*events, event]), event, place.output(state), events[-1].seq, played, events, events[0].at)


def _output_type(place: Workplace, kind: Any) -> OutputType:
    output = output_type(kind, place.names())
    if not isinstance(kind, str) and not output.columns:
        place.types[output.text] = kind  # no name of it need be in the namespace for a resume in this session
    return output


def _taint(place: Workplace, command: StartRun | ForkRun, above: Sequence[State]) -> Sources:
    """What a run has read before it begins: by what its question shows, and by the runs that start it."""
    entering = [Source(VARIABLE, name) for item in command.told for name in (item.name, *item.tables) if name]
    if isinstance(command, StartRun) and command.images:
        entering += shown(command.images, place.namespace())
    return merged(
        *[resolved(source, place.carried) for source in entering],
        *[state.taint for state in above],
    )


def _mode(place: Workplace, said: str, above: Sequence[State]) -> str:
    """The tightest of what is said, of the settings, and of the runs that this one is started or gone on from."""
    return tightest(said, place.catalog.config.mode, *[state.mode for state in above])


def _check_model(place: Workplace, state: State) -> None:
    """`NoModel` where the model that a run goes on with is not to be had now."""
    try:
        place.catalog.model(state.model)
    except (ModelError, NotFound) as error:
        raise NoModel(
            f"The run {state.run} goes on with the model {state.model!r}, which is not to be had. {error} "
            f"Or go on with another one: %agent resume {state.run} --model NAME."
        ) from None


def _is_elsewhere(place: Workplace, events: Sequence[Event]) -> bool:
    """Whether another process works on a run. One that has died does not: the store has seen to it."""
    begun = next(event for event in reversed(events) if event.kind in (Kind.RUN_STARTED, Kind.RUN_RESUMED))
    return (begun.batch or "").partition(".")[0] != place.journal.house.writer


def _around(born: Descent, above: Sequence[State]) -> list[cargo.Source]:
    """What a run may carry that is started by calls which are at work, here or in another process."""
    found = [
        cargo.Source("variable", "its parent", tuple(sorted(carried(state.cargo))), bytes=0)
        for state in above
        if state.cargo and performer(state.run) is None
    ]
    for call in born.calls:
        run = performer(run_of(call))
        if run is not None and (begun := run.state.batch.get(call)) is not None and run.entrance is not None:
            found.append(run.entrance.around(run.tools[begun.tool], act_of(run, begun).forms, carried(run.state.cargo)))
    return found


def _held(born: Descent) -> dict[str, str]:
    """What the event that begins a run says of a descent that nobody can rule out."""
    if born.held:
        _log.warning("A run of an agent: %s", born.held)
    return {"held": born.held} if born.held else {}
