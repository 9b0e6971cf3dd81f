"""The SQL views say of runs, steps, calls, approvals and costs what the events say."""

from decimal import Decimal
from typing import Any

import pytest

from assent.core.events import Event, Kind
from assent.store.journal import Journal

STARTED = Event(kind=Kind.RUN_STARTED, run="r", agent="ada", notebook="n", cell="c", body={"prompt": "How many?"})


def call(kind: Kind, decision: str | None = None, **body: Any) -> Event:
    return Event(kind=kind, run="r", call="r.1", tool="mail", step=1, decision=decision, body=body)


ASKED = call(Kind.CALL_DECIDED, "ask", arguments={"to": "a"}, reason="execute_risky asks")
APPROVED = call(Kind.APPROVAL_DECIDED, "approve", by="ada", arguments=None, missing=0, scope="once")
BEGUN = call(Kind.CALL_STARTED, arguments={"to": "a"})
UNKNOWN = call(Kind.CALL_DECIDED, "ask", arguments={"to": "a"}, unknown=True)


def rows(journal: Journal, view: str, *events: Event) -> list[dict[str, Any]]:
    journal.append([STARTED, *events]).result(5)
    frame = journal.frame(f"SELECT * FROM {view}", {})
    return [{str(name): value for name, value in row.items()} for row in frame.astype(object).to_dict("records")]


@pytest.mark.parametrize(
    ("events", "status", "reason"),
    [
        ([], "running", ""),
        ([Event(kind=Kind.RUN_SUSPENDED, run="r", body={"reason": "nobody answered"})], "suspended", "nobody answered"),
        ([Event(kind=Kind.RUN_CANCELLED, run="r", body={"reason": "stopped"})], "cancelled", "stopped"),
        ([Event(kind=Kind.RUN_FAILED, run="r", body={"error": "no model"})], "failed", "no model"),
        ([Event(kind=Kind.RUN_FINISHED, run="r", body={"text": "42"})], "finished", ""),
        (
            [
                Event(kind=Kind.RUN_SUSPENDED, run="r", body={"reason": "nobody answered"}),
                Event(kind=Kind.RUN_RESUMED, run="r"),
            ],
            "running",
            "",
        ),
    ],
)
def test_the_status_of_a_run(journal: Journal, events: list[Event], status: str, reason: str) -> None:
    [row] = rows(journal, "runs", *events)
    assert (row["status"], row["reason"]) == (status, reason)
    assert (row["run"], row["agent"], row["prompt"], row["notebook"]) == ("r", "ada", "How many?", "n")
    assert row["answer"] == ("42" if status == "finished" else None)


def test_a_run_sums_its_steps_calls_tokens_and_costs(journal: Journal) -> None:
    steps = [
        Event(
            kind=Kind.MODEL_ANSWERED, run="r", step=step, model="maker:m", input_tokens=10, output_tokens=step,
            cost=Decimal("0.000000001"), body={"message": {"role": "assistant", "parts": []}, "stop": "stop"},
        )
        for step in (1, 2, 3)
    ]  # fmt: skip
    [row] = rows(journal, "runs", *steps, ASKED)
    assert (row["steps"], row["calls"], row["input_tokens"], row["output_tokens"]) == (3, 1, 30, 6)
    assert journal.select("SELECT sum(cost) FROM costs") == [(Decimal("0.000000003"),)]
    assert journal.select("SELECT DISTINCT provider, model, run FROM costs") == [("maker", "maker:m", "r")]


def test_a_step_says_text_and_tools(journal: Journal) -> None:
    parts = [
        {"kind": "reasoning", "text": "hm", "extra": None},
        {"kind": "text", "text": "I look. "},
        {"kind": "text", "text": "Now."},
        {"kind": "call", "id": "1", "name": "sql", "arguments": "{}", "extra": None},
        {"kind": "call", "id": "2", "name": "python", "arguments": "{}", "extra": None},
    ]
    body = {"message": {"role": "assistant", "parts": parts}, "stop": "calls"}
    [row] = rows(journal, "steps", Event(kind=Kind.MODEL_ANSWERED, run="r", step=1, body=body))
    assert (row["text"], list(row["tools"]), row["stop"]) == ("I look. Now.", ["sql", "python"], "calls")


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([call(Kind.CALL_DECIDED, "allow", arguments={})], "decided"),
        ([call(Kind.CALL_DECIDED, "deny", arguments={})], "decided"),
        ([ASKED], "waiting"),
        ([ASKED, call(Kind.APPROVAL_DECIDED, "approve", by="ada", missing=1)], "waiting"),
        ([ASKED, APPROVED], "approved"),
        ([ASKED, call(Kind.APPROVAL_DECIDED, "reject", by="ada", reason="no")], "decided"),
        ([ASKED, APPROVED, BEGUN], "started"),
        ([ASKED, APPROVED, BEGUN, UNKNOWN], "waiting"),
        ([ASKED, APPROVED, BEGUN, UNKNOWN, APPROVED], "approved"),
        ([ASKED, APPROVED, BEGUN, call(Kind.CALL_FINISHED, text="sent", error=False)], "finished"),
        ([ASKED, APPROVED, BEGUN, call(Kind.CALL_FINISHED, text="oops", error=True)], "failed"),
    ],
)
def test_the_status_of_a_call(journal: Journal, events: list[Event], status: str) -> None:
    [row] = rows(journal, "tool_calls", *events)
    assert (row["call"], row["tool"], row["status"]) == ("r.1", "mail", status)


