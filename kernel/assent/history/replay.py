"""A run once more, by today's code and rules, with the answers and results that are recorded: no model, no effect."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assent.core.commands import Decide, OnAsk
from assent.core.errors import ModelError, NotFound
from assent.core.events import ENDINGS, Event, Kind, Scope
from assent.core.grant import Grant
from assent.core.messages import from_json
from assent.core.model import Answer, Delta, Request
from assent.core.taint import Sources
from assent.core.taint import from_json as from_taint
from assent.history.essence import essence, excerpts, in_order
from assent.history.known import given
from assent.models.wrappers.cache import FREE
from assent.policy.facts import Facts
from assent.runs.lasting import Register
from assent.runs.loop import DEFECT, drive
from assent.runs.output import OutputType
from assent.runs.run import Run
from assent.runs.state import State, fold
from assent.store import cut_off
from assent.store.forget import check_whole
from assent.store.parcel import Guard
from assent.tools.proposal import Proposal
from assent.tools.tool import Output, Tool

_TURNS = frozenset({Kind.MODEL_ANSWERED, Kind.MODEL_FAILED})
_DECIDED = frozenset({Kind.RUN_FINISHED, Kind.RUN_FAILED})  # ends that are the run's own doing


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a replay: how many events and steps were gone through, and the first `difference` in words, or "".

    `rules` tells that tools or rules are others than then; where there is no difference, they decided the same.
    """

    run: str
    events: int
    steps: int
    difference: str = ""
    rules: bool = False

    def __str__(self) -> str:
        if self.difference:
            return self.difference
        others = " The tools or rules are others than then, and decided the same." if self.rules else ""
        return f"identical: {self.events} events, {self.steps} steps.{others}"


@dataclass(frozen=True, slots=True)
class Stint:
    """A run from its start or a resume to where it stopped. `before` is all that was recorded until then.

    `cut` tells that it was stopped from outside, at a moment that nothing in the run decides.
    """

    before: Sequence[Event]
    events: Sequence[Event]
    cut: bool


