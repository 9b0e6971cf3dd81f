"""The static form of a recorded run is the same whenever it is replayed; an error is told all the same."""

from decimal import Decimal

from assent.core.events import Event, Kind
from assent.core.messages import Message, Text, ToolCall, to_json
from assent_widgets.transcript import MIME, Transcript


def told(run: str, by: str, at: float, *, recorded: bool = True) -> Transcript:
    """A run with a call that was approved, as it was recorded or as it is replayed."""
    transcript = Transcript(recorded=recorded)
    about = {"run": run, "agent": "analyst", "model": f"vendor:{run}"}
    call = {"call": f"{run}.1", "tool": "python", "step": 1, "privilege": "execute_risky", **about}
    asked = Message("assistant", (ToolCall("c1", "python", '{"code": "x = 1"}'),))
    said = Message("assistant", (Text("Done."),))
    events = [
        Event(kind=Kind.RUN_STARTED, at=at, body={"prompt": "Go.", "agent": {}}, **about),
        Event(kind=Kind.MODEL_REPLAYED, at=at, step=1, body={"reason": f"{by}, answer 1."}, **about),
        Event(
            kind=Kind.MODEL_ANSWERED, at=at, step=1, cost=Decimal(str(at)), body={"message": to_json(asked)}, **about
        ),
        Event(kind=Kind.CALL_DECIDED, at=at, decision="ask", body={"arguments": {"code": "x = 1"}}, **call),
        Event(kind=Kind.APPROVAL_DECIDED, at=at + 1, decision="approve", body={"by": by}, **call),
        Event(kind=Kind.CALL_FINISHED, at=at + 2, duration=at, body={"text": "done", "error": False}, **call),
        Event(kind=Kind.MODEL_ANSWERED, at=at * 3, step=2, body={"message": to_json(said)}, **about),
        Event(kind=Kind.RUN_FINISHED, at=at * 3, body={"text": "Done."}, **about),
    ]
    for event in events:
        transcript.apply(event)
    return transcript


def test_a_replay_leaves_in_the_notebook_what_the_recording_left() -> None:
    then, now = told("one", "ana", 10.0), told("two", "recording my answers (1).jsonl (ana)", 20.0)
    assert then.bundle() == now.bundle()
    assert set(then.bundle()) == {"text/plain", "text/html", MIME}
    assert "analyst · finished · 2 steps · recorded" in then.text()
    assert "Approved by ana." in now.text()


def test_whose_run_it_was_stays_in_the_metadata() -> None:
    assert told("one", "ana", 10.0).metadata()["assent"]["run"] == "one"


def test_a_run_that_is_not_recorded_is_told_with_its_cost_and_id() -> None:
    text = told("one", "ana", 10.0, recorded=False).text()
    assert "$10.00" in text
    assert "run one" in text


def test_why_a_recorded_run_failed_is_told() -> None:
    transcript = Transcript(recorded=True)
    transcript.apply(Event(kind=Kind.RUN_STARTED, run="r", agent="a", body={"prompt": "Go.", "agent": {}}))
    transcript.apply(
        Event(kind=Kind.MODEL_FAILED, run="r", agent="a", step=1, body={"error": "The prompt has changed."})
    )
    transcript.apply(Event(kind=Kind.RUN_FAILED, run="r", agent="a", body={"error": "The prompt has changed."}))
    assert "The prompt has changed." in transcript.text()
