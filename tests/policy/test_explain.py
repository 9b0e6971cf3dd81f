"""Why a call is decided as it is: which line, which layer, and what all the others said."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tests.policy.policies import layers, ruled

from assent.core.waiver import Waiver
from assent.policy.explain import Explained, explain, spell
from assent.policy.facts import Call
from assent.policy.overview import overview

TEXT = """
[[rule]]
tool = "pay"
mode = "ask"
when = "amount > 100"
who = ["ana", "ben"]
expires = "2h"

[[rule]]
tool = "pay"
mode = "disabled"
agent = "trader"

[[rule]]
tools = "*"
mode = "auto"

[agents.intern]
ceiling = "read_only"
"""


def explained(tool: str, modes: Any = {}, arguments: Any = {}, **options: Any) -> Explained:  # noqa: B006  # only read
    return explain(Call(tool, arguments), ruled(TEXT, **options), modes)


def said(found: Explained) -> list[tuple[str, str, str, bool]]:
    return [(item.voice, item.line, item.says, item.decides) for item in found.said]


def test_the_line_that_asks_is_named_and_each_rule_says_why() -> None:
    found = explained("pay", arguments={"amount": 500})
    assert found.rule == "policy.toml:2"
    assert said(found) == [
        ("privilege", "built-in", "allow", False),
        ("rule", "policy.toml:2", "ask", True),
        ("rule", "policy.toml:9", "nothing", False),
        ("rule", "policy.toml:14", "nothing", False),
    ]
    assert found.said[2].why == "it is for the agent trader"
    assert str(found) == (
        "pay asks (policy.toml:2): policy asks for pay where amount > 100. ana or ben answers, within 2h."
    )


def test_a_condition_that_does_not_hold_is_shown_with_the_arguments() -> None:
    found = explained("pay", arguments={"amount": 50})
    assert found.said[1].why == "amount > 100 does not hold: amount is 50"
    assert str(found) == "pay runs on its own (built-in): execute_safe runs on its own."


def test_auto_is_told_not_to_have_an_effect() -> None:
    found = explained("mail_send")
    assert (found.decision.name, found.rule) == ("ask", "built-in")
    assert found.said[-1].why == "it says auto, so it does not tighten; no rule loosens"


def test_a_ceiling_is_named() -> None:
    found = explained("pay", agent="intern", arguments={"amount": 5})
    assert (found.rule, found.said[-1].voice) == ("policy.toml:18", "ceiling")
    assert str(found).startswith("pay is denied (policy.toml:18): pay is execute_safe, and the agent intern may use")


def test_how_a_question_is_put_decides_nothing() -> None:
    found = explain(Call("mail_send", {}), ruled('[ask]\nwho = ["ana"]'), {})
    assert said(found) == [("privilege", "built-in", "ask", True), ("ask", "policy.toml:1", "terms", False)]
    assert str(found).endswith("execute_risky. ana answers.")


def test_a_waiver_that_loosens_is_told() -> None:
    waiver = Waiver("w1", "month end", "ana", datetime(2100, 1, 1, tzinfo=UTC), tool="pay")
    found = explain(Call("pay", {}), replace(ruled(TEXT), waivers=(waiver,)), {})
    assert (found.decision.name, found.said[-1].voice) == ("allow", "waiver")
    assert "month end" in found.said[-1].why


def test_a_setting_that_decides_is_named() -> None:
    found = explained("look", {"settings": "auto", "agent analyst": "ask"}, policy={"look": "ask"})
    assert found.rule == "agent analyst"


def test_the_overview_shows_every_layer_from_the_highest() -> None:
    rows = overview(layers(TEXT, organisation='[ask]\nwho = ["cleo"]'), {"settings": {"look": "ask"}})
    assert [row.layer for row in rows] == [*["built-in"] * 6, "organisation", *["workspace"] * 4, "settings"]
    assert [(row.tool, row.mode, row.who) for row in rows[:6]] == [
        ("(read_only)", "auto", ""), ("(execute_safe)", "auto", ""), ("(execute_risky)", "ask", ""),
        ("(admin)", "ask", ""), ("(super_admin)", "ask", "2 people"), ("(unknown)", "disabled", ""),
    ]  # fmt: skip
    pay = rows[7]
    assert (pay.line, pay.tool, pay.mode, pay.when, pay.who, pay.expires) == (
        "2", "pay", "ask", "amount > 100", "ana, ben", "2h",
    )  # fmt: skip
    assert (rows[10].tool, rows[10].agent, rows[10].mode) == ("(above read_only)", "intern", "disabled")


def test_times_are_spelt_as_they_are_written() -> None:
    assert [spell(seconds) for seconds in (30, 90, 1800, 5400, 86_400, 604_800)] == [
        "30s",
        "90s",
        "30m",
        "90m",
        "1d",
        "1w",
    ]
