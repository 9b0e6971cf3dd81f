"""What counts as a click, and what does not."""

from typing import Any

import pytest

from assent.jupyter.decision import Click, click

DECISION = {"type": "decision", "call": "k3v9x2m4qa.1", "verdict": "approve"}
STOP = {"type": "stop", "run": "k3v9x2m4qa"}


@pytest.mark.parametrize("content", [DECISION, STOP])
@pytest.mark.parametrize("wrap", [lambda c: {"method": "custom", "content": c}, dict], ids=["widget", "comm"])
def test_a_decision_and_a_stop_are_clicks(content: dict[str, Any], wrap: Any) -> None:
    assert click({"comm_id": "c1", "data": wrap(content)}) == Click("c1", content)


@pytest.mark.parametrize(
    "data",
    [
        {"method": "update", "state": DECISION},
        {"method": "custom", "content": {"type": "blocks"}},
        {"method": "custom", "content": "decision"},
        {"method": "custom"},
        {"type": "echo"},
        {},
        None,
    ],
)
def test_anything_else_is_none(data: Any) -> None:
    assert click({"comm_id": "c1", "data": data}) is None
