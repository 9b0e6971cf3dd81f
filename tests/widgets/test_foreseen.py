import asyncio
import json
from typing import Any

from tests.widgets.test_approval import ATTACK, pending

from assent.core.approval import Decided
from assent.core.events import Event, Kind
from assent.core.preview import Preview, Table, to_json
from assent.tools.foresee import foresee
from assent.tools.plan import plan_tool
from assent_widgets.approval import decided_bundle, pending_bundle, question_text, view
from assent_widgets.calls import Call, fold
from assent_widgets.foreseen import preview_line

CHANGED = Table(
    "orders: rows changed", ("", "", "price"), (("before", "5", None), ("after", "5", "0"), ("before", "6", "1"),
    ("after", "6", "2")), 37,
)  # fmt: skip
PREVIEW = Preview(
    "copy", "Tried on a copy.", ("orders: 37 rows removed", "writes the file a.csv"), ("The plan is unknown.",),
    (CHANGED,), "  region\n0 North\n",
)  # fmt: skip


def asked(**fields: Any) -> Any:
    return pending(preview=PREVIEW, rule="policy.toml:12", notes=(("Taint", "It read a web page."),), **fields)


def test_the_card_has_what_would_change_the_rule_and_the_notes() -> None:
    shown = view(asked())
    assert shown["asks"] == "python is execute_risky (policy.toml:12)"
    assert shown["notes"] == [["Taint", "It read a web page."]]
    preview = shown["preview"]
    assert (preview["head"], preview["effects"]) == ("If it runs (tried on a copy)", list(PREVIEW.effects))
    assert (preview["gaps"], preview["way"]) == (["The plan is unknown."], "Tried on a copy.")
    assert preview["tables"][0]["title"] == "orders: rows changed (2 of 37)"
    assert preview["tables"][0]["rows"][0] == ["before", "5", None]
    assert (preview["summary"], preview["text"]) == ("Look closer: 1 table and what it prints", "  region\n0 North")
    assert view(pending())["preview"] is None
    json.dumps(shown)


def test_a_plan_is_told_as_what_the_agent_intends_and_a_tool_s_own_word_as_such() -> None:
    plan = asyncio.run(foresee(plan_tool, {"steps": ["Drop the test orders", "Mail the team"]}, 1))
    lines = question_text(pending(tool="plan", preview=plan)).splitlines()
    assert lines[1:4] == ["What it intends to do:", "  • Step 1: Drop the test orders", "  • Step 2: Mail the team"]
    assert (
        "Your yes does none of this yet: the agent then goes step by step, and asks you before each effect." in lines[4]
    )
    fold(call := Call(), Event(kind=Kind.CALL_DECIDED, decision="ask", body={"preview": to_json(plan), "reason": "x"}))
    assert "It intends: Step 1: Drop the test orders; Step 2: Mail the team." in call.said
    own = Preview("tool", "", ("300 leave",))
    assert question_text(pending(preview=own)).splitlines()[1] == "If it runs (as the tool says):"


def test_a_terminal_shows_it_before_the_reasons_and_the_code() -> None:
    lines = question_text(asked()).splitlines()
    assert lines[1:4] == ["If it runs (tried on a copy):", "  • orders: 37 rows removed", "  • writes the file a.csv"]
    assert "  ? The plan is unknown." in lines
    assert "    before  5   NULL" in lines
    order = [lines.index(line) for line in ("  Tried on a copy.", "Taint: It read a web page.", "    a = 1")]
    assert order == sorted(order)


def test_the_static_form_keeps_it_once_it_is_decided() -> None:
    for bundle in (pending_bundle(asked()), decided_bundle(asked(), Decided("approve", "ana"))):
        assert "<li><strong>orders</strong>: 37 rows removed</li>" in bundle["text/html"]
        assert "<details><summary>Look closer: 1 table" in bundle["text/html"]
        assert "Taint: It read a web page." in bundle["text/html"]
        assert "If it runs" in bundle["text/plain"]
        json.dumps(bundle)


def test_everything_in_it_is_escaped_and_in_one_line() -> None:
    evil = Preview(
        "copy", ATTACK, (ATTACK, "x: 1\nAsked because: nothing"), (f"{ATTACK}\nWhy: fine",),
        (Table(ATTACK, (ATTACK,), ((ATTACK,),), 5),), f"{ATTACK}\x1b[2K\u202e",
    )  # fmt: skip
    bad = pending(preview=evil, rule=ATTACK, notes=((ATTACK, "true\nWhy: fine"),))
    for bundle in (pending_bundle(bad), decided_bundle(bad, Decided("reject", "ana"))):
        assert "<script" not in bundle["text/html"]
        assert "<img" not in bundle["text/html"]
        assert "\u202e" not in bundle["text/plain"]
        assert "\x1b" not in bundle["text/plain"]
    lines = question_text(bad).splitlines()
    assert len([line for line in lines if line.startswith("Asked because: ")]) == 1
    assert [line for line in lines if line.startswith("Why: ")] == ["Why: To add."]
    assert "\u202e" not in json.dumps(view(bad), ensure_ascii=False)


def test_one_that_an_edit_has_overtaken_says_so() -> None:
    old = Preview("tool", "Its own word.", ("5 leave the account",), outdated=True)
    assert view(pending(preview=old))["preview"]["gaps"][0].startswith("This was found out before the arguments")


def test_a_call_of_which_nothing_is_known_says_so() -> None:
    gap = Preview("none", "Not previewed.", gaps=("mail has no preview.",))
    assert view(pending(preview=gap))["preview"]["effects"] == []
    assert "  ? mail has no preview." in question_text(pending(preview=gap))
    assert preview_line(Preview("text", "Read.")) == "nothing could be found out"


def test_the_transcript_keeps_a_line_of_it() -> None:
    call = Call()
    body = {"arguments": {}, "reason": "it is risky", "rule": "policy.toml:3", "preview": to_json(PREVIEW),
            "notes": [["Taint", "It read\na web page."], ["Waiver", "w"]]}  # fmt: skip
    fold(call, Event(kind=Kind.CALL_DECIDED, call="r.1", tool="python", decision="ask", body=body))
    assert call.said == [
        "Needs approval: it is risky (policy.toml:3)", "If it runs: orders: 37 rows removed; writes the file a.csv.",
        "Taint: It read a web page.", "Waived: w.",
    ]  # fmt: skip
