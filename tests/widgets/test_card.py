from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.widgets.front_end import FrontEnd, connect

from assent.core.approval import Pending
from assent_widgets.approval import MIME, view
from assent_widgets.card import ApprovalCard

PENDING = Pending("run.1", "run", "analyst", "python", "execute_risky", {"code": "x = 1"})
DECISION = {
    "type": "decision", "call": "run.1", "verdict": "approve", "reason": "", "arguments": None, "scope": "once",
    "outcome": None,
}  # fmt: skip


def test_decisions_reach_every_handler_and_nothing_else_does(front_end: FrontEnd) -> None:
    card = ApprovalCard(PENDING)
    connect(card, front_end)
    heard: list[Mapping[str, Any]] = []
    card.on_decision(heard.append)
    card.on_decision(heard.append)
    front_end.say(DECISION)
    front_end.say({"type": "other"})
    assert heard == [DECISION, DECISION]


def test_the_page_receives_what_it_shows() -> None:
    state = ApprovalCard(PENDING).get_state()
    assert state["view"] == view(PENDING)
    assert (state["status"], state["message"]) == ("pending", "")
    assert "isTrusted" in state["_esm"]
    assert "--jp-" in state["_css"]


def test_a_refusal_says_why_even_twice(front_end: FrontEnd) -> None:
    card = ApprovalCard(PENDING)
    connect(card, front_end)
    card.refuse("Policy denies this.")
    card.refuse("Policy denies this.")
    assert front_end.updates == [{"message": "Policy denies this."}]
    assert front_end.custom == [{"type": "refused"}, {"type": "refused"}]


def test_a_voice_that_was_heard_is_told_where_the_approvals_stand(front_end: FrontEnd) -> None:
    asked = replace(PENDING, approvers=2, who=("ana", "ben"))
    card = ApprovalCard(asked)
    connect(card, front_end)
    card.heard(replace(asked, approved_by=("ana",)), "Approved by ana.")
    assert card.view == {**view(asked), "approvals": view(card.pending)["approvals"]}
    assert card.view["approvals"].startswith("1 of 2 have approved (ana)")
    assert (card.message, card.status, front_end.custom) == ("Approved by ana.", "pending", [{"type": "heard"}])


def test_its_display_has_a_form_without_widgets() -> None:
    data, _ = ApprovalCard(PENDING)._repr_mimebundle_()
    assert set(data) == {"text/plain", "text/html", MIME, "application/vnd.jupyter.widget-view+json"}
    assert data["text/plain"].startswith("[pending] analyst wants to run python")
