"""The loop: think, decide the whole batch, wait for people, act in parallel, observe, until there is an answer."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine
from typing import Any

from assent.core.errors import AssentError, OverBudget, StoreError
from assent.core.events import Kind
from assent.core.secrets import hide
from assent.core.words import words
from assent.runs.accept import accept, again
from assent.runs.afford import afford_answer, afford_calls, open_budgets
from assent.runs.expiry import expired, left, overdue
from assent.runs.foreseen import foresee_batch
from assent.runs.hold import learn, told
from assent.runs.pictures import load
from assent.runs.propose import by_person, decide_batch, unanswered
from assent.runs.records import INTERRUPTED
from assent.runs.run import Run
from assent.runs.state import apply
from assent.runs.step import perform
from assent.runs.stopping import Stop
from assent.runs.think import think

DEFECT = "Assent itself failed"
_log = logging.getLogger(__name__)


async def drive(run: Run) -> None:
    """Take a run from where its state stands to its end, which is recorded and on disk when this returns.

    The end is finished, suspended, failed, paused or cancelled; the latter where the task is cancelled and nobody has
    asked for anything else. Only `StoreError` gets out.
    """
    try:
        await _advance(run)
    except asyncio.CancelledError:
        await _stop(run, run.stopping or Stop("cancel", INTERRUPTED))
    except StoreError:
        raise
    except OverBudget as error:
        await _end(run, Kind.RUN_SUSPENDED, reason=str(error), budget=error.told)
    except AssentError as error:
        await _end(run, Kind.RUN_FAILED, error=str(error))
    except Exception as error:
        _log.exception("The run %s met a defect.", run.state.run)
        said = hide(f"{type(error).__name__}: {words(error)}")
        await _end(run, Kind.RUN_FAILED, error=f"{DEFECT}: {said}")


async def _advance(run: Run) -> None:
    state, calm = run.state, _cancelling()
    load(run)
    await open_budgets(run)
    while True:
        if run.stopping is not None and not state.answered:  # what is whole already is rather finished
            await _stop(run, run.stopping)
            return
        if state.batch:
            if not await _settle(run, calm):
                return
        elif state.answered and state.cut:
            run.record(again(run))
        elif state.answered:
            if (text := accept(run)) is not None:
                await _end(run, Kind.RUN_FINISHED, text=text)
                return
        elif state.budget <= 0:
            steps = state.agent.max_steps
            raise AssentError(f"There is no answer after {steps} steps. Resume the run for as many more.")
        else:
            await afford_answer(run)
            await think(run)


async def _settle(run: Run, calm: int) -> bool:
    """Bring every call of the batch to a result; False if the run was suspended instead.

    `calm` is how often the task had been cancelled before the run began in it.
    """
    run.renew()
    await learn(run)
    events = decide_batch(run)
    events += run.answered(run, events)  # with their questions, so that nobody can answer in between
    if any(event.decision == "ask" for event in events):
        await foresee_batch(run, events)
        await run.commit(*events)  # what a card shows must be there for whoever answers it
    else:
        await foresee_batch(run, events)
        run.record(*events)
    if run.state.waiting:
        if not await _hear(run):
            return False
        if run.renew():
            return True  # a policy file has changed meanwhile: what was answered under it is decided anew
    if run.stopping is not None:
        return True
    for call in list(run.state.batch.values()):
        if call.verdict in ("reject", "happened") and call.result is None:
            run.record(by_person(run, call), *told(call))
    open_calls = [call for call in run.state.batch.values() if call.result is None]
    affordable, short = await afford_calls(run, open_calls)
    await _together([perform(run, call) for call in affordable], run.state.agent.parallel)
    if _cancelling() > calm:
        raise asyncio.CancelledError  # a tool survived it; its result is recorded, and nothing comes after
    if short is not None:
        raise short
    return True


def _cancelling() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


async def _hear(run: Run) -> bool:
    """Wait, within bounds, until every question of the batch is answered; False once the run is suspended."""
    if run.on_ask == "deny":
        for call in run.state.waiting:
            run.record(unanswered(run, call))
        return True
    deadline = time.monotonic() + (run.wait if run.on_ask == "wait" else 0)
    while run.state.waiting and run.stopping is None:
        patience, until = deadline - time.monotonic(), left(run.state)
        try:
            async with asyncio.timeout(max(min(patience, patience if until is None else until), 0)):
                event = await run.answers.get()
        except TimeoutError:
            await _suspend(run, _unheard(run))
            return False
        if event is None:
            await _suspend(run, "nobody answers here")
            return False
        if event.call in [call.id for call in run.state.waiting]:  # none that the run has recorded itself
            apply(run.state, event)
            run.count(event)
        if overdue(run.state):
            await _suspend(run, _unheard(run))
            return False
    return True


def _unheard(run: Run) -> str:
    return f"nobody answered within {run.wait:g} s" if run.on_ask == "wait" else "nobody can be asked here"


async def _suspend(run: Run, cause: str) -> None:
    run.record(*[expired(run.state, call) for call in overdue(run.state) if not call.expired])
    if late := ", ".join([call.id for call in overdue(run.state)]):
        await _end(run, Kind.RUN_SUSPENDED, reason=f"nobody answered in time: {late}; when resumed it asks anew")
        return
    names = ", ".join(call.id for call in run.state.waiting)
    await _end(run, Kind.RUN_SUSPENDED, reason=f"{cause}; waiting for approval: {names}")


async def _stop(run: Run, stop: Stop) -> None:
    partial = hide("".join(run.said)).strip()
    await _end(run, stop.kind, **stop.why(), **({"partial": partial} if partial else {}))


async def _end(run: Run, kind: Kind, **body: Any) -> None:
    """Record the end. One that is on its way to the disk stands: a cancellation that comes too late adds no other."""
    if run.ending is None:
        run.last = run.event(kind, model=run.model.name, step=run.state.step or None, body=body)
        run.ending = run.journal.committed([run.last])
        apply(run.state, run.last)
    while not run.ending.done():
        with contextlib.suppress(asyncio.CancelledError):  # it cannot be called off, and takes milliseconds
            await asyncio.shield(run.ending)
    run.ending.result()


async def _together(calls: list[Coroutine[Any, Any, None]], limit: int) -> None:
    if len(calls) <= 1:
        for call in calls:
            await call
        return
    room = asyncio.Semaphore(limit)

    async def one(call: Coroutine[Any, Any, None]) -> None:
        async with room:
            await call

    tasks = [asyncio.ensure_future(one(call)) for call in calls]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)  # whatever comes next, no call of the batch is at work
        for call in calls:
            call.close()  # one that was cancelled before it began
