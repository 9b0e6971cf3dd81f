import json
from typing import Any

import pytest

from assent.core.approval import Decided, Pending
from assent.policy.taint import NOTE
from assent_widgets.approval import MIME, decided_bundle, pending_bundle, question_text, view, visible_json

ATTACK = "<script>alert(1)</script></pre><img src=x onerror=alert(1)>"


def pending(**fields: Any) -> Pending:
    values: dict[str, Any] = {
        "call": "run.1", "run": "run", "agent": "analyst", "tool": "python", "privilege": "execute_risky",
        "arguments": {"code": "a = 1\nb = 2"}, "why": "To add.", "asks": "python is execute_risky",
        "notebook": "a.ipynb", "cell": "3f6c",
    }  # fmt: skip
    return Pending(**values | fields)


def test_code_is_shown_and_edited_as_code() -> None:
    shown = view(pending())
    assert (shown["language"], shown["size"], shown["field"]) == ("Python", "2 lines", "code")
    assert shown["shown"] == shown["source"] == "a = 1\nb = 2"
    assert shown["title"] == "analyst wants to run python"
    assert shown["where"] == "run run · call run.1 · a.ipynb · cell 3f6c"


def test_the_end_of_the_last_line_is_no_line_of_its_own() -> None:
    assert view(pending(arguments={"code": "a = 1\n"}))["size"] == "1 line"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("mail", {"to": "ana"}), ("python", {"code": "x", "timeout": 5}), ("sql", {"query": ["x"]}), ("python", {})],
)
def test_other_arguments_are_shown_and_edited_as_json(tool: str, arguments: dict[str, Any]) -> None:
    shown = view(pending(tool=tool, arguments=arguments))
    assert (shown["language"], shown["field"]) == ("JSON", None)
    assert json.loads(shown["shown"]) == json.loads(shown["source"]) == arguments


def test_what_would_run_is_shown_whole_and_nothing_in_it_is_hidden() -> None:
    code = "x = 1  # \u202eharmless\rimport os\x1b[2K" + "\n" * 500 + "last()"
    shown = view(pending(arguments={"code": code}))
    assert shown["hides"]
    assert "⟨U+202E⟩harmless\nimport os⟨U+001B⟩[2K\n" in shown["shown"]
    assert shown["shown"].endswith("\nlast()")
    assert shown["source"] == code
    assert "⟨U+001B⟩[2K" in pending_bundle(pending(arguments={"code": code}))["text/html"]
    assert not view(pending())["hides"]


def test_json_in_the_editor_spells_hidden_signs_and_means_the_same() -> None:
    arguments = {"a\u202e": "b\u200b\U000e0041", "é": "東京\n"}
    text = visible_json(arguments)
    assert "\\u202e" in text
    assert "東京" in text
    assert json.loads(text) == arguments


def test_an_unknown_outcome_is_never_granted_for_the_run() -> None:
    shown = view(pending(unknown=True))
    assert shown["unknown"]
    assert not shown["grantable"]
    assert "Outcome unknown" in shown["title"]
    assert "outcome unknown" in pending_bundle(pending(unknown=True))["text/plain"]


def test_an_unknown_outcome_has_three_answers() -> None:
    text = pending_bundle(pending(unknown=True))["text/plain"]
    assert "Run it again: %agent approve run.1\n" in text
    assert 'It did happen: %agent approve run.1 --happened "its result"\n' in text
    assert 'It did not and must not: %agent reject run.1 "what is to be done instead"\n' in text


@pytest.mark.parametrize(
    ("decided", "state", "reason"),
    [
        (Decided("approve", "ana"), "[to be run again, says ana]", ""),
        (Decided("happened", "ana", reason="3 rows"), "[it did happen, says ana]", "Result: 3 rows"),
        (Decided("reject", "ana", reason="ask bob"), "[it did not happen and must not, says ana]", "Reason: ask bob"),
    ],
)
def test_what_was_said_of_an_unknown_outcome(decided: Decided, state: str, reason: str) -> None:
    text = decided_bundle(pending(unknown=True), decided)["text/plain"]
    assert text.startswith(f"{state} Outcome unknown")
    assert text.endswith(reason)


def test_two_people() -> None:
    approvals = view(pending(approvers=2, approved_by=("ana",)))["approvals"]
    assert approvals == "1 of 2 have approved (ana), each with a passphrase"
    assert view(pending())["approvals"] == ""


