"""A run as it is watched: what streams in, what befalls its requests, and what is taken back."""

from typing import Any

import pytest
from tests.widgets.told import CALLS, RUN, STARTED, answered, approval, decided, delta, event, finished, folded, placed

from assent.core.events import Event, Kind, Progress
from assent.core.messages import Text, ToolCall, assistant
from assent.core.model import CallDelta, Notice, ReasoningDelta, TextDelta
from assent_widgets.transcript import Transcript


def test_the_header_of_a_running_run_says_what_it_waits_for() -> None:
    steps: list[tuple[Event | Progress, str]] = [
        (STARTED, "waiting for the model"),
        (delta(TextDelta("I")), "running"),
        (answered(1, CALLS, "calls"), "running"),
        (decided("ask", call=1), "waiting for you"),
        (decided("ask", call=2), "waiting for you"),
        (approval("approve", 1), "waiting for you"),
        (approval("approve", 2, missing=1), "waiting for you"),
        (approval("approve", 2), "running"),
        (event(Kind.CALL_STARTED, call=f"{RUN}.1"), "running"),
        (finished("42"), "waiting for the model"),
        (event(Kind.RUN_SUSPENDED, body={"reason": "why"}), "suspended"),
        (event(Kind.RUN_RESUMED), "waiting for the model"),
        (event(Kind.RUN_FINISHED, body={"text": "42"}), "finished"),
    ]
    transcript = Transcript()
    for item, words in steps:
        transcript.apply(item)
        heads = [block.html for block in transcript.changed() if block.id == "head"]
        assert all(f">{words}<" in head for head in heads), (item, heads)
        assert f" · {words} · " in transcript.text().splitlines()[0], item
        assert heads or words == "running"


def test_a_live_view_ends_with_what_a_whole_one_shows() -> None:
    items: list[Event | Progress] = [STARTED, *[delta(ReasoningDelta(f"r{i} ")) for i in range(5)]]
    items += [delta(TextDelta(word)) for word in ["I ", "look.\n", "\nMore ", "to *come*"]]
    items += [
        delta(CallDelta(0, "sql", "")),
        delta(CallDelta(0, "", '{"query": "SEL')),
        delta(CallDelta(0, "", "ECT 1\\n")),
    ]
    transcript, batches = Transcript(), []
    for item in items:
        transcript.apply(item)
        batches.append(transcript.changed())
        assert placed(batches) == "".join([block.html for block in transcript.snapshot()])
    assert "SELECT 1\n" in placed(batches)
    assert "r0 r1 r2 r3 r4 </div></details>" in placed(batches)
    assert "<p>More to <em>come</em></p>" in placed(batches)
    for last in [
        answered(1, CALLS, "calls"),
        decided("allow", tool="sql"),
        event(Kind.RUN_FINISHED, body={"text": "Yes"}),
    ]:
        transcript.apply(last)
    batches.append(transcript.changed())
    assert placed(batches) in transcript.html()


def test_nothing_changes_without_an_event() -> None:
    transcript = folded(STARTED, answered(1, CALLS, "calls"))
    assert [block.id for block in transcript.changed() if block.html] == [
        "head", "1.thought", "1.text", "1.call.0", "1.call.1",
    ]  # fmt: skip
    assert transcript.changed() == []
    transcript.apply(decided("allow", tool="sql"))
    assert [block.id for block in transcript.changed()] == ["head", "1.call.0"]


def test_a_long_answer_costs_what_it_is_long() -> None:
    transcript = folded(STARTED)
    transcript.changed()
    sent = 0
    for number in range(10_000):
        transcript.apply(delta(TextDelta(f"word{number} " + ("\n" if number % 20 == 0 else ""))))
        if number % 10 == 0:
            sent += sum([len(block.html) for block in transcript.changed()])
    whole = len(transcript.html())
    assert whole > 90_000
    assert sent < 60 * whole  # 1,000 updates, each of the whole so far, would be 500 times


