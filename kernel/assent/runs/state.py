"""A run's state is a fold over its events: the live loop and a resume after a crash use the same `apply`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from assent.core import agent as agents
from assent.core import messages
from assent.core import preview as previews
from assent.core.agent import Agent
from assent.core.approval import Pending
from assent.core.cargo import EMPTY, Cargo
from assent.core.cargo import from_json as cargo_from_json
from assent.core.errors import NotFound
from assent.core.events import Event, Kind, Scope
from assent.core.ids import call_id, proposal_id, proposer
from assent.core.messages import Image, Message, ToolCall, ToolResult
from assent.core.run_mode import PLAN, tightest
from assent.core.taint import Sources, merged
from assent.core.taint import from_json as taint_from_json
from assent.policy.decide import Approval
from assent.policy.phase import TOLD
from assent.runs.call_state import OUTCOME, CallState
from assent.runs.outcome import carried, told, written

READ = ("read", "bound", "changed", "deleted", "maybe")  # how code may have had a variable's value


@dataclass(slots=True)
class State:
    """Where a run stands. Only `apply` changes it."""

    scope: Scope
    agent: Agent
    prompt: str
    model: str = ""
    status: str = "running"
    reason: str = ""
    partial: str = ""  # what the model had said of an answer that a stop cut off
    messages: list[Message] = field(default_factory=list)
    cargo: dict[int, tuple[Cargo, ...]] = field(default_factory=dict)  # what they carry, by their number
    names: set[str] = field(default_factory=set)  # the variables that its calls have read or written
    batch: dict[str, CallState] = field(default_factory=dict)
    calls: int = 0
    ids: set[str] = field(default_factory=set)  # what models have called their calls
    step: int = 0
    budget: int = 0  # model calls left before the step limit
    session: str = ""  # the one that it is at work in, or was last
    taint: Sources = ()  # where what it has read came from, as far as others may have written it
    last_calls: tuple[str, ...] = ()  # the calls of the batch that was settled last
    answer: str = ""
    output: Mapping[str, Any] | None = None  # the type of the answer, as `runs.output` writes it
    stop: str = ""  # why the model's last turn ended
    cut: int = 0  # where a budget has cut off the model's last turn, in tokens
    mode: str = "auto"
    plan: tuple[str, ...] = ()  # of a strict run: the steps that a person has approved
    undone: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)  # of a dry run: tools and arguments
    then: str = ""  # what the person says once the present batch is settled
    then_carries: Cargo = EMPTY
    money: Decimal | None = None  # the run's own budget in US dollars
    over: bool = False  # a budget stopped it
    refused: int = 0  # answers since the run was last begun or resumed that did not fit the type

    @property
    def run(self) -> str:
        return self.scope.run or ""

    @property
    def waiting(self) -> list[CallState]:
        return [call for call in self.batch.values() if call.waits]

    @property
    def answered(self) -> bool:
        """Whether the model has given its final answer; what it is worth has yet to be said."""
        return not self.batch and self.messages[-1].role == "assistant"

    @property
    def why(self) -> str:
        """What the agent said as it proposed the present batch."""
        said = next((item for item in reversed(self.messages) if item.role == "assistant"), None)
        return (said.text.strip() or said.reasoning.strip()) if said else ""


def fold(events: Iterable[Event]) -> State:
    """The state after `events`, which begin with RUN_STARTED."""
    iterator = iter(events)
    first = next(iterator, None)
    if first is None or first.kind is not Kind.RUN_STARTED:
        raise NotFound("There is no such run.")
    state = begin(first)
    for event in iterator:
        apply(state, event)
    return state


def begin(event: Event) -> State:
    """The state of a run that has just started."""
    agent = agents.from_json(event.body["agent"])
    state = State(_scope(event), agent, event.body["prompt"], model=event.model or "", budget=agent.max_steps)
    state.output, state.session = event.body.get("output"), event.body.get("session", "")
    images = [Image(**item) for item in event.body.get("images", ())]
    state.mode, state.taint = event.body.get("mode", "auto"), taint_from_json(event.body.get("taint"))
    state.money = _dollars(event)
    told = "\n\n".join([agent.instructions, *([TOLD[state.mode]] if state.mode in TOLD else [])])
    state.messages = [messages.system(told), messages.user(event.body["prompt"], *images)]
    if carries := event.body.get("carries"):
        state.cargo[1] = (cargo_from_json(carries),)
    return state


def _scope(event: Event) -> Scope:
    return Scope(event.run, event.parent, event.agent, event.user, event.notebook, event.cell, event.tenant)


def _forked(state: State, event: Event) -> None:
    """What was told so far is shared with another run (`runs.branch`); no approval of that run is good in this one."""
    state.scope = _scope(event)
    state.model = event.model or state.model
    state.session = event.body.get("session", "")
    _read(state, event)
    state.budget, state.refused = state.agent.max_steps, 0
    state.mode, state.plan = tightest(state.mode, event.body.get("mode", "")), ()
    for call in state.batch.values():
        if call.result is None and (call.started or call.unknown):
            call.started, call.elsewhere, call.unknown = True, True, False
            call.verdict, call.approvals = "", []
    state.then = event.body["fork"].get("prompt", state.then)
    state.then_carries = cargo_from_json(event.body.get("carries"))
    _go_on(state)


def _go_on(state: State) -> None:
    """Let the person say what they have to say, once no call waits for its result."""
    if state.then and not state.batch:
        state.messages.append(messages.user(state.then))
        if state.then_carries:
            state.cargo[len(state.messages) - 1] = (state.then_carries,)
        state.then, state.then_carries = "", EMPTY


def apply(state: State, event: Event) -> None:
    """Change `state` by one event."""
    if handler := _HANDLERS.get(event.kind):
        handler(state, event)


def pending(state: State) -> list[Pending]:
    """The calls that wait for a person, as every card and list shows them."""
    scope = state.scope
    return [
        Pending(
            call=call.id, run=state.run, agent=scope.agent or "", tool=call.tool, privilege=call.privilege or "",
            arguments=call.arguments, gets=call.gets, why=call.why or state.why, asks=call.asks,
            notebook=scope.notebook, cell=scope.cell, at=call.asked_at,
            grantable=call.grantable and not call.unknown, unknown=call.unknown,
            approvers=call.approvers, approved_by=tuple(sorted(call.voices)),
            rule=call.rule, notes=call.notes, who=call.who, until=call.until,
            preview=call.preview,
        )
        for call in state.waiting
    ]  # fmt: skip


def _answered(state: State, event: Event) -> None:
    message = messages.from_json(event.body["message"])
    state.messages.append(message)
    state.step = event.step or state.step + 1
    state.stop = event.body.get("stop", "")
    state.cut = event.body.get("bound", 0)
    state.budget -= 1
    for proposed in message.calls:
        state.ids.add(proposed.id)
        state.calls += 1
        name = call_id(state.run, state.calls)
        state.batch[name] = CallState(name, state.step, proposed, proposed.name)


def _refused(state: State, event: Event) -> None:
    state.messages.append(messages.user(event.body["text"]))
    state.refused += not state.cut
    state.cut = 0


def _decided(state: State, event: Event) -> None:
    call = state.batch[event.call or ""]
    body = event.body
    call.privilege, call.decision = event.privilege, event.decision or "deny"
    call.arguments = body.get("arguments") or {}
    call.gets, call.bound = body.get("gets"), body.get("bound", "")
    call.policy_version = body.get("policy_version", "")
    call.asks, call.asked_at = body.get("reason", ""), event.at
    call.rule, call.notes = body.get("rule", ""), tuple([(label, text) for label, text in body.get("notes", ())])
    call.preview = previews.from_json(body["preview"]) if "preview" in body else None
    call.heard_at, call.until, call.expired = event.at, body.get("until"), False
    call.approvers, call.grantable = body.get("approvers", 1), body.get("grantable", True)
    call.who, call.grant = tuple(body.get("who", ())), body.get("grant", "")
    call.unknown, call.dry = body.get("unknown", False), body.get("dry", "")
    call.verdict, call.approvals, call.started = "", [], False


def _answered_by_person(state: State, event: Event) -> None:
    call = state.batch[event.call or ""]
    body, call.heard_at = event.body, max(call.heard_at, event.at)
    if event.decision != "approve":
        call.verdict, call.said = event.decision or "reject", body.get("outcome") or body.get("reason", "")
        return
    if body.get("arguments") is not None:
        call.arguments, call.edited = body["arguments"], True
        call.gets, call.bound = body.get("gets"), body.get("bound", "")
        call.preview = replace(call.preview, outdated=True) if call.preview else None
        call.approvals = []  # an edit is another act: earlier voices were for the old one
    proved = body.get("proved", False)
    bound = body.get("bound", "")
    call.approvals.append(Approval(body["by"], body["digest"], body["policy_version"], proved, bound))
    if len(call.voices) >= call.approvers:
        call.verdict = "approve"


def _expired(state: State, event: Event) -> None:
    call = state.batch[event.call or ""]
    call.expired = call.waits  # an answer that was written before came in time


def _started(state: State, event: Event) -> None:
    call = state.batch[event.call or ""]
    call.started, call.unknown = True, False  # begun anew: if this, too, is cut off, it is asked about again
    call.elsewhere = False


def _finished(state: State, event: Event) -> None:
    call = state.batch[event.call or ""]
    _read(state, event)
    call.result = ToolResult(call.proposed.id, call.proposed.name, event.body["text"], event.body["error"])
    call.carries = cargo_from_json(event.body.get("carries"))
    touched = event.body.get("touched", {})
    state.names.update(event.body.get("read", ()), *[touched.get(how, ()) for how in READ])
    call.short = event.body.get("short", OUTCOME)
    if call.dry:
        state.undone.append((call.tool, call.arguments))
    if state.mode == "strict" and call.tool == PLAN and call.verdict == "approve" and not call.result.error:
        state.plan = tuple(call.arguments.get("steps", ()))
    for number, item in enumerate(event.body.get("proposals", ()), 1):
        name = proposal_id(call.id, number)
        wanted = ToolCall(name, item["tool"], written(item["arguments"]))
        proposed = CallState(name, call.step, wanted, item["tool"], why=item["why"])
        proposed.asked_with = cargo_from_json(item.get("carries"))
        state.batch[name] = proposed
    if all(item.result for item in state.batch.values()):
        parts = [told(item, state.batch) for item in state.batch.values() if not proposer(item.id)]
        read = [part for part in parts if part]
        state.messages.append(messages.results(read))
        if any(item.carries for item in state.batch.values()):
            mine = [item for item in state.batch.values() if not proposer(item.id) and item.result]
            cargo = [carried(item, state.batch, part.text) for item, part in zip(mine, read, strict=True)]
            state.cargo[len(state.messages) - 1] = tuple(cargo)
        state.last_calls = tuple(state.batch)
        state.batch = {}
        _go_on(state)


def _read(state: State, event: Event) -> None:
    if taint := event.body.get("taint"):
        state.taint = merged(state.taint, taint_from_json(taint))


def _reserved(state: State, event: Event) -> None:
    if call := state.batch.get(event.body["reservation"]):
        call.reserved = event if event.kind is Kind.RISK_RESERVED else None


def _resumed(state: State, event: Event) -> None:
    state.mode = tightest(state.mode, event.body.get("mode", ""))
    state.status, state.reason, state.partial = "running", "", ""
    state.money, state.over = _dollars(event, state.money), False
    state.session = event.body.get("session", "")
    state.model = event.model or state.model
    state.budget, state.refused = state.agent.max_steps, 0


def _dollars(event: Event, otherwise: Decimal | None = None) -> Decimal | None:
    return Decimal(event.body["budget"]) if "budget" in event.body else otherwise


def _ended(status: str) -> Callable[[State, Event], None]:
    def handler(state: State, event: Event) -> None:
        state.status = status
        state.reason = event.body.get("reason") or event.body.get("error") or ""
        state.answer = event.body.get("text", state.answer)
        state.partial = event.body.get("partial", "")
        state.over = "budget" in event.body

    return handler


_HANDLERS: Mapping[Kind, Callable[[State, Event], None]] = {
    Kind.RUN_STARTED: _forked,
    Kind.MODEL_ANSWERED: _answered,
    Kind.ANSWER_REFUSED: _refused,
    Kind.CALL_DECIDED: _decided,
    Kind.APPROVAL_DECIDED: _answered_by_person,
    Kind.APPROVAL_EXPIRED: _expired,
    Kind.CALL_STARTED: _started,
    Kind.CALL_FINISHED: _finished,
    Kind.RISK_RESERVED: _reserved,
    Kind.RISK_COMMITTED: _reserved,
    Kind.RISK_ROLLED_BACK: _reserved,
    Kind.RUN_RESUMED: _resumed,
    Kind.RUN_SUSPENDED: _ended("suspended"),
    Kind.RUN_PAUSED: _ended("paused"),
    Kind.RUN_FINISHED: _ended("finished"),
    Kind.RUN_CANCELLED: _ended("cancelled"),
    Kind.RUN_FAILED: _ended("failed"),
}
