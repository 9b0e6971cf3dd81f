"""A run's budgets as bars, and what befell them, in its transcript."""

from decimal import Decimal
from typing import Any

from assent.core.events import Event, Kind
from assent_widgets.transcript import Transcript

TOLD = {
    "name": "daily", "per": ["day"], "limits": {"money": "0.5", "calls": "4"}, "warn_at": "0.8", "key": "daily day",
    "spent": {"money": "0.1", "calls": "0"}, "others": {"money": "0.1", "calls": "0"}, "rule": "policy.toml:1",
}  # fmt: skip
ESTIMATE = {"tokens": 350, "least": "0.00012", "runs": 14, "median": "0.02", "most": "0.0512"}


def event(kind: Kind, at: float = 0, **columns: Any) -> Event:
    return Event(kind=kind, run="r", at=at, agent="analyst", **columns)


def shown(*events: Event) -> str:
    transcript = Transcript()
    started = event(Kind.RUN_STARTED, body={"prompt": "Go."})
    opened = event(Kind.BUDGET_OPENED, body={"budgets": [TOLD], "estimate": ESTIMATE})
    for item in (started, opened, *events):
        transcript.apply(item)
    assert "<script" not in transcript.html()
    return transcript.text()


def answered(cost: str) -> Event:
    message = {"role": "assistant", "parts": [{"kind": "text", "text": "Hm."}]}
    return event(Kind.MODEL_ANSWERED, 1, step=1, cost=Decimal(cost), body={"message": message, "stop": "stop"})


def test_it_begins_with_what_is_spent_and_what_it_may_cost() -> None:
    text = shown()
    assert "Budget: daily ▰▰▱▱▱▱▱▱▱▱ $0.10 of $0.50, 0 calls of 4 calls" in text
    assert "The first request has about 350 tokens, which cost $0.0002." in text  # rounded up: it is a least
    assert "Of this agent's last 14 runs, half cost up to $0.02, nine of ten up to $0.0512." in text


def test_the_bar_grows_with_the_run_by_the_limit_that_is_nearest() -> None:
    text = shown(answered("0.105"), event(Kind.CALL_STARTED, 2, call="r.1"), event(Kind.CALL_STARTED, 2, call="r.2"))
    assert "▰▰▰▰▰▱▱▱▱▱ $0.2050 of $0.50, 2 calls of 4 calls" in text


def test_a_stop_that_says_how_to_go_on_says_it_once() -> None:
    why = "The run's own budget stops it. %agent resume r --budget DOLLARS goes on with more."
    text = shown(event(Kind.RUN_SUSPENDED, body={"reason": why, "budget": TOLD}))
    assert f"Suspended: {why}" in text
    assert text.count("%agent resume") == 1


def test_a_warning_a_waiver_and_the_stop_are_said() -> None:
    words = {"kind": "money", "text": "$0.45 spent of $0.50"}
    text = shown(
        event(Kind.BUDGET_WARNED, body={**TOLD, **words}),
        event(Kind.BUDGET_WAIVED, body={**TOLD, **words, "waiver": "w1"}),
        event(
            Kind.RUN_SUSPENDED,
            body={"reason": "It is over.", "budget": {**TOLD, "spent": {"money": "9", "calls": "0"}}},
        ),
    )
    assert "The budget daily comes to its end: $0.45 spent of $0.50." in text
    assert "The budget daily is waived: $0.45 spent of $0.50." in text
    assert "Suspended: It is over.\n%agent resume r goes on with it." in text
    assert "%agent pending" not in text
    assert "▰▰▰▰▰▰▰▰▰▰ $9.00 of $0.50" in text


def test_a_decision_that_a_waiver_made_possible_names_it() -> None:
    message = {"role": "assistant", "parts": [{"kind": "call", "id": "1", "name": "mail", "arguments": "{}"}]}
    proposed = event(Kind.MODEL_ANSWERED, 1, step=1, body={"message": message, "stop": "calls"})
    notes = [["Waiver", "w1 by ana until 2026-11-30 00:00 UTC: month end"], ["Preview", "nothing"]]
    decided = event(Kind.CALL_DECIDED, 1, call="r.1", tool="mail", decision="allow", step=1, body={"notes": notes})
    text = shown(proposed, decided)
    assert "Waived: w1 by ana until 2026-11-30 00:00 UTC: month end." in text
