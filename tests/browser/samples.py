"""What the notebooks of these tests show: imported by their kernels, so that the cells stay short."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from IPython import display as ipython

from assent.core.approval import Decided, Pending
from assent.core.events import Event, Kind, Progress, Scope
from assent.core.messages import Part, Reasoning, Text, ToolCall, assistant, to_json
from assent.core.model import ReasoningDelta, TextDelta
from assent_widgets.approval import decided_bundle
from assent_widgets.card import ApprovalCard
from assent_widgets.live import LiveRun
from assent_widgets.transcript import Transcript

RUN = "k3v9x2m4qa"
CODE = """\
stale = orders[orders["status"] == "test"]
orders = orders.drop(stale.index)
print(len(stale), "rows dropped")"""
QUERY = """\
SELECT month, count(*) AS orders, sum(total) AS revenue
FROM orders
GROUP BY month ORDER BY month"""
ANSWER = """\
Revenue grew from **$1,234.50** in January to **$14,814.00** in December.

- The 37 test orders are gone
- `orders` has 11,814 rows now

| half | revenue |
|---|---|
| 1 | $25,924.50 |"""

Fact = tuple[Kind, dict[str, Any]]


def pending(number: int = 1, **fields: Any) -> Pending:
    """A call of `python` that asks."""
    values: dict[str, Any] = {
        "call": f"{RUN}.{number}", "run": RUN, "agent": "analyst", "tool": "python", "privilege": "execute_risky",
        "arguments": {"code": CODE}, "notebook": "orders.ipynb", "cell": "3f6c",
        "why": "The 37 test orders distort the monthly totals, so I remove them before I add up.",
        "asks": "python is execute_risky: it can change variables and files.",
    }  # fmt: skip
    return Pending(**values | fields)


def show(widget: Any) -> Any:
    """Display a widget; what comes back can replace it."""
    return ipython.display(widget, display_id=True)  # type: ignore[no-untyped-call]  # IPython's is not typed


async def ask(question: Pending) -> Mapping[str, Any]:
    """Show a card and wait for its decision, as an agent's cell does."""
    card = ApprovalCard(question)
    decision: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
    card.on_decision(decision.set_result)
    handle = show(card)
    content = await decision
    card.status = "approved" if content["verdict"] == "approve" else "rejected"
    decided = Decided(content["verdict"], "ana", content["reason"], content["arguments"] is not None, content["scope"])
    handle.update(decided_bundle(question, decided), raw=True)
    print("DECIDED", json.dumps(content))
    return content


def events() -> list[Event]:
    """A short run: one query, one change that was approved, an answer."""
    scope = Scope(run=RUN, agent="analyst", user="ana")
    rows = [[f"2024-{month:02}", 900 + 13 * month, 1234.5 * month] for month in range(1, 13)]
    table = {"type": "table", "columns": ["month", "orders", "revenue"], "rows": rows, "total": 12}
    printed = {"type": "python", "stdout": "37 rows dropped\n", "changed": ["orders"]}
    facts = [
        (Kind.RUN_STARTED, {"body": {"prompt": "How did revenue develop?"}}),
        _answered(1, Reasoning("I need the totals per month first."), ToolCall("a", "sql", "{}")),
        *_called(1, "sql", "read_only", {"query": QUERY}, table),
        _answered(2, Text("There are **37 test orders** in it."), ToolCall("b", "python", "{}")),
        *_called(2, "python", "execute_risky", {"code": CODE}, printed),
        _answered(3, Text(ANSWER)),
        (Kind.RUN_FINISHED, {"body": {"text": ANSWER}}),
    ]
    return [scope.event(kind, **columns) for kind, columns in facts]


def _answered(step: int, *parts: Part) -> Fact:
    body = {"message": to_json(assistant(*parts)), "stop": "stop"}
    return Kind.MODEL_ANSWERED, {
        "step": step, "input_tokens": 1200, "output_tokens": 85, "model": "local:small", "body": body,
    }  # fmt: skip


def _called(step: int, tool: str, privilege: str, arguments: Any, shown: Any) -> list[Fact]:
    columns = {"step": step, "call": f"{RUN}.{step}", "tool": tool, "privilege": privilege}
    asks = privilege != "read_only"
    decided = {"arguments": arguments, "reason": f"{tool} is {privilege}"}
    approved = {"decision": "approve", "body": {"by": "ana", "reason": "fine", "scope": "once"}}
    finished = {"text": "ok", "error": False, "display": shown}
    return [
        (Kind.CALL_DECIDED, {**columns, "decision": "ask" if asks else "allow", "body": decided}),
        *([(Kind.APPROVAL_DECIDED, {**columns, **approved})] if asks else []),
        (Kind.CALL_STARTED, columns),
        (Kind.CALL_FINISHED, {**columns, "duration": 0.02, "body": finished}),
    ]


async def show_run(pause: float = 0.0, *, stop_before: Kind | None = None) -> LiveRun:
    """Show the run live, as a cell does; end with its static form. `stop_before` leaves it unfinished."""
    transcript = Transcript()
    live = LiveRun(transcript)
    handle = show(live)
    for item in _with_deltas(events()):
        if isinstance(item, Event) and item.kind is stop_before:
            return live
        transcript.apply(replace(item, at=time.time()) if isinstance(item, Event) else item)
        live.publish()
        await asyncio.sleep(pause)
    handle.update(transcript.bundle(), raw=True, metadata=transcript.metadata())
    return live


def _with_deltas(run: list[Event]) -> list[Event | Progress]:
    """Each answer's words, a few at a time, before the answer itself."""
    out: list[Event | Progress] = []
    for event in run:
        if event.kind is Kind.MODEL_ANSWERED:
            for part in event.body["message"]["parts"]:
                kind = {"text": TextDelta, "reasoning": ReasoningDelta}.get(part["kind"])
                words = part["text"].split(" ") if kind else []
                out += [Progress(RUN, event.step or 0, kind(f"{word} ")) for word in words if kind]
        out.append(event)
    return out
