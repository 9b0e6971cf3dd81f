"""What a transcript is told of a run, and what it makes of it."""

from typing import Any

from assent.core.events import Event, Kind, Progress, Scope
from assent.core.messages import Message, Reasoning, Text, ToolCall, assistant, to_json
from assent.core.model import Delta
from assent_widgets.blocks import Block
from assent_widgets.transcript import Transcript

RUN = "k3v9x2m4qa"
SCOPE = Scope(run=RUN, agent="analyst", user="ana")


def event(kind: Kind, at: float = 0.0, **columns: Any) -> Event:
    return SCOPE.event(kind, at=1_700_000_000 + at, **columns)


def answered(step: int, message: Message, stop: str = "stop", **columns: Any) -> Event:
    return event(Kind.MODEL_ANSWERED, step=step, body={"message": to_json(message), "stop": stop}, **columns)


def decided(decision: str, *, tool: str = "python", call: int = 1, reason: str = "", arguments: Any = None) -> Event:
    body = {"arguments": arguments or {"code": "x = 1"}, "reason": reason}
    return event(
        Kind.CALL_DECIDED,
        step=1,
        tool=tool,
        call=f"{RUN}.{call}",
        privilege="execute_risky",
        decision=decision,
        body=body,
    )


def approval(decision: str, call: int = 1, **body: Any) -> Event:
    return event(Kind.APPROVAL_DECIDED, step=1, call=f"{RUN}.{call}", decision=decision, body={"by": "ana", **body})


def finished(text: str, call: int = 1, error: bool = False, **display: Any) -> Event:
    body = {"text": text, "error": error, "display": display}
    return event(Kind.CALL_FINISHED, step=1, call=f"{RUN}.{call}", duration=0.25, body=body)


def folded(*items: Event | Progress, prompt: bool = False) -> Transcript:
    transcript = Transcript(prompt=prompt)
    for item in items:
        transcript.apply(item)
    return transcript


def delta(value: Delta, step: int = 1) -> Progress:
    return Progress(RUN, step, value)


def placed(batches: list[list[Block]]) -> str:
    """What a live view shows after these batches."""
    shown: dict[str, str] = {}
    for block in [block for batch in batches for block in batch]:
        if block.append:
            assert block.id in shown
            closing = "</div></details>" if shown[block.id].endswith("</details>") else "</div>"
            shown[block.id] = shown[block.id].removesuffix(closing) + block.html + closing
        else:
            shown[block.id] = block.html
    return "".join(shown.values())


STARTED = event(Kind.RUN_STARTED, body={"prompt": "How many orders?"})
CALLS = assistant(
    Reasoning("think"),
    Text("I look."),
    ToolCall("a", "sql", '{"query": "SELECT 1"}'),
    ToolCall("b", "python", '{"code": "x"}'),
)
