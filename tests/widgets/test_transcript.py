"""A run as it is read: from its question to its end, with nothing foreign left unescaped."""

import json
from decimal import Decimal
from typing import Any

import pytest
from tests.widgets.told import (
    CALLS,
    RUN,
    STARTED,
    answered,
    approval,
    decided,
    delta,
    event,
    finished,
    folded,
)

from assent.core.events import Event, Kind, Progress
from assent.core.messages import Reasoning, Text, ToolCall, assistant
from assent.core.model import CallDelta, ReasoningDelta, TextDelta
from assent_widgets.transcript import MIME, Transcript

ATTACKS = ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</pre></details><b>", "&lt;b&gt;"]


def test_a_run_that_counts_as_a_child_says_why() -> None:
    body = {"prompt": "Go.", "held": "It was begun in a thread that does not tell who gave it this work."}
    told = folded(event(Kind.RUN_STARTED, body=body))
    assert "does not tell who gave it this work" in told.html()
    assert "does not tell who gave it this work" in told.text()


def test_a_run_from_question_to_answer() -> None:
    table: dict[str, Any] = {"type": "table", "columns": ["n"], "rows": [[42]], "total": 1}
    cost: dict[str, Any] = {"input_tokens": 1000, "output_tokens": 50, "cost": Decimal("0.0021"), "model": "openai:gpt"}
    transcript = folded(
        STARTED,
        answered(1, assistant(ToolCall("a", "sql", '{"query": "SELECT 1"}')), "calls", **cost),
        decided("allow", tool="sql", arguments={"query": "SELECT count(*) AS n\nFROM orders"}),
        event(Kind.CALL_STARTED, step=1, call=f"{RUN}.1"),
        finished("| n |", **table),
        answered(2, assistant(Text("There are **42** orders.")), **cost),
        event(Kind.RUN_FINISHED, 2.5, body={"text": "There are **42** orders."}),
    )
    assert transcript.text() == (
        f"analyst · finished · openai:gpt · 2 steps · 2,000 in / 100 out tokens · $0.0042 · 2.5 s · run {RUN}\n\n"
        "sql · done · execute_risky · 0.25 s\n"
        "    SELECT count(*) AS n\n"
        "    FROM orders\n"
        "     n\n"
        "    --\n"
        "    42\n\n"
        "There are **42** orders."
    )
    html = transcript.html()
    assert html.count("<strong>42</strong>") == 1
    assert html.index("SELECT count(*) AS n\nFROM orders</pre>") < html.index("<table") < html.index("<strong>42")
    assert set(transcript.bundle()) == {"text/plain", "text/html", MIME}
    short = transcript.bundle()[MIME]
    assert (short["status"], short["answer"], short["cost"], short["seconds"]) == (
        "finished", "There are **42** orders.", "0.0042", 2.5,
    )  # fmt: skip
    json.dumps(short)


@pytest.mark.parametrize(
    ("ending", "word", "help_"),
    [
        (event(Kind.RUN_SUSPENDED, body={"reason": "Nobody answered."}), "suspended", "%agent pending"),
        (event(Kind.RUN_CANCELLED, body={"reason": "Interrupted."}), "cancelled", f"%agent resume {RUN}"),
        (event(Kind.RUN_FAILED, body={"error": "No key <x>."}), "failed", "The run failed."),
    ],
)
def test_a_run_that_ends_without_an_answer(ending: Event, word: str, help_: str) -> None:
    transcript = folded(STARTED, ending)
    assert transcript.status == word
    for shown in (transcript.text(), transcript.html()):
        assert word in shown
        assert help_ in shown
    assert str(next(iter(ending.body.values()))) in transcript.text()


def test_pauses_do_not_count_as_work() -> None:
    transcript = folded(
        STARTED,
        event(Kind.RUN_SUSPENDED, 2, body={"reason": "Nobody answered."}),
        event(Kind.RUN_RESUMED, 1000),
        event(Kind.RUN_FINISHED, 1003, body={"text": "done"}),
    )
    assert transcript.summary.seconds == 5
    assert "Suspended: Nobody answered. Then resumed." in transcript.text()
    assert "%agent pending" not in transcript.text()
    cut_off = folded(STARTED, event(Kind.CALL_STARTED, 4, call=f"{RUN}.1"), event(Kind.RUN_RESUMED, 1000))
    assert cut_off.summary.elapsed(1_700_000_000 + 1001) == 5