class Memory:
    """The few things that a run wants of a journal, in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[Event] = []

    def post(self, events: Sequence[Event]) -> None:
        self.events += events

    def committed(self, events: Sequence[Event]) -> asyncio.Future[None]:
        self.post(events)
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        written.set_result(None)
        return written

    def append(self, events: Sequence[Event], guard: Guard | None = None) -> Future[None]:
        self.post(events)
        written: Future[None] = Future()
        written.set_result(None)
        return written


async def replay(
    events: Sequence[Event],
    terms: Callable[[State], tuple[Facts, Mapping[str, Tool[Any, Any]]]],
    output: Callable[[State], OutputType | None],
    folder: Path,
    believed: Callable[[Sources, Scope], Sources] = lambda taint, _: taint,
) -> Replayed:
    """Go through a run's events again and compare.

    `terms` gives the rules and tools of an agent as they are today, `output` the type that answers are held to, and
    `believed` what of a taint nobody vouches for today. Each
    stint begins where the record says that it began. Where it was stopped from outside it is compared up to there.
    """
    check_whole(events, "gone through again")
    seen, steps, rules = 0, 0, False
    for stint in stints(events):
        state = fold(stint.before)
        facts, tools = terms(state)
        made = await _again(stint, state, facts, tools, output(state), folder, believed)
        then, now = in_order(stint.events), in_order(made)
        if stint.cut:
            then, now = _up_to_the_cut(then, now)
        rules = rules or any(event.body.get("policy_version", facts.version) != facts.version for event in then)
        for place, (old, new) in enumerate(_pairs(then, now)):
            if old is None or new is None or essence(old) != essence(new):
                return Replayed(state.run, seen + place, steps, _difference(seen + place + 1, old, new), rules)
            steps += old.kind is Kind.MODEL_ANSWERED
        seen += len(then)
    return Replayed(fold(events).run, seen, steps, "", rules)


def stints(events: Sequence[Event]) -> list[Stint]:
    """The stints of a run: what people said while it stood still belongs to what was before the next."""
    if not events or events[0].kind is not Kind.RUN_STARTED:
        raise NotFound("There is no such run.")
    own = max(place for place, event in enumerate(events) if event.kind is Kind.RUN_STARTED)  # a fork's stand behind
    openings = [own, *[place for place in range(own, len(events)) if events[place].kind is Kind.RUN_RESUMED]]
    found = []
    for begin, end in zip(openings, [*openings[1:], len(events)], strict=True):
        within = list(events[begin + 1 : end])
        stop = next((place for place, event in enumerate(within) if event.kind in ENDINGS), None)
        within = within if stop is None else within[: stop + 1]
        found.append(Stint(events[: begin + 1], within, not _ended_itself(events[: begin + 1], within)))
    return found


def _ended_itself(before: Sequence[Event], within: Sequence[Event]) -> bool:
    last = within[-1] if within else before[-1]
    if last.kind is Kind.RUN_SUSPENDED:
        return last.body.get("reason") != cut_off.REASON and bool(fold([*before, *within]).waiting)
    return last.kind in _DECIDED and not str(last.body.get("error", "")).startswith(DEFECT)


async def _again(
    stint: Stint, state: State, rules: Facts, tools: Mapping[str, Tool[Any, Any]], output: OutputType | None,
    folder: Path, believed: Callable[[Sources, Scope], Sources],
) -> list[Event]:  # fmt: skip
    memory: Any = Memory(folder)
    for call in state.batch.values():
        if not any(event.kind is Kind.APPROVAL_EXPIRED and event.call == call.id for event in stint.events):
            call.until = None  # its time was not over then
    run = Run(
        state=state, journal=memory, model=_Said(stint, state.model), tools=tools, rules=rules, wait=0.0,
        on_ask=_on_ask(stint), last=stint.before[-1], output=output, act=_gave(stint), answered=_heard(stint),
        inform=_informed(stint), lasting=_lasting(stint, state), believed=lambda taint: believed(taint, state.scope),
    )  # fmt: skip
    await drive(run)
    return list(memory.events)


def _lasting(stint: Stint, state: State) -> Register:
    """What was allowed for more than one call: by answers in this run before, and in others of its session."""
    register = Register()
    register.hear(stint.before)
    told = [*stint.before, *stint.events]
    own = {event.body["id"] for event in told if event.kind is Kind.GRANT_GIVEN}
    for event in told:
        name = event.body.get("grant") if event.kind is Kind.CALL_DECIDED else None
        if name and name not in own:
            body = {"id": name, "policy_version": event.body["policy_version"], "by": ""}
            register.hear([state.scope.event(Kind.GRANT_GIVEN, tool=event.tool, body=body)])
    return register


class _Said:
    """A model that says what was said in a stint, turn by turn."""

    def __init__(self, stint: Stint, name: str) -> None:
        self.name = name
        self._turns = [event for event in stint.events if event.kind in _TURNS]
        self._cut = stint.cut

    async def stream(self, request: Request) -> AsyncIterator[Delta | Answer]:
        if not self._turns:
            if self._cut:
                raise asyncio.CancelledError
            raise ModelError("The model is asked for a turn that is not recorded.")
        turn = self._turns.pop(0)
        if turn.kind is Kind.MODEL_FAILED:
            raise ModelError(turn.body["error"])
        yield Answer(from_json(turn.body["message"]), FREE, turn.body.get("stop", "stop"), by=turn.model or "")


def _gave(stint: Stint) -> Callable[..., Any]:
    """Instead of `tools.execute`: no tool is run, its recorded result is given."""
    results = {event.call: event.body for event in stint.events if event.kind is Kind.CALL_FINISHED}

    async def act(
        tool: Tool[Any, Any], call: str, arguments: Mapping[str, Any], grant: Grant, seconds: float
    ) -> Output:
        grant.redeem(call, tool.name, arguments)
        if body := results.get(call):
            proposals = tuple([Proposal(**item) for item in body.get("proposals", ())])
            return Output(body["text"], error=body["error"], sources=from_taint(body.get("taint")), proposals=proposals)
        if stint.cut:
            for _ in stint.events:
                await asyncio.sleep(0)  # the calls beside it that did end give their results first
            raise asyncio.CancelledError
        return Output("The call has no recorded result.", error=True)

    return act


def _informed(stint: Stint) -> Callable[..., Any]:
    """Instead of `runs.gather`: what the checks of a call were told then, as often as it was decided."""
    told: dict[str | None, list[Mapping[str, Any]]] = {}
    for event in stint.events:
        if event.kind is Kind.CALL_DECIDED and "known" in event.body:
            told.setdefault(event.call, []).append(event.body["known"])

    async def inform(*_: Any, call: str, **__: Any) -> Mapping[str, Any] | None:
        left = told.get(call)
        return left.pop(0) if left else None

    return inform


def _heard(stint: Stint) -> Callable[[Run, list[Event]], list[Event]]:
    """What people answered during the stint, as often as it asks."""
    answers = [event for event in stint.events if event.kind is Kind.APPROVAL_DECIDED]

    def answered(run: Run, decided: list[Event]) -> list[Event]:
        # They were proved when they were given, and here nothing is run.
        return given(run, decided, lambda call: [_command(event) for event in answers if event.call == call.id], _were)

    return answered


def _were(name: str, passphrase: str) -> bool:
    return True


def _command(event: Event) -> Decide:
    body = event.body
    return Decide(
        event.call or "", "reject" if event.decision == "reject" else "approve", body.get("by", ""),
        body.get("reason", ""), body.get("arguments"), body.get("scope", "once"), body.get("outcome"),
    )  # fmt: skip


def _on_ask(stint: Stint) -> OnAsk:
    """Whether calls that nobody answered were denied; else the run was suspended, or it did not come to that."""
    asked = {event.call for event in stint.events if event.kind is Kind.CALL_DECIDED and event.decision == "ask"}
    asked |= {call.id for call in fold(stint.before).waiting}
    later = (Kind.APPROVAL_DECIDED, Kind.CALL_STARTED)
    open_ones = asked - {event.call for event in stint.events if event.kind in later}
    denied = any(event.call in open_ones for event in stint.events if event.kind is Kind.CALL_FINISHED)
    return "deny" if denied else "suspend"


def _up_to_the_cut(then: list[Event], now: list[Event]) -> tuple[list[Event], list[Event]]:
    """Without the end, and what was done again only because nobody stopped it there."""
    then = [event for event in then if event.kind not in ENDINGS]
    reached = {(event.kind, event.call, event.step) for event in then}
    return then, [event for event in now if (event.kind, event.call, event.step) in reached]


def _pairs(then: list[Event], now: list[Event]) -> list[tuple[Event | None, Event | None]]:
    length = max(len(then), len(now))
    pad: list[Event | None] = [None]
    return list(zip(then + pad * (length - len(then)), now + pad * (length - len(now)), strict=True))


def _difference(number: int, then: Event | None, now: Event | None) -> str:
    step = (then or now or Event(kind=Kind.RUN_FAILED)).step
    head = f"The first difference is event {number}" + (f", in step {step}" if step else "")
    if then is None or now is None or (then.kind, then.call) != (now.kind, now.call):
        return f"{head}:\n  then  {_said(then)}\n  now   {_said(now)}"
    old, new = essence(then) or {}, essence(now) or {}
    name = next(name for name in old if old[name] != new[name])
    was, is_now = excerpts(old[name], new[name])
    return f"{head}, {_titled(then)}: its {name}\n  then  {was}\n  now   {is_now}"


def _titled(event: Event) -> str:
    return f"{event.kind.value} of {event.tool} ({event.call})" if event.call else event.kind.value


def _said(event: Event | None) -> str:
    if event is None:
        return "nothing more"
    body = event.body
    text = body.get("text") or body.get("error") or body.get("reason") or body.get("arguments")
    decision = f" {event.decision}" if event.decision else ""
    return f"{_titled(event)}{decision}" + (f": {excerpts(text, text)[0]}" if text else "")
