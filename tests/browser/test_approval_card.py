"""The approval card in a real front end, on a stock kernel."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, expect
from tests.browser.notebook_page import DARK, LIGHT, Front, NotebookPage, OpenNotebook
from tests.browser.server import Server

IMPORTS = "from samples import *"
ASK = "await ask(pending());"
PRINTS_ATTACK = """
from IPython.display import HTML
script = '''
const attack = () => {
    for (const node of document.querySelectorAll(".assent-card button, .assent-card input")) {
        node.click?.();
        for (const type of ["pointerdown", "mousedown", "mouseup", "click"])
            node.dispatchEvent(new MouseEvent(type, {bubbles: true}));
        node.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true}));
        document.body.dataset.clicked = Number(document.body.dataset.clicked ?? 0) + 1;
    }
};
setInterval(attack, 100);
'''
display(HTML("<script>" + script + "</script>"))
await ask(pending());
"""


def asking(open_notebook: OpenNotebook, *cells: str, front: Front = "lab") -> NotebookPage:
    """A notebook in which an import and then `cells` run, as soon as the first card shows."""
    notebook = open_notebook([IMPORTS, *cells], front=front)
    notebook.run(*range(len(cells) + 1))
    notebook.cards(1).first.wait_for()
    return notebook


def decision(notebook: NotebookPage, index: int = 1) -> dict[str, Any]:
    """What the cell received."""
    notebook.wait_for_output(index, "DECIDED")
    found = re.search(r"DECIDED (\{.*\})", notebook.output_text(index))
    assert found
    return dict(json.loads(found[1]))


def click(card: Locator, name: str) -> None:
    card.get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize("front", ["lab", "notebook"])
def test_approve_while_the_cell_runs(open_notebook: OpenNotebook, front: Front) -> None:
    notebook = asking(open_notebook, ASK, "print('after')", front=front)
    card = notebook.cards(1)
    assert "*" in notebook.prompt(1)
    assert "after" not in notebook.output_text(2)
    expect(card.get_by_role("region", name="Python that would run")).to_contain_text("orders.drop(stale.index)\n")
    notebook.screenshot(f"card-{front}")
    click(card, "Approve")
    assert decision(notebook) == {
        "type": "decision", "call": "k3v9x2m4qa.1", "verdict": "approve", "reason": "", "arguments": None,
        "scope": "once", "outcome": None, "by": "", "passphrase": "",
    }  # fmt: skip
    notebook.wait_for_output(2, "after")
    notebook.wait_for_output(1, "approved by ana")
    expect(notebook.cards(1)).to_have_count(0)


def test_edit_the_code_and_approve(open_notebook: OpenNotebook) -> None:
    notebook = asking(open_notebook, ASK)
    card = notebook.cards(1)
    click(card, "Edit …")
    field = card.get_by_label("Edit the Python")
    expect(field).to_be_focused()
    field.fill("print('nothing')\nprint('at all')")
    notebook.screenshot("card-edit", of=card)
    click(card, "Approve edited")
    answer = decision(notebook)
    assert answer["verdict"] == "approve"
    assert answer["arguments"] == {"code": "print('nothing')\nprint('at all')"}
    notebook.wait_for_output(1, "with edits")


def test_arguments_that_are_no_json_are_not_sent(open_notebook: OpenNotebook) -> None:
    call = 'await ask(pending(tool="mail", arguments={"to": "ana", "copies": 2}));'
    notebook = asking(open_notebook, call)
    card = notebook.cards(1)
    click(card, "Edit …")
    field = card.get_by_label("Edit the arguments (JSON)")
    huge = '{"n": 12345678901234567890}'
    for wrong, said in (('{"to": ', "Nothing was sent"), ("[1]", "an object"), (huge, "too large")):
        field.fill(wrong)
        click(card, "Approve edited")
        expect(card.get_by_role("alert").filter(has_text=said)).to_be_visible()
    notebook.screenshot("card-wrong-json")
    assert "DECIDED" not in notebook.output_text(1)
    field.fill('{"to": "bob", "copies": 1}')
    click(card, "Approve edited")
    assert decision(notebook)["arguments"] == {"to": "bob", "copies": 1}


def test_reject_with_a_reason(open_notebook: OpenNotebook) -> None:
    notebook = asking(open_notebook, ASK)
    card = notebook.cards(1)
    click(card, "Reject …")
    notebook.screenshot("card-reject")
    card.get_by_label("Why not?").fill("these are <b>real</b> orders")
    card.get_by_label("Why not?").press("Enter")
    answer = decision(notebook)
    assert (answer["verdict"], answer["reason"]) == ("reject", "these are <b>real</b> orders")
    notebook.wait_for_output(1, "Reason: these are <b>real</b> orders")


def test_allow_for_the_run(open_notebook: OpenNotebook) -> None:
    notebook = asking(open_notebook, ASK)
    click(notebook.cards(1), "Allow python for this run")
    answer = decision(notebook)
    assert (answer["verdict"], answer["scope"]) == ("approve", "run")


def test_two_cards_are_decided_apart(open_notebook: OpenNotebook) -> None:
    both = 'await asyncio.gather(ask(pending(1)), ask(pending(2, tool="mail", arguments={"to": "ana"})));'
    notebook = asking(open_notebook, both)
    cards = notebook.cards(1)
    expect(cards).to_have_count(2)
    notebook.screenshot("card-two")
    second = cards.nth(1)
    click(second, "Reject …")
    second.get_by_label("Why not?").press("Enter")
    answer = decision(notebook)
    assert (answer["call"], answer["verdict"]) == ("k3v9x2m4qa.2", "reject")
    expect(cards).to_have_count(1)
    expect(cards.get_by_role("button", name="Approve", exact=True)).to_be_enabled()
    click(cards.first, "Approve")
    expect(notebook.output(1)).to_contain_text('"call": "k3v9x2m4qa.1"')
    notebook.wait_until_done(1)


def test_keyboard_only(open_notebook: OpenNotebook) -> None:
    """Also in command mode, where single letters and Enter are commands of the notebook."""
    notebook = asking(open_notebook, ASK)
    keyboard, card = notebook.page.keyboard, notebook.cards(1)
    card.get_by_role("button", name="Approve", exact=True).focus()
    keyboard.press("Tab")
    expect(card.get_by_role("button", name="Edit …")).to_be_focused()
    keyboard.press("Enter")
    field = card.get_by_label("Edit the Python")
    expect(field).to_be_focused()
    keyboard.press("Escape")
    expect(field).to_be_hidden()
    expect(card.get_by_role("button", name="Edit …")).to_be_focused()
    notebook.screenshot("card-focus")
    keyboard.press("Tab")
    keyboard.press("Space")
    expect(card.get_by_label("Why not?")).to_be_focused()
    keyboard.type("add dd bb")
    keyboard.press("Enter")
    assert decision(notebook)["reason"] == "add dd bb"
    assert notebook.page.locator(".jp-Notebook .jp-CodeCell").count() == 2


def test_a_printed_script_cannot_click(open_notebook: OpenNotebook) -> None:
    """HTML that an agent printed runs as a script in a trusted notebook. It reaches the buttons, in vain."""
    notebook = asking(open_notebook, PRINTS_ATTACK)
    notebook.page.wait_for_function("() => Number(document.body.dataset.clicked) >= 4")
    card = notebook.cards(1)
    expect(card.get_by_role("status")).to_have_text("Waiting for you")
    assert "*" in notebook.prompt(1)
    assert "DECIDED" not in notebook.output_text(1)
    click(card, "Approve")
    assert decision(notebook)["verdict"] == "approve"


def test_words_of_the_agent_are_text(open_notebook: OpenNotebook) -> None:
    break_in = "document.body.dataset.broken = 1"
    bad = f'<img src=x onerror="{break_in}"></pre><script>{break_in}</script>'
    question = "pending(why=bad, asks=bad, agent=bad, arguments={'code': bad})"
    notebook = asking(open_notebook, f"bad = {bad!r}\nawait ask({question});")
    card = notebook.cards(1)
    expect(card.get_by_role("region")).to_have_text(bad)
    assert card.locator("img, script").count() == 0
    click(card, "Approve")
    decision(notebook)
    notebook.wait_for_output(1, "approved by ana")
    assert notebook.output(1).locator("img, script").count() == 0
    assert notebook.page.evaluate("document.body.dataset.broken") is None


def test_an_outcome_that_nobody_recorded(open_notebook: OpenNotebook) -> None:
    notebook = asking(open_notebook, "await ask(pending(unknown=True, asks='The kernel stopped while it ran.'));")
    card = notebook.cards(1)
    expect(card.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    expect(card.locator(".assent-controls > .assent-row button")).to_have_text(
        ["Run it again", "It did happen …", "It did not and must not …"]
    )
    notebook.screenshot("card-unknown-three")
    click(card, "It did happen …")
    click(card, "Record")
    expect(card.get_by_role("alert").filter(has_text="Nothing was sent")).to_be_visible()
    card.get_by_label("What was its result?").fill("37 rows dropped")
    notebook.screenshot("card-unknown")
    notebook.theme(DARK)
    try:
        notebook.screenshot("card-unknown-dark")
    finally:
        notebook.theme(LIGHT)
    click(card, "Record")
    answer = decision(notebook)
    assert (answer["verdict"], answer["outcome"]) == ("approve", "37 rows dropped")


def test_a_refused_decision_can_be_made_again(open_notebook: OpenNotebook) -> None:
    cell = """
