"""One call, exactly once: recorded, then acted upon, then its result recorded."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from assent.core.cut import fore, unparted
from assent.core.errors import Conflict, GateError
from assent.core.events import Event, Kind
from assent.core.ids import proposer
from assent.core.privilege import READ_ONLY
from assent.policy.decide import permit
from assent.policy.facts import Call
from assent.policy.taint import acts_outside
from assent.runs.act import act_of, look_again
from assent.runs.call_state import OUTCOME, CallState
from assent.runs.descent import performing
from assent.runs.hold import is_full, outcome, refresh, reserve
from assent.runs.lasting import Lasting
from assent.runs.outcome import written
from assent.runs.propose import carrying, has_lapsed, settled
from assent.runs.run import Run
from assent.runs.taint import taint_of
from assent.runs.trusted import Trusted
from assent.runs.waivers import Waivers
from assent.runs.whole import of_run
from assent.tools.execute import misfit
from assent.tools.files_written import OF_FILES
from assent.tools.tool import Output, Tool


async def perform(run: Run, call: CallState) -> None:
    """Run a decided call, unless the run is to stop: then it is left for later.

    Its intent is on disk before its effect; a read-only call has none and does not wait.
    """
    await refresh(run, call)
    if run.stopping is not None:
        return
    tool = run.tools[call.tool]
    try:
        look_again(run, call)
    except ValueError as error:  # its types have changed since it was decided
        run.record(settled(run, call, misfit(call.tool, error)))
        return
    act = act_of(run, call)
    given = carrying(run, act) if call.decision == "allow" else None
    try:
        grant = permit(run.state.run, call.id, act, run.facts, call.approvals)
    except GateError as error:
        if not has_lapsed(run, call):  # else what allowed it is over meanwhile, and it is decided anew
            run.record(settled(run, call, f"Denied: {error}"))
        return
    intent = run.event(
        Kind.CALL_STARTED, step=call.step, call=call.id, tool=call.tool, privilege=tool.privilege,
        body={"arguments": call.arguments} | ({} if act.gets is None else {"gets": act.gets}),
    )  # fmt: skip
    if not await _begun(run, call, intent, given, _resting(run, act)):
        return
    was = run.entrance.before(tool.name) if run.entrance else {}
    began = time.perf_counter()
    with performing(run, call.id), unparted(of_run(run)):
        output = await run.act(tool, call.id, call.arguments, grant, run.state.agent.tool_timeout)
    seconds = time.perf_counter() - began
    if output.value is not None:
        run.values[call.id] = output.value
    finished = run.event(
        Kind.CALL_FINISHED, step=call.step, call=call.id, tool=call.tool, privilege=tool.privilege,
        duration=seconds, body=_told(run, tool, call, output, was),
    )  # fmt: skip
    run.record(finished, *outcome(call, output))
    run.readings.pop(call.id, None)  # the values may be large


def _told(run: Run, tool: Tool[Any, Any], call: CallState, output: Output, was: Mapping[str, Any]) -> dict[str, Any]:
    """What the journal keeps of a result, and of where it comes from; `was` are the variables before the call."""
    body: dict[str, Any] = {"text": output.text, "error": output.error}
    if proposer(call.id) and (short := _outcome(run, output)) != OUTCOME:
        body["short"] = short
    if output.display is not None:
        body["display"] = dict(output.display)
    if output.touched is not None:
        body["touched"] = dict(output.touched)
    if run.entrance and (carried := run.entrance.result(tool, call.id, call.arguments, output, was)):
        body["carries"] = carried.to_json()
    if run.entrance and (output.touched or {}).keys() <= OF_FILES and (read := run.entrance.read(tool)):
        body["read"] = read
    if taint := taint_of(run, tool, call, output):
        body["taint"] = taint
    if output.proposals:
        body["proposals"] = _proposed(run, tool, output, was)
    return body


def _outcome(run: Run, output: Output) -> int:
    """How much of what became of a proposal its proposer is told: nothing that is masked is parted."""
    with unparted(of_run(run)):
        return fore(output.text, OUTCOME, output.value)


def _proposed(run: Run, tool: Tool[Any, Any], output: Output, was: Mapping[str, Any]) -> list[dict[str, Any]]:
    made = [proposal.to_json() for proposal in output.proposals]
    if run.entrance:
        cargo = run.entrance.proposed([written(item["arguments"]) for item in made], was)
        made = [item | ({"carries": own.to_json()} if own else {}) for item, own in zip(made, cargo, strict=True)]
    return made


def _resting(run: Run, act: Call) -> list[Waivers | Trusted]:
    """Whose word, which people may take back, a call is begun on."""
    facts, found = run.facts, list[Waivers | Trusted]()
    afforded = run.purse is not None and any(pot.waived for pot in run.purse.pots)
    if run.waiving is not None and (afforded or any(item.tool == act.tool for item in facts.waivers)):
        found.append(run.waiving)
    if run.trusting is not None and facts.taint != run.state.taint and acts_outside(act.tool, facts):
        found.append(run.trusting)
    return found


async def _begun(
    run: Run, call: CallState, intent: Event, given: Lasting | None, resting: Sequence[Waivers | Trusted]
) -> bool:
    """Whether the intent is on disk, or on its way for a read-only call; else it has to be decided anew.

    What the call reserves is written with it, as long as there is room for that, and nobody has taken back the grant,
    the waiver or the trust that it rests on.
    """
    held, guard = reserve(run, call)
    for condition in (*[word.unended() for word in resting], *([given.unrevoked()] if given else [])):
        guard = condition.along(guard)
    if guard is None and not held and intent.privilege == READ_ONLY:
        run.record(intent)
        return True
    try:
        await run.commit(intent, *held, guard=guard)
    except Conflict:
        for word in resting:
            await asyncio.to_thread(word.look)
        await is_full(run, call)
        if given is not None and not await _holds(run, given):
            run.lasting.drop(given)
        return False
    return True


async def _holds(run: Run, given: Lasting) -> bool:
    asked = given.unrevoked()
    return await asyncio.to_thread(run.journal.house.select, asked.query, asked.parameters) == [(True,)]