def test_a_price_that_is_partly_unknown_says_so() -> None:
    priced = answered(1, CALLS, cost=Decimal("1.5"), input_tokens=1)
    assert "· $1.50 ·" in folded(priced).text()
    assert "≥ $1.50" in folded(priced, answered(2, CALLS, input_tokens=1)).text()
    assert "$" not in folded(answered(1, CALLS, input_tokens=1)).text()


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([decided("deny", reason="unknown tool")], ["denied", "Denied: unknown tool"]),
        ([decided("ask", reason="it writes")], ["waiting for approval", "Needs approval: it writes"]),
        ([decided("ask"), approval("approve", reason="fine")], ["approved", "Approved by ana: fine"]),
        ([decided("ask"), approval("approve", scope="run")], ["Approved by ana, for the rest of this run."]),
        ([decided("ask"), approval("approve", arguments={"code": "y = 2"})], ["y = 2", "Approved by ana, with edits."]),
        ([decided("ask"), approval("happened", outcome="it ran")], ["settled", "ana says that it happened: it ran"]),
        (
            [decided("ask"), approval("reject", reason="no"), finished("no", error=True)],
            ["rejected", "Rejected by ana: no"],
        ),
        ([decided("allow", reason="granted for this run")], ["allowed", "Allowed: granted for this run"]),
    ],
)
def test_decisions_say_who_and_why(events: list[Event], said: list[str]) -> None:
    transcript = folded(STARTED, *events)
    for words in said:
        assert words in transcript.text()
        assert words in transcript.html()


def test_a_call_that_needs_two_people_waits_for_the_second() -> None:
    asked = decided("ask")
    asked.body["approvers"] = 2
    for by, state in (("ana", "waiting for approval"), ("ana", "waiting for approval"), ("bo", "approved")):
        transcript = folded(STARTED, asked, approval("approve"), approval("approve", by=by))
        assert transcript.to_json()["calls"][0]["state"] == state
    edited = approval("approve", by="bo", arguments={"code": "y"})
    assert folded(STARTED, asked, approval("approve"), edited).to_json()["calls"][0]["state"] == "waiting for approval"


def test_calls_cut_off_by_the_end_say_so() -> None:
    started = event(Kind.CALL_STARTED, step=1, call=f"{RUN}.1")
    transcript = folded(STARTED, decided("allow"), started, decided("ask", call=2), event(Kind.RUN_CANCELLED))
    assert [call["state"] for call in transcript.to_json()["calls"]] == ["interrupted", "not run"]
    waiting = folded(STARTED, decided("ask"), event(Kind.RUN_SUSPENDED))
    assert [call["state"] for call in waiting.to_json()["calls"]] == ["waiting for approval"]


def test_events_find_the_calls_that_the_model_proposed() -> None:
    """Also when the calls finish in another order; an event's call id comes later than the proposal."""
    arguments = {"query": "SELECT 1"}
    transcript = folded(
        STARTED, answered(1, CALLS, "calls"), decided("ask", tool="python", call=2),
        decided("allow", tool="sql", call=1, arguments=arguments), finished("one", 1),
    )  # fmt: skip
    calls = [(call["tool"], call["id"], call["state"]) for call in transcript.to_json()["calls"]]
    assert calls == [("sql", f"{RUN}.1", "done"), ("python", f"{RUN}.2", "waiting for approval")]


def test_a_call_is_found_by_its_number_whatever_comes_first() -> None:
    twice = assistant(ToolCall("a", "sql", '{"query": "A"}'), ToolCall("b", "sql", '{"query": "B"}'))
    transcript = folded(STARTED, answered(1, twice, "calls"), finished("of b", 2), finished("of a", 1))
    calls = [(call["id"], call["arguments"]) for call in transcript.to_json()["calls"]]
    assert calls == [(f"{RUN}.1", {"query": "A"}), (f"{RUN}.2", {"query": "B"})]
    assert transcript.text().index("of a") < transcript.text().index("of b")