def test_a_failed_model_call_takes_its_words_back() -> None:
    transcript = folded(STARTED, delta(TextDelta("half a sent")), delta(CallDelta(0, "sql", "{")))
    assert "half a sent" in transcript.html()
    transcript.apply(event(Kind.MODEL_FAILED, step=1, body={"error": "The server is gone."}))
    assert "half a sent" not in transcript.html()
    assert "The model failed: The server is gone." in transcript.text()
    transcript.apply(delta(TextDelta("again")))
    assert "again" in transcript.html()


def test_words_that_were_cut_off_by_an_interrupt_stay() -> None:
    transcript = folded(STARTED, delta(TextDelta("half a sent")), event(Kind.RUN_CANCELLED))
    assert "half a sent" in transcript.text()
    assert "half a sent" in transcript.html()


def noticed(kind: Kind, reason: str = "Groq is limiting requests.", **columns: Any) -> Event:
    body = {"reason": reason, **columns.pop("body", {})}
    return event(kind, step=1, model="groq:x", body=body, **columns)


@pytest.mark.parametrize(
    ("item", "line"),
    [
        (noticed(Kind.MODEL_RETRIED, duration=1.5), "Asked again in 1.5 s: Groq is limiting requests."),
        (noticed(Kind.MODEL_WAITED, "requests a minute", duration=12.3), "Waited 12 s: requests a minute"),
        (noticed(Kind.MODEL_CACHED, "asked before"), "From the cache: asked before"),
        (noticed(Kind.MODEL_FELL_BACK, body={"to": "xai:y"}), "Asked xai:y instead: Groq is limiting requests."),
        (noticed(Kind.CIRCUIT_OPENED, "10 failures", duration=30), "groq:x is left alone for 30 s: 10 failures"),
        (noticed(Kind.CIRCUIT_CLOSED, "it answered"), "groq:x is asked again: it answered"),
        (
            event(Kind.ANSWER_REFUSED, step=1, body={"text": "total: no number"}),
            "The answer did not fit: total: no number",
        ),
    ],
)
def test_what_befell_a_request_is_a_line(item: Event, line: str) -> None:
    transcript = folded(event(Kind.RUN_STARTED), item)
    assert line in transcript.text()
    assert transcript.summary.state == "waiting for the model"


def test_words_that_do_not_count_any_more_are_taken_back() -> None:
    said = [delta(TextDelta("There are three ")), delta(CallDelta(0, "sql", '{"q'))]
    retried = noticed(Kind.MODEL_RETRIED, "The connection broke off.", duration=0.2, body={"restart": True})
    transcript = folded(event(Kind.RUN_STARTED), *said)
    shown = [transcript.changed()]
    transcript.apply(retried)
    shown.append(transcript.changed())
    assert "three" not in transcript.text()
    assert "sql" not in transcript.text()
    assert "What was shown of its answer does not count." in transcript.text()
    transcript.apply(delta(TextDelta("There are four.")))
    shown.append(transcript.changed())
    assert "There are four." in placed(shown)
    assert "three" not in placed(shown)


def test_a_wait_is_shown_while_it_lasts_and_then_how_long_it_was() -> None:
    transcript = folded(
        event(Kind.RUN_STARTED), delta(Notice(None, "groq:x", "Waiting for room: 20 requests a minute."))
    )
    assert "Waiting for room" in transcript.text()
    transcript.apply(noticed(Kind.MODEL_WAITED, "20 requests a minute", duration=3.0))
    assert "Waiting for room" not in transcript.text()
    assert "Waited 3 s: 20 requests a minute" in transcript.text()
    given_up = folded(
        event(Kind.RUN_STARTED), delta(Notice(None, "groq:x", "Waiting for room.")), event(Kind.RUN_CANCELLED)
    )
    assert "Waiting for room" not in given_up.text()


def test_a_model_that_says_nothing_at_all_is_told_of() -> None:
    ended = event(Kind.RUN_FINISHED, body={"text": " "})
    assert (
        "The model ended its turn without a word."
        in folded(event(Kind.RUN_STARTED), answered(1, assistant()), ended).text()
    )
    filtered = folded(event(Kind.RUN_STARTED), answered(1, assistant(), "filter"), ended).text()
    assert "without a word" not in filtered
    assert "vendor cut the answer off" in filtered


