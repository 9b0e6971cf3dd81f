"""A call's hold on what is limited over time: reserved with its intent, settled with its result."""

from assent.core.events import Event
from assent.risk.check import Act, Checks, examine, worst
from assent.risk.reserve import quotas_of, reservation, settled
from assent.runs.act import act_of
from assent.runs.call_state import CallState
from assent.runs.gather import wanted
from assent.runs.run import Run
from assent.store.parcel import Guard
from assent.tools.execute import parse
from assent.tools.tool import Output


async def learn(run: Run) -> None:
    """Before a batch is decided: what the checks of its calls need to know."""
    if not run.rules.checks:
        return
    for call in run.state.batch.values():
        if not call.decision or call.expired or (call.edited and call.result is None):
            await _look(run, call, counted=True)


async def refresh(run: Run, call: CallState) -> None:
    """Before a call is begun: the facts as they are now. What is used is seen to as it is reserved."""
    if run.rules.checks:
        await _look(run, call, counted=False)


def reserve(run: Run, call: CallState) -> tuple[list[Event], Guard | None]:
    """What to write with the intent of a call, and on which condition; nothing where it has its reservation still."""
    checks = _checks(run, call)
    if call.reserved is not None or not quotas_of(checks):
        return [], None
    act, asked = Act(call.tool, act_of(run, call).forms[0]), call.verdict == "approve"
    event, room = reservation(checks, act, call.id, run.state.scope, asked=asked, step=call.step)
    return [event], room


async def is_full(run: Run, call: CallState) -> bool:
    """Whether a call was not begun for want of room; its checks know now how much is used, so it is decided anew."""
    await _look(run, call, counted=True)
    acts = [Act(call.tool, form, run.known.get(call.id)) for form in act_of(run, call).forms]
    return worst(examine(_checks(run, call), *acts)).verdict != "ok"


def outcome(call: CallState, output: Output) -> list[Event]:
    """What a result means for what the call has reserved: after an error it stays so, unless it is sure of itself."""
    if call.reserved is None or (output.error and not output.undone):
        return []
    return [settled(call.reserved, happened=not output.undone)]


def told(call: CallState) -> list[Event]:
    """What a person's word on a call whose outcome was unknown means for what it has reserved."""
    if call.reserved is None or not call.unknown:
        return []
    return [settled(call.reserved, happened=call.verdict == "happened")]


def _checks(run: Run, call: CallState) -> Checks:
    return run.rules.checks.get(call.tool, ())


async def _look(run: Run, call: CallState, *, counted: bool) -> None:
    tool, checks = run.tools.get(call.tool), _checks(run, call)
    if tool is None or not wanted(checks):
        return
    try:
        arguments = call.arguments if call.decision else parse(call.proposed.arguments)
    except ValueError:  # it is refused for that
        return
    found = await run.inform(run.journal, tool, checks, arguments, run.state.scope, call=call.id, counted=counted)
    if found is not None:
        run.known[call.id] = found