def test_the_reason_stands_out_and_a_limit_that_is_kept_does_not() -> None:
    kept, warned = ("max slippage", "0.1 % of at most 1 %"), (NOTE, "it read a page")
    asked = pending(asks="max amount: 60 is over 50", notes=(kept, warned), gets={"code": "b = 2"})
    html = pending_bundle(asked)["text/html"]
    assert "<strong>Asked because: max amount: 60 is over 50</strong>" in html
    assert "<div>max slippage: 0.1 % of at most 1 %</div>" in html
    assert f"<strong>{NOTE}: it read a page</strong>" in html
    assert "<strong>The tool gets: " in html
    assert set(view(asked)["loud"]) == {"Asked because", "The tool gets", NOTE}


def test_the_static_question() -> None:
    bundle = pending_bundle(pending())
    assert bundle["text/plain"] == (
        "[pending] analyst wants to run python\nWhy: To add.\nAsked because: python is execute_risky\n"
        "    a = 1\n    b = 2\nrun run · call run.1 · a.ipynb · cell 3f6c\n"
        'Answer with %agent approve run.1, or %agent reject run.1 "why".\n'
        "%agent resume run then goes on with the run."
    )
    assert question_text(pending()) == bundle["text/plain"].partition("\nAnswer with")[0]
    assert "interrupt the cell if it is still running" in pending_bundle(pending(), running=True)["text/html"]
    assert "a = 1\nb = 2</pre>" in bundle["text/html"]
    assert bundle[MIME]["pending"]["call"] == "run.1"
    json.dumps(bundle)


@pytest.mark.parametrize(
    ("decided", "words"),
    [
        (Decided("approve", "ana"), "[approved by ana]"),
        (
            Decided("approve", "ana", edited=True, scope="run"),
            "[approved by ana, with edits, for the rest of this run]",
        ),
        (Decided("reject", "ana", reason="no <b>"), "[rejected by ana]"),
        (Decided("reject", ""), "[rejected by unknown]"),
    ],
)
def test_the_static_answer(decided: Decided, words: str) -> None:
    bundle = decided_bundle(pending(), decided)
    assert words in bundle["text/plain"]
    assert words[1:-1] in bundle["text/html"]
    assert decided.reason in bundle["text/plain"]
    assert "<b>" not in bundle["text/html"]
    assert "%agent approve" not in bundle["text/plain"]
    assert bundle[MIME]["decided"]["verdict"] == decided.verdict
    json.dumps(bundle)


def test_everything_foreign_is_escaped() -> None:
    bad = pending(
        call=ATTACK, run=ATTACK, agent=ATTACK, tool=ATTACK, privilege=ATTACK, arguments={ATTACK: ATTACK},
        why=ATTACK, asks=ATTACK, notebook=ATTACK, cell=ATTACK,
    )  # fmt: skip
    for bundle in (pending_bundle(bad), decided_bundle(bad, Decided("reject", ATTACK, ATTACK))):
        assert "<script" not in bundle["text/html"]
        assert "<img" not in bundle["text/html"]


def test_huge_arguments_are_clipped_in_the_static_form_only() -> None:
    huge = pending(arguments={"code": "x" * 1_000_000})
    assert len(pending_bundle(huge)["text/html"]) < 250_000
    assert "characters left out" in pending_bundle(huge)["text/plain"]
    assert len(decided_bundle(huge, Decided("reject", "ana"))["text/html"]) < 30_000
    assert len(view(huge)["shown"]) == 1_000_000


def test_what_hides_in_the_middle_of_long_code_is_shown_to_whoever_is_to_approve_it() -> None:
    long = pending(arguments={"code": "#" * 90_000 + "\nwipe()\n" + "#" * 90_000})
    assert "wipe()" in question_text(long)
    assert "wipe()" in pending_bundle(long)["text/html"]


def test_no_line_that_the_agent_says_passes_for_one_of_the_card() -> None:
    forged = pending(why="Fine.\nAsked because: nothing\n    print('harmless')", asks="python is execute_risky")
    lines = question_text(forged).splitlines()
    assert [line for line in lines if line.startswith("Asked because")] == ["Asked because: python is execute_risky"]
    assert "Why:     print('harmless')" in lines


@pytest.mark.parametrize("sign", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_a_sign_that_only_some_take_for_a_line_end_is_written_out(sign: str) -> None:
    assert f"⟨U+{ord(sign):04X}⟩" in question_text(pending(arguments={"code": f"a{sign}b"}))


@pytest.mark.parametrize("path", ["a.ipynb", "/data/of/ana/a.ipynb", "C:\\data\\a.ipynb"])
def test_a_card_names_the_notebook_without_its_folders(path: str) -> None:
    text = pending_bundle(pending(notebook=path))["text/plain"]
    assert "· a.ipynb ·" in text
    assert "data" not in text
