"""A run's state is a fold over its events: the live loop and a resume after a crash use the same `apply`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from assent.core import agent as agents
from assent.core import messages
from assent.core.agent import Agent
from assent.core.approval import Pending
from assent.core.errors import NotFound
from assent.core.events import Event, Kind, Scope
from assent.core.ids import call_id
from assent.core.messages import Image, Message, ToolCall, ToolResult
from assent.policy.decide import Approval
from assent.policy.verdict import Notes


@dataclass(slots=True)
class CallState:
    """One call of the present batch, from proposal to result."""

    id: str
    step: int
    proposed: ToolCall
    tool: str
    privilege: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    decision: str = ""  # policy's: allow, ask, deny
    policy_version: str = ""  # of the rules under which it was decided
    asks: str = ""
    rule: str = ""  # the line of a policy that decided it
    notes: Notes = ()
    asked_at: float = 0.0
    approvers: int = 1
    grantable: bool = True
    approvals: list[Approval] = field(default_factory=list)
    verdict: str = ""  # the person's: approve, reject, happened
    said: str = ""  # the person's reason, or what did happen
    unknown: bool = False  # began, and nobody recorded how it ended
    started: bool = False
    elsewhere: bool = False  # it began in the run that this one is a fork of
    result: ToolResult | None = None

    @property
    def waits(self) -> bool:
        return self.decision == "ask" and not self.verdict and self.result is None


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
    batch: dict[str, CallState] = field(default_factory=dict)
    calls: int = 0
    ids: set[str] = field(default_factory=set)  # what models have called their calls
    step: int = 0
    budget: int = 0  # model calls left before the step limit
    allowed: frozenset[tuple[str, str]] = frozenset()  # tools allowed for the run, each with the rules' version
    last_calls: tuple[str, ...] = ()  # the calls of the batch that was settled last
    answer: str = ""
    output: Mapping[str, Any] | None = None  # the type of the answer, as `runs.output` writes it
    stop: str = ""  # why the model's last turn ended
    then: str = ""  # what the person says once the present batch is settled
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
    state.output = event.body.get("output")
    images = [Image(**item) for item in event.body.get("images", ())]
    state.messages = [messages.system(agent.instructions), messages.user(event.body["prompt"], *images)]
    return state


def _scope(event: Event) -> Scope:
    return Scope(event.run, event.parent, event.agent, event.user, event.notebook, event.cell, event.tenant)


def _forked(state: State, event: Event) -> None:
    """What was told so far is shared with another run (`runs.branch`); no approval of that run is good in this one."""
    state.scope = _scope(event)
    state.model = event.model or state.model
    state.budget, state.refused, state.allowed = state.agent.max_steps, 0, frozenset()
    for call in state.batch.values():
        if call.result is None and (call.started or call.unknown):
            call.started, call.elsewhere, call.unknown = True, True, False
            call.verdict, call.approvals = "", []
    state.then = event.body["fork"].get("prompt", state.then)
    _go_on(state)


def _go_on(state: State) -> None:
    """Let the person say what they have to say, once no call waits for its result."""
    if state.then and not state.batch:
        state.messages.append(messages.user(state.then))
        state.then = ""


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
            arguments=call.arguments, why=state.why, asks=call.asks, notebook=scope.notebook, cell=scope.cell,
            at=call.asked_at, grantable=call.grantable and not call.unknown, unknown=call.unknown,
            approvers=call.approvers, approved_by=tuple(item.by for item in call.approvals),
            rule=call.rule, notes=call.notes,
        )
        for call in state.waiting
    ]  # fmt: skip


def _answered(state: State, event: Event) -> None:
    message = messages.from_json(event.body["message"])
    state.messages.append(message)
    state.step = event.step or state.step + 1
    state.stop = event.body.get("stop", "")
    state.budget -= 1
    for proposed in message.calls:
        state.ids.add(proposed.id)
        state.calls += 1
        name = call_id(state.run, state.calls)
        state.batch[name] = CallState(name, state.step, proposed, proposed.name)


def _refused(state: State, event: Event) -> None:
    state.messages.append(messages.user(event.body["text"]))
    state.refused += 1


def _decided(state: State, event: Event) -> None:
    call = state.batch[event.call or ""]
    body = event.body
    call.privilege, call.decision = event.privilege, event.decision or "deny"
    call.arguments = body.get("arguments") or {}
    call.policy_version = body.get("policy_version", "")
    call.asks, call.asked_at = body.get("reason", ""), event.at
    call.rule, call.notes = body.get("rule", ""), tuple([(label, text) for label, text in body.get("notes", ())])
    call.approvers, call.grantable = body.get("approvers", 1), body.get("grantable", True)
    call.unknown = body.get("unknown", False)
    call.verdict, call.approvals, call.started = "", [], False


def _answered_by_person(state: State, event: Event) -> None:
    call = state.batch[event.call or ""]
    body = event.body
    if event.decision != "approve":
        call.verdict, call.said = event.decision or "reject", body.get("outcome") or body.get("reason", "")
        return
    if body.get("arguments") is not None:
        call.arguments = body["arguments"]
        call.approvals = []  # an edit is another act: earlier voices were for the old one
    call.approvals.append(Approval(body["by"], body["digest"], body["policy_version"]))
    if len({item.by for item in call.approvals}) >= call.approvers:
        call.verdict = "approve"
    if body.get("scope") == "run" and call.grantable:
        state.allowed |= {(call.tool, body["policy_version"])}


def _started(state: State, event: Event) -> None:
    call = state.batch[event.call or ""]
    call.started, call.unknown = True, False  # begun anew: if this, too, is cut off, it is asked about again
    call.elsewhere = False


def _finished(state: State, event: Event) -> None:
    call = state.batch[event.call or ""]
    call.result = ToolResult(call.proposed.id, call.proposed.name, event.body["text"], event.body["error"])
    if all(item.result for item in state.batch.values()):
        parts = [item.result for item in state.batch.values() if item.result]
        state.messages.append(messages.results(parts))
        state.last_calls = tuple(state.batch)
        state.batch = {}
        _go_on(state)


def _resumed(state: State, event: Event) -> None:
    state.status, state.reason, state.partial = "running", "", ""
    state.model = event.model or state.model
    state.budget, state.refused = state.agent.max_steps, 0


def _ended(status: str) -> Callable[[State, Event], None]:
    def handler(state: State, event: Event) -> None:
        state.status = status
        state.reason = event.body.get("reason") or event.body.get("error") or ""
        state.answer = event.body.get("text", state.answer)
        state.partial = event.body.get("partial", "")

    return handler


_HANDLERS: Mapping[Kind, Callable[[State, Event], None]] = {
    Kind.RUN_STARTED: _forked,
    Kind.MODEL_ANSWERED: _answered,
    Kind.ANSWER_REFUSED: _refused,
    Kind.CALL_DECIDED: _decided,
    Kind.APPROVAL_DECIDED: _answered_by_person,
    Kind.CALL_STARTED: _started,
    Kind.CALL_FINISHED: _finished,
    Kind.RUN_RESUMED: _resumed,
    Kind.RUN_SUSPENDED: _ended("suspended"),
    Kind.RUN_PAUSED: _ended("paused"),
    Kind.RUN_FINISHED: _ended("finished"),
    Kind.RUN_CANCELLED: _ended("cancelled"),
    Kind.RUN_FAILED: _ended("failed"),
}