card, said = ApprovalCard(pending()), []
card.on_decision(lambda content: (said.append(content), card.refuse("Policy denies this edit.")))
display(card)
"""
    notebook = asking(open_notebook, cell, "print(len(said), card.status)")
    approve = notebook.cards(1).get_by_role("button", name="Approve", exact=True)
    for _ in range(2):
        approve.click()
        expect(notebook.cards(1).get_by_role("alert").filter(has_text="Policy denies")).to_be_visible()
        expect(approve).to_be_enabled()
    notebook.run(2)
    notebook.wait_for_output(2, "2 pending")


def test_a_kernel_that_restarts(open_notebook: OpenNotebook) -> None:
    notebook = asking(open_notebook, ASK)
    card = notebook.cards(1)
    notebook.restart_kernel()
    expect(card.get_by_role("status")).to_contain_text("%agent pending")
    expect(card.get_by_role("button", name="Approve", exact=True)).to_be_hidden()


def test_a_page_reloaded_in_the_middle(open_notebook: OpenNotebook) -> None:
    notebook = asking(open_notebook, "asyncio.ensure_future(ask(pending()))\nNone", "print('saved')")
    notebook.save()
    notebook.reload()
    notebook.cards(1).wait_for()
    click(notebook.cards(1), "Approve")
    expect(notebook.cards(1).get_by_role("status")).to_have_text("Approved")


def test_the_outcome_is_readable_without_a_kernel(open_notebook: OpenNotebook, server: Server) -> None:
    notebook = asking(open_notebook, ASK)
    click(notebook.cards(1), "Approve")
    decision(notebook)
    notebook.wait_for_output(1, "approved by ana")
    cells = notebook.save()["cells"]
    shown = [output["data"] for output in cells[1]["outputs"] if "data" in output]
    assert [set(data) for data in shown] == [{"text/plain", "text/html", "application/vnd.assent.approval+json"}]
    notebook.reopen_without_kernel()
    notebook.wait_for_output(1, "approved by ana")
    notebook.wait_for_output(1, "orders.drop(stale.index)")


def test_dark_theme(open_notebook: OpenNotebook) -> None:
    notebook = asking(open_notebook, ASK)
    notebook.theme(DARK)
    try:
        click(notebook.cards(1), "Edit …")
        notebook.screenshot("card-dark", of=notebook.cards(1))
        ground = notebook.cards(1).evaluate("node => getComputedStyle(node).backgroundColor")
        assert sum(int(part) for part in re.findall(r"\d+", ground)[:3]) < 3 * 80
        click(notebook.cards(1), "Approve edited")
        notebook.wait_for_output(1, "approved by ana")
        notebook.screenshot("card-dark-decided")
    finally:
        notebook.theme(LIGHT)


def test_what_else_a_person_should_know(open_notebook: OpenNotebook) -> None:
    question = """\
from assent.core.preview import Preview
gap = Preview("none", "Not previewed.", gaps=("transfer has no preview: what it would change is not known.",))
notes = (("Taint", "The run has read https://news.example/today, which nobody has trusted."),)
await ask(pending(tool="transfer", privilege="super_admin", arguments={"amount": "250.00", "to": "DE89 3704"},
    rule="policy.toml:12", notes=notes, approvers=2, approved_by=("ben",), until=1893456000.0, preview=gap));"""
    notebook = asking(open_notebook, question)
    card = notebook.cards(1)
    for words in (
        "(policy.toml:12)",
        "news.example",
        "1 of 2 have approved (ben)",
        "2030-01-01 00:00 UTC",
        "no preview",
    ):
        expect(card).to_contain_text(words)
    notebook.screenshot("card-notes", of=card)
    notebook.theme(DARK)
    try:
        notebook.screenshot("card-notes-dark", of=card)
    finally:
        notebook.theme(LIGHT)
    click(card, "Reject …")
    card.get_by_label("Why not?").press("Enter")
    assert decision(notebook)["verdict"] == "reject"
    notebook.wait_for_output(1, "Taint: The run has read https://news.example/today")
    notebook.screenshot("card-notes-decided")
