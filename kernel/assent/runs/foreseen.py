"""What the calls of a batch that ask would do, found out before the questions are written down."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from assent.core.events import Event, Kind
from assent.core.preview import Preview, to_json
from assent.runs.run import Run
from assent.tools.foresee import none
from assent.tools.tool import Tool

MOST = 8  # previews of one batch: each takes memory and a processor for as long as it may

# Of a tool and a call's arguments: what the call would do. It has a limit of its own, and no effect.
Foresee = Callable[[Tool[Any, Any], Mapping[str, Any]], Awaitable[Preview]]


async def foresee_batch(run: Run, events: Sequence[Event]) -> None:
    """Write a preview into each decision that a person reads: of what asks, and of what a dry run leaves undone."""
    if run.foresee is None:
        return
    answered = {event.call for event in events if event.kind is Kind.APPROVAL_DECIDED}
    decisions = [event for event in events if event.kind is Kind.CALL_DECIDED and event.tool in run.tools]
    asking = [event for event in decisions if event.decision == "ask" and event.call not in answered]
    asking = [] if run.on_ask == "deny" else asking  # nobody would read them
    wanted = [*asking, *[event for event in decisions if event.body.get("dry")]]
    found = await asyncio.gather(*[_one(run.foresee, run, event) for event in wanted[:MOST]])
    late = none(f"More than {MOST} calls ask at once; only the first were tried.")
    for event, preview in zip(wanted, [*found, *[late] * (len(wanted) - len(found))], strict=True):
        event.body["preview"] = to_json(preview)


async def _one(foresee: Foresee, run: Run, event: Event) -> Preview:
    return await foresee(run.tools[event.tool or ""], event.body["arguments"])
