"""One call, exactly once: recorded, then acted upon, then its result recorded."""

import time

from assent.core.errors import GateError
from assent.core.events import Kind
from assent.core.privilege import READ_ONLY
from assent.policy.decide import permit
from assent.policy.facts import Call
from assent.runs.propose import settled
from assent.runs.run import Run
from assent.runs.state import CallState


async def perform(run: Run, call: CallState) -> None:
    """Run a decided call, unless the run is to stop: then it is left for later.

    Its intent is on disk before its effect; a read-only call has none and does not wait.
    """
    if run.stopping is not None:
        return
    tool = run.tools[call.tool]
    try:
        grant = permit(run.state.run, call.id, Call(call.tool, call.arguments), run.facts, call.approvals)
    except GateError as error:
        run.record(settled(run, call, f"Denied: {error}"))
        return
    intent = run.event(
        Kind.CALL_STARTED, step=call.step, call=call.id, tool=call.tool, privilege=tool.privilege,
        body={"arguments": call.arguments},
    )  # fmt: skip
    if tool.privilege == READ_ONLY:
        run.record(intent)
    else:
        await run.commit(intent)
    began = time.perf_counter()
    output = await run.act(tool, call.id, call.arguments, grant, run.state.agent.tool_timeout)
    if output.value is not None:
        run.values[call.id] = output.value
    body = {"text": output.text, "error": output.error}
    if output.display is not None:
        body["display"] = dict(output.display)
    if output.touched is not None:
        body["touched"] = dict(output.touched)
    run.record(
        run.event(
            Kind.CALL_FINISHED, step=call.step, call=call.id, tool=call.tool, privilege=tool.privilege,
            duration=time.perf_counter() - began, body=body,
        )
    )  # fmt: skip