def test_a_fork_says_where_it_branched_off_and_counts_its_own() -> None:
    shared = [STARTED, answered(1, assistant(Text("I look.")), input_tokens=10, output_tokens=5, cost=Decimal(1))]
    fork = {"run": "p4r3nt", "at": 1, "prompt": ATTACKS[0]}
    begun = event(Kind.RUN_STARTED, 1000, body={"prompt": "And?", "fork": fork})
    own = answered(2, assistant(Text("So.")), at=1002, input_tokens=1, output_tokens=2, cost=Decimal(2))
    transcript = folded(*shared, begun, own, event(Kind.RUN_FINISHED, 1003, body={"text": "So."}), prompt=True)
    head, *rest = transcript.text().split("\n\n")
    assert head == f"analyst · finished · 1 step · 1 in / 2 out tokens · $2.00 · 3.0 s · run {RUN}"
    assert rest == ["> How many orders?", "I look.", "Fork of p4r3nt after step 1.", f"> {ATTACKS[0]}", "So."]
    assert ATTACKS[0] not in transcript.html()


def test_a_fork_from_the_beginning_shows_its_question() -> None:
    fork = {"run": "p4r3nt", "at": 0}
    begun = event(Kind.RUN_STARTED, body={"prompt": "How many customers?", "fork": fork})
    assert folded(begun, prompt=True).text().split("\n\n")[1:] == [
        "> How many customers?", "Fork of p4r3nt from its beginning.",
    ]  # fmt: skip


def test_output_of_python() -> None:
    shown: dict[str, Any] = {
        "type": "python", "stdout": "\x1b[31mhello\x1b[0m\n", "result": "42", "bound": ["df", "x"], "changed": [],
        "traceback": "Traceback\n\x1b[0;31mValueError\x1b[0m: <b>",
    }  # fmt: skip
    transcript = folded(STARTED, decided("allow"), finished("failed", error=True, **shown))
    assert "hello\n    42\n    Traceback\n    ValueError: <b>\n    bound df, x" in transcript.text()
    html = transcript.html()
    assert "ValueError: &lt;b&gt;" in html
    assert "\x1b" not in html + transcript.text()
    assert "failed" in html


def test_the_last_of_two_endings_in_a_row_is_told() -> None:
    transcript = folded(
        STARTED, event(Kind.RUN_CANCELLED, body={"reason": "interrupted"}),
        event(Kind.RUN_SUSPENDED, body={"reason": "the kernel stopped"}),
    )  # fmt: skip
    assert "Suspended: the kernel stopped" in transcript.text()
    assert "interrupted" not in transcript.text()
    transcript.apply(event(Kind.RUN_RESUMED))
    transcript.apply(event(Kind.RUN_CANCELLED, body={"reason": "enough"}))
    assert "the kernel stopped. Then resumed." in transcript.text()
    assert "Cancelled: enough" in transcript.text()


def test_a_table_from_python() -> None:
    table = {"type": "table", "columns": ["kind", "size"], "rows": [["<b>", "5"]], "total": 1}
    shown: dict[str, Any] = {"type": "python", "stdout": "hello\n", "table": table, "changed": ["df"]}
    transcript = folded(STARTED, decided("allow"), finished("", **shown))
    assert "hello\n    kind  size\n    ----  ----\n    <b>      5\n    changed df" in transcript.text()
    assert "&lt;b&gt;</td>" in transcript.html()


def test_huge_output_is_clipped() -> None:
    huge = "x" * 50_000_000
    transcript = folded(STARTED, decided("allow"), finished(huge), event(Kind.RUN_FINISHED, body={"text": huge}))
    assert len(transcript.html()) < 100_000
    assert "characters left out" in transcript.text()


@pytest.mark.parametrize("attack", ATTACKS)
def test_everything_foreign_is_escaped(attack: str) -> None:
    message = assistant(Reasoning(attack), Text(attack), ToolCall("a", attack, attack), ToolCall("b", "sql", "{}"))
    table: dict[str, Any] = {"type": "table", "columns": [attack], "rows": [[attack]], "total": 1}
    items: list[Event | Progress] = [
        event(Kind.RUN_STARTED, body={"prompt": attack}, model=attack),
        delta(ReasoningDelta(attack)), delta(TextDelta(attack)), delta(CallDelta(0, attack, attack)),
        answered(1, message, "length"),
        decided("ask", tool="sql", reason=attack, arguments={"query": attack}),
        approval("approve", by=attack, reason=attack, outcome=attack), finished(attack, **table),
        decided("allow", call=2, arguments={attack: attack}), finished(attack, 2, error=True),
        decided("allow", call=3), finished("", 3, type="python", stdout=attack, traceback=attack, bound=[attack]),
        event(Kind.MODEL_FAILED, step=2, body={"error": attack}),
        event(Kind.RUN_SUSPENDED, body={"reason": attack}), event(Kind.RUN_FAILED, body={"error": attack}),
    ]  # fmt: skip
    transcript = Transcript(prompt=True)
    for item in items:
        transcript.apply(item)
        for html in (transcript.html(), *[block.html for block in transcript.changed()]):
            assert attack not in html
            assert "<script" not in html
            assert "<img" not in html
            assert "<b>" not in html