def test_a_call_shows_the_arguments_it_ran_with_and_who_let_it(journal: Journal) -> None:
    edited = call(Kind.APPROVAL_DECIDED, "approve", by="eve", arguments={"to": "b"}, missing=0)
    begun = call(Kind.CALL_STARTED, arguments={"to": "b"})
    done = call(Kind.CALL_FINISHED, text="sent", error=False)
    [row] = rows(journal, "tool_calls", ASKED, edited, begun, done)
    assert (row["arguments"], row["decision"], row["verdict"], row["decided_by"], row["result"]) == (
        '{"to":"b"}', "ask", "approve", "eve", "sent",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("events", "verdicts"),
    [
        ([ASKED], ["pending"]),
        ([ASKED, call(Kind.APPROVAL_DECIDED, "approve", by="ada", missing=1)], ["pending"]),
        ([ASKED, APPROVED], ["approve"]),
        ([ASKED, call(Kind.APPROVAL_DECIDED, "reject", by="ada", reason="no")], ["reject"]),
        ([ASKED, call(Kind.CALL_FINISHED, text="Denied", error=True)], ["closed"]),
        ([ASKED, APPROVED, BEGUN, UNKNOWN], ["approve", "pending"]),
        ([ASKED, APPROVED, BEGUN, UNKNOWN, call(Kind.APPROVAL_DECIDED, "happened", by="ada")], ["approve", "happened"]),
        ([call(Kind.CALL_DECIDED, "allow", arguments={})], []),
    ],
)
def test_the_verdict_of_an_approval(journal: Journal, events: list[Event], verdicts: list[str]) -> None:
    assert [row["verdict"] for row in rows(journal, "approvals", *events)] == verdicts


def test_an_approval_says_what_was_asked_and_what_was_answered(journal: Journal) -> None:
    rejected = call(Kind.APPROVAL_DECIDED, "reject", by="ada", reason="wrong address", scope="once")
    [row] = rows(journal, "approvals", ASKED, rejected)
    assert (row["arguments"], row["asks"], row["decided_by"], row["reason"]) == (
        '{"to":"a"}', "execute_risky asks", "ada", "wrong address",
    )  # fmt: skip
    assert row["waited"] >= 0


def test_what_nobody_knows_the_price_of_is_listed_and_never_zero(journal: Journal) -> None:
    steps = [
        Event(kind=Kind.MODEL_ANSWERED, run="r", model="custom:m", input_tokens=7, output_tokens=3),
        Event(kind=Kind.MODEL_ANSWERED, run="r", model="maker:m", input_tokens=7, cost=Decimal("0.25")),
    ]
    [row] = rows(journal, "unpriced", *steps)
    assert (row["provider"], row["model"], row["answers"], row["input_tokens"]) == ("custom", "custom:m", 1, 7)
    total = journal.select("SELECT sum(cost), count(*) - count(cost) FROM costs")
    assert total == [(Decimal("0.25"), 1)]


def test_what_the_vendors_cache_spared_is_in_costs(journal: Journal) -> None:
    body = {"saved": "0.0125", "cache_write": 40}
    journal.append([Event(kind=Kind.MODEL_ANSWERED, run="r", model="a:m", cached_tokens=9, body=body)]).result()
    [row] = journal.select("SELECT saved, cache_write_tokens, cached_tokens FROM costs")
    assert row == (Decimal("0.0125"), 40, 9)


def test_what_befell_a_request_can_be_asked_about(journal: Journal) -> None:
    named = {"run": "r", "step": 1, "agent": "ada", "model": "groq:m"}
    events = [
        Event(kind=Kind.MODEL_RETRIED, duration=0.5, body={"reason": "it broke off", "restart": True}, **named),
        Event(kind=Kind.MODEL_FELL_BACK, body={"reason": "no key", "to": "xai:m"}, **named),
        Event(kind=Kind.MODEL_FAILED, body={"error": "all failed"}, **named),
    ]
    found = rows(journal, "incidents", *events)
    assert [(row["incident"], row["reason"], row["restart"]) for row in found] == [
        ("retried", "it broke off", True),
        ("fell back", "no key", False),
        ("failed", "all failed", False),
    ]
    assert (found[0]["seconds"], found[0]["provider"], found[1]["to"]) == (0.5, "groq", "xai:m")