def test_an_answer_that_began_anew_stands_below_the_line_that_says_so() -> None:
    broken = noticed(Kind.MODEL_RETRIED, "It broke off.", duration=0.02, body={"restart": True})
    words = [delta(TextDelta("There are three ")), broken, delta(TextDelta("There are four."))]
    text = folded(event(Kind.RUN_STARTED), *words).text()
    assert text.index("Asked again at once: It broke off.") < text.index("There are four.")
    ended = [
        answered(1, assistant(Text("There are four."))),
        event(Kind.RUN_FINISHED, body={"text": "There are four."}),
    ]
    text = folded(event(Kind.RUN_STARTED), *words, *ended).text()
    assert text.index("Asked again at once: It broke off.") < text.index("There are four.")
    assert text.count("There are four.") == 1


def test_what_a_run_failed_of_is_said_once_and_how_to_go_on() -> None:
    failed = [
        event(Kind.MODEL_FAILED, step=1, body={"error": "No room."}),
        event(Kind.RUN_FAILED, body={"error": "No room."}),
    ]
    transcript = folded(event(Kind.RUN_STARTED), *failed)
    assert transcript.text().count("No room.") == 1
    assert "The run failed. No room.\n%agent resume k3v9x2m4qa goes on with it." in transcript.text()
    for item in (event(Kind.RUN_RESUMED), *failed):
        transcript.apply(item)
    assert "The run failed. No room. Then resumed.\n\nThe run failed. No room.\n" in transcript.text()


def test_of_an_answer_that_does_not_fit_its_problems_are_shown() -> None:
    told = "The answer does not fit the type int:\n- value: no integer\n- more: unknown\nGive the whole answer again."
    text = folded(event(Kind.RUN_STARTED), event(Kind.ANSWER_REFUSED, step=1, body={"text": told})).text()
    assert text.endswith("The answer did not fit: value: no integer; more: unknown")


def test_what_was_said_before_a_stop_is_shown_as_partial_and_then_replaced() -> None:
    paused = event(Kind.RUN_PAUSED, body={"reason": "enough", "by": "ana", "partial": "There are 3"})
    read = folded(STARTED, paused)
    watched = folded(STARTED, delta(TextDelta("There are 3")), paused)
    for transcript in (read, watched):
        assert transcript.text().count("There are 3") == 1
        assert "Paused: enough\nThe answer above is partial. %agent resume" in transcript.text()
        assert transcript.status == "paused"
        transcript.apply(event(Kind.RUN_RESUMED))
        transcript.apply(answered(1, assistant(Text("There are 344."))))
        transcript.apply(event(Kind.RUN_FINISHED, body={"text": "There are 344."}))
        assert "There are 3\n" not in transcript.text()
        assert "Paused: enough. Then resumed." in transcript.text()


def test_a_paused_run_keeps_its_questions_and_says_what_it_cut_off() -> None:
    calls = assistant(ToolCall("a", "python", '{"code": "x"}'), ToolCall("b", "python", '{"code": "y"}'))
    before = (STARTED, answered(1, calls, "calls"), decided("ask"), decided("allow", call=2))
    begun = event(Kind.CALL_STARTED, step=1, tool="python", call=f"{RUN}.2", body={"arguments": {"code": "y"}})
    transcript = folded(*before, begun, event(Kind.RUN_PAUSED, body={"reason": "enough"}))
    assert "waiting for approval" in transcript.text()
    assert "interrupted" in transcript.text()


@pytest.mark.parametrize(("then", "word"), [("pause", "pausing"), ("cancel", "stopping")])
def test_the_header_says_that_a_stop_was_asked_for(then: str, word: str) -> None:
    transcript = folded(STARTED, event(Kind.STOP_REQUESTED, body={"then": then, "reason": "enough"}))
    assert f"analyst · {word}" in transcript.text()
    assert transcript.status == "running"
    transcript.apply(event(Kind.RUN_PAUSED, body={"reason": "enough"}))
    transcript.apply(event(Kind.RUN_RESUMED))
    assert word not in transcript.text()
