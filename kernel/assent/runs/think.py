"""One model step: ask, stream, record the answer."""

import functools
import time
from dataclasses import replace
from typing import Any

from assent.core import messages
from assent.core.errors import ModelError
from assent.core.events import Event, Kind, Progress
from assent.core.ids import call_id
from assent.core.messages import Message, Part, ToolCall
from assent.core.model import Answer, Destination, Notice, Request, Sent, TextDelta
from assent.models.prices import cost, saved
from assent.models.wrappers.wrapped import asked
from assent.runs.outgoing import Outgoing
from assent.runs.run import Run
from assent.runs.state import State


async def think(run: Run) -> None:
    """Ask the model for its next turn and record it; a failure is recorded and raised as `ModelError`."""
    step = run.state.step + 1
    began = time.perf_counter()
    try:
        answer = await _answer(run, _request(run, step), step)
    except ModelError as error:
        body = {"error": str(error)} | _asked_here(run)
        run.record(run.event(Kind.MODEL_FAILED, step=step, model=run.model.name, body=body))
        raise
    run.record(_answered(run, answer, step, time.perf_counter() - began))
    run.said.clear()


def _request(run: Run, step: int) -> Request:
    agent = run.state.agent
    return Request(
        messages=run.state.messages,
        tools=[tool.spec for tool in run.tools.values()],
        temperature=agent.temperature,
        max_tokens=run.bound,
        output=run.output.schema if run.output else None,
        effort=agent.effort,
        agent=agent.name,
        priority=agent.priority,
        loading=functools.partial(_loaded, run, run.outgoing, step) if run.outgoing else None,
    )


async def _answer(run: Run, request: Request, step: int) -> Answer:
    answer: Answer | None = None
    run.said.clear()
    async with asked(run.model, request) as items:  # closed at once, too, where a notice cannot be recorded
        async for item in items:
            if isinstance(item, Answer):
                answer = item
            elif isinstance(item, Notice) and item.kind is not None:
                if item.restart:
                    run.said.clear()
                run.record(_noted(run, item, item.kind, step))
            else:
                if isinstance(item, TextDelta):
                    run.said.append(item.text)
                run.emit(Progress(run.state.run, step, item))
    if answer is None:
        raise ModelError(f"The model {run.model.name} ended its stream without an answer. Resume the run to ask again.")
    return answer


def _noted(run: Run, notice: Notice, kind: Kind, step: int) -> Event:
    body: dict[str, Any] = {"reason": notice.reason, **({"restart": True} if notice.restart else {}), **notice.details}
    return run.event(kind, step=step, model=notice.model, duration=notice.seconds, body=body)


def _answered(run: Run, answer: Answer, step: int, seconds: float) -> Event:
    usage, model = answer.usage, answer.by or run.model.name
    message = _with_ids(answer.message, run.state)
    paid = cost(model, usage)
    body = {"message": messages.to_json(message), "stop": answer.stop}
    known = {"bound": _cut(run, answer), "cache_write": usage.cache_write, "saved": saved(model, usage, paid)}
    return run.event(
        Kind.MODEL_ANSWERED,
        step=step,
        model=model,
        input_tokens=usage.input,
        output_tokens=usage.output,
        cached_tokens=usage.cached,
        reasoning_tokens=usage.reasoning,
        cost=paid,
        duration=seconds,
        body=body | {name: value for name, value in known.items() if value} | _asked_here(run),
    )


def _cut(run: Run, answer: Answer) -> int | None:
    """The bound of a budget that has cut off an answer; one that is far shorter met a limit of the model's own."""
    if answer.stop != "length" or run.bound is None or run.bound == run.state.agent.max_tokens:
        return None
    return run.bound if answer.usage.output is None or 2 * answer.usage.output >= run.bound else None


def _loaded(run: Run, outgoing: Outgoing, step: int, request: Request, to: Destination) -> Sent:
    """What is to be sent, told to the journal before it is, where it leaves the machine; else with what comes of it.

    By the policy of this moment: whoever has tightened it meanwhile expects that nothing more leaves.
    """
    run.renew()
    sent = outgoing.load(request, to)
    if to.local:
        run.asked.append({"model": to.model, **sent.account})
    else:
        run.record(run.event(Kind.MODEL_ASKED, step=step, model=to.model, body=dict(sent.account)))
    return sent


def _asked_here(run: Run) -> dict[str, Any]:
    """What models on this machine were asked with, for the event that tells how it ended."""
    asked, run.asked = run.asked, []
    return {"asked": asked} if asked else {}


def _with_ids(message: Message, state: State) -> Message:
    """Every call needs an id of its own within the conversation; what a model left out or doubled is made up for."""
    seen: set[str] = set()
    ordinal = state.calls
    parts: list[Part] = []
    for part in message.parts:
        if isinstance(part, ToolCall):
            ordinal += 1
            if not part.id.isprintable() or part.id in {"", *seen} or part.id in state.ids:
                part = replace(part, id=call_id(state.run, ordinal))
            seen.add(part.id)
        parts.append(part)
    return replace(message, parts=tuple(parts), encoded={})
