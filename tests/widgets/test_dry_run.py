"""What a transcript says of a dry run, and of calls that were proposed."""

from typing import Any

from assent.core.agent import Agent
from assent.core.events import Event, Kind
from assent_widgets.transcript import Transcript


def event(kind: Kind, call: str | None = None, **columns: Any) -> Event:
    return Event(
        kind=kind, run="r", step=1, call=call, tool="mail" if call else None, body=columns.pop("body"), **columns
    )


def told(*, mode: str = "dry-run", **decided: Any) -> Transcript:
    agent = Agent().to_json()
    transcript = Transcript()
    transcript.apply(event(Kind.RUN_STARTED, body={"prompt": "Go.", "agent": agent, "mode": mode}))
    body = {"arguments": {"to": "ada"}, "reason": "not performed", **decided}
    transcript.apply(event(Kind.CALL_DECIDED, "r.1-1", decision="deny", privilege="admin", body=body))
    transcript.apply(event(Kind.CALL_FINISHED, "r.1-1", body={"text": "Not performed", "error": False}))
    transcript.apply(event(Kind.RUN_FINISHED, body={"text": "Done."}))
    return transcript


def test_it_ends_with_what_it_would_have_run() -> None:
    transcript = told(dry="ask")
    assert transcript.undone == 'Nothing was performed. It would have run:\n1. mail: { "to": "ada" }'
    for words in (transcript.text(), transcript.html()):
        assert "dry-run" in words
        assert "not performed" in words
        assert words.index("Done.") < words.index("It would have run:")


def test_what_a_call_would_have_done_is_said_rather_than_its_code() -> None:
    preview = {"how": "tool", "way": "", "effects": ["one mail leaves"]}
    assert told(dry="ask", preview=preview).undone.endswith("\n1. mail: one mail leaves")


def test_a_run_of_another_mode_says_nothing_of_it() -> None:
    transcript = told(mode="strict")
    assert transcript.undone == ""
    assert "strict" in transcript.text().splitlines()[0]
    assert "would have" not in transcript.text()


def test_one_that_stopped_before_it_proposed_anything_does_not_say_that_nothing_was_to_do() -> None:
    transcript = Transcript()
    transcript.apply(event(Kind.RUN_STARTED, body={"prompt": "Go.", "agent": Agent().to_json(), "mode": "dry-run"}))
    transcript.apply(event(Kind.RUN_SUSPENDED, body={"reason": "the budget is spent"}))
    assert transcript.undone == "There was nothing to do before it stopped."
    transcript.apply(event(Kind.RUN_FINISHED, body={"text": "Done."}))
    assert transcript.undone == "There was nothing to do."


def test_hidden_signs_of_a_call_are_shown() -> None:
    assert "\u202e" not in told(dry="allow", arguments={"to": "\u202eada"}).undone


def test_who_proposed_a_call_and_why_stands_with_it() -> None:
    notes = [["Proposed by", "remind, the call r.1."]]
    text = told(dry="ask", proposed_by="r.1", notes=notes, why="She owes us money.").text()
    assert "Proposed by remind, the call r.1: She owes us money." in text