def test_an_answer_cut_off_at_its_limit_says_so() -> None:
    assert "cut off at its token limit" in folded(STARTED, answered(1, assistant(Text("and")), "length")).text()


def test_arguments_that_are_no_json_are_shown_as_written() -> None:
    broken = assistant(ToolCall("a", "sql", '{"query": "SELECT'), ToolCall("b", "mail", "not json"))
    denied = decided("deny", tool="mail", reason="Wrong arguments for mail")
    denied.body["arguments"] = {}
    text = folded(STARTED, answered(1, broken, "calls"), denied).text()
    assert "SELECT" in text
    assert "not json" in text
    assert "Denied: Wrong arguments for mail" in text


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (r'{"code": "\d+ and more"}', r"\d+ and more"),
        (r'{"code": "\u12zz"}', r"\u12zz"),
        ('{"code": ' + "[" * 50_000, ""),
        ('{"code": ' + "[" * 500 + "]" * 500 + "}", ""),
    ],
)
def test_json_that_cannot_be_read_is_shown_while_it_is_written_and_after(written: str, shown: str) -> None:
    transcript = folded(STARTED, delta(CallDelta(0, "python", "")))
    for at in range(0, min(len(written), 2_000), 5):
        transcript.apply(delta(CallDelta(0, "", written[at : at + 5])))
        transcript.changed()
    transcript.apply(answered(1, assistant(ToolCall("a", "python", written)), "calls"))
    assert shown in transcript.text()
    assert shown in transcript.html()


@pytest.mark.parametrize(
    "display",
    [
        {"type": "table"},
        {"type": "table", "columns": None, "rows": None},
        {"type": "table", "columns": ["a", "b"], "rows": [[1]]},
        {"type": "table", "columns": ["a"], "rows": [[1]], "total": "many"},
        {"type": "python", "stdout": 5},
        {"type": "python", "bound": 5},
        {"type": "python", "table": 5},
        {"type": "python", "table": {"type": "python"}},
        {"type": ["python"]},
    ],
)
def test_a_display_of_another_form_than_its_type_has_gives_way_to_the_text(display: dict[str, Any]) -> None:
    transcript = folded(STARTED, answered(1, CALLS), decided("allow"), finished("the result", **display))
    assert "the result" in transcript.text()
    assert "the result" in transcript.html()


def test_the_question_is_shown_on_request() -> None:
    assert "> How many orders?" in folded(STARTED, prompt=True).text()
    assert "How many orders?" not in folded(STARTED).text()


def test_other_runs_and_events_of_none_are_ignored() -> None:
    transcript = folded(STARTED)
    before = transcript.html()
    transcript.apply(Event(kind=Kind.RUN_FINISHED, run="another", body={"text": "no"}))
    transcript.apply(Event(kind=Kind.AGENT_DEFINED, body={"name": "no"}))
    transcript.apply(Progress("another", 1, TextDelta("no")))
    assert transcript.html() == before


def test_static_html_needs_nothing_that_a_sanitiser_drops() -> None:
    html = folded(STARTED, answered(1, CALLS), decided("ask"), event(Kind.RUN_SUSPENDED)).html()
    for dropped in ("<style", "<svg", "data-", "var(", "color-mix", "<script", "<button"):
        assert dropped not in html
    assert "mathjax_ignore" in html


def test_what_ran_is_shown_with_its_terminal_escapes_written_out() -> None:
    hidden = "SELECT 1 /* \x1b]0;and what else it says\x07 */"
    transcript = folded(STARTED, decided("allow", tool="sql", arguments={"query": hidden}))
    assert "and what else it says" in transcript.text()
    assert "and what else it says" in transcript.html()
