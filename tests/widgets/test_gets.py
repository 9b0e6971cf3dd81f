"""The line of a card that says what a tool gets, where that is not just what was written."""

from typing import Any

import pytest
from tests.widgets.test_approval import pending

from assent_widgets.approval import pending_bundle, view
from assent_widgets.gets import difference


@pytest.mark.parametrize(
    ("written", "gets", "line"),
    [
        ({"to": "a"}, None, ""),
        ({"to": " Evil"}, {"to": "evil"}, 'to = "evil"'),
        ({"n": "5"}, {"n": 5}, ""),
        ({"n": "1e3"}, {"n": 1000}, "n = 1000"),
        ({"on": "true"}, {"on": True}, "on = true"),
        ({"a": 1}, {"limit": 10, "a": 2, "none": None}, "a = 2, limit = 10"),
        ({"order": {"amt": "5"}}, {"order": {"amt": 5, "amount": 5}}, "order.amount = 5"),
        ({"to": ["A", "b"]}, {"to": ["a", "b"]}, 'to[0] = "a"'),
        ({"to": "a, b"}, {"to": ["a", "b"]}, 'to = ["a", "b"]'),
        ({"to": "a"}, {"to": "\u202eb\n"}, 'to = "\\u202eb\\n"'),
    ],
)
def test_only_what_reads_otherwise_is_told(written: dict[str, Any], gets: dict[str, Any] | None, line: str) -> None:
    assert difference(written, gets) == line


def test_much_is_told_in_short_with_both_ends_of_a_value() -> None:
    line = difference({"to": ""}, {"to": f"begin{'x' * 1000}end"})
    assert line.startswith('to = "begin')
    assert line.endswith('end"')
    assert "characters" in line
    assert difference({}, {f"n{number}": number for number in range(15)}).endswith("n11 = 11, and 3 more")


def test_the_card_and_the_static_form_have_the_line_before_all_other_notes() -> None:
    asked = pending(arguments={"to": " Evil"}, gets={"to": "evil"}, notes=(("Proposed by", "x"),))
    assert view(asked)["notes"][0] == ["The tool gets", 'to = "evil"']
    assert 'The tool gets: to = "evil"' in pending_bundle(asked)["text/plain"]
