"""A dry run, a plan, a proposal, two people and a signed record: what an analyst sees of each in JupyterLab."""

import re

import pytest
from playwright.sync_api import Locator, expect
from tests.browser.notebook_page import DARK, LIGHT, NotebookPage, OpenNotebook
from tests.browser.server import Server
from tests.magics.scripts import Turn, asks, call, script, text
from tests.support.people import listed, passphrase

SETUP = """\
import pandas as pd
from assent import Proposal, tool

orders = pd.DataFrame({"order": range(1, 41), "status": ["test" if i % 8 == 7 else "paid" for i in range(40)]})
sent = []

@tool(privilege="execute_risky", source="none", preview=lambda to: f"one mail leaves, to {to}")
def mail(to: str, text: str = "") -> str:
    sent.append(to)
    return f"sent to {to}"

@tool(proposes=True, source="none")
def remind(days: int):
    return "1 is late.", [Proposal("mail", {"to": "ana@shop.example", "text": "Invoice 7 is due."}, why="40 days late")]
"""
CLEAN = 'orders = orders[orders["status"] != "test"]\norders.to_csv("orders.csv")'


@pytest.fixture
def opened(server: Server, open_notebook: OpenNotebook, request: pytest.FixtureRequest) -> "Opened":
    return Opened(server, open_notebook, re.sub(r"\W+", "-", request.node.name))


class Opened:
    """Makes a notebook in a folder of its own: after `SETUP` a cell asks an agent that follows `turns`."""

    def __init__(self, server: Server, open_notebook: OpenNotebook, name: str) -> None:
        self.folder = server.folder / name
        self.folder.mkdir()
        self._open = open_notebook

    def __call__(self, options: str, *turns: Turn, cells: tuple[str, ...] = (), before: str = "") -> NotebookPage:
        script(self.folder, *turns)
        asked = f"%%agent --model scripted:script.json {options}\nTidy up the orders and tell the team."
        notebook = self._open([before + SETUP, asked, *cells], kernel="assent", name=f"{self.folder.name}/orders.ipynb")
        notebook.run(0, 1)
        return notebook


def pictures(notebook: NotebookPage, name: str, of: Locator) -> None:
    """The same in both themes, for a person to look at."""
    notebook.screenshot(f"{name}-light", of=of)
    notebook.theme(DARK)
    try:
        notebook.screenshot(f"{name}-dark", of=of)
    finally:
        notebook.theme(LIGHT)


def test_a_dry_run_says_what_it_would_do_and_has_done_nothing(opened: Opened) -> None:
    turns = ([text("I would drop the test orders."), call("python", code=CLEAN), call("mail", to="team@shop.example")],
             "That is all that I would do.")  # fmt: skip
    notebook = opened("--mode dry-run --tools python,mail", *turns, cells=("print(len(orders), sent)",))
    notebook.wait_until_done(1)
    for words in (
        "dry-run",
        "If it ran: ",
        "5 rows removed (40 → 35)",
        "writes the file orders.csv",
        "one mail leaves",
    ):
        notebook.wait_for_output(1, words)
    notebook.wait_for_output(1, re.compile(r"Nothing was performed. It would have run:\s*1. python: writes the file"))
    assert notebook.cards(1).count() == 0
    notebook.run(2)
    notebook.wait_for_output(2, "40 []")
    pictures(notebook, "dry-run", notebook.output(1))


def test_a_strict_run_lays_its_plan_before_a_person(opened: Opened) -> None:
    plan = call("plan", steps=["Drop the 5 test orders", "Mail the team what was dropped"])
    turns = ([text("First my plan."), plan], [call("python", code=CLEAN)], "Done.")
    notebook = opened("--mode strict --tools python", *turns)
    card = notebook.cards(1).first
    expect(card).to_contain_text("analyst lays its plan before you")
    expect(card).to_contain_text("Step 1: Drop the 5 test orders")
    expect(card).to_contain_text("What it intends to do")
    expect(card).to_contain_text("asks you before each effect")
    pictures(notebook, "plan", card)
    card.get_by_role("button", name="Approve", exact=True).click()
    expect(notebook.cards(1).first).to_contain_text("in a strict run each effect asks")
    expect(notebook.cards(1).first.get_by_role("button", name="Allow python for this run")).to_have_count(0)
    notebook.cards(1).first.get_by_role("button", name="Approve", exact=True).click()
    notebook.wait_for_output(1, "Done.")


def test_the_reason_that_a_limit_gives_stands_out_and_limits_that_are_kept_do_not(opened: Opened) -> None:
    risk = """\
from assent import tool
from assent.risk import max_amount

@tool(privilege="execute_risky", source="none", risk=[max_amount("amount", 100, ask_over=50), max_amount("fee", 5)])
def pay(amount: int, fee: int) -> str:
    return "paid"
"""
    turns = ([text("The invoice is due."), call("pay", amount=60, fee=1)], "Done.")
    notebook = opened("--tools pay", *turns, before=risk)
    card = notebook.cards(1).first
    expect(card.get_by_text("Asked because", exact=True)).to_have_css("font-weight", "600")
    expect(card.locator("dd", has_text="amount 60 is over 50")).to_have_css("font-weight", "600")
    expect(card.get_by_text("fee 1 of at most 5")).to_have_css("font-weight", "400")
    pictures(notebook, "limits", card)
    card.get_by_role("button", name="Approve", exact=True).click()
    notebook.wait_for_output(1, "Done.")


def test_a_proposal_says_who_proposed_it_and_why(opened: Opened) -> None:
    notebook = opened("--tools remind,mail", [call("remind", days=30)], "Done.", cells=("print(sent)",))
    card = notebook.cards(1).first
    for words in (
        "analyst wants to run mail",
        "one mail leaves, to ana@shop.example",
        "40 days late",
        "remind, the call",
    ):
        expect(card).to_contain_text(words)
    pictures(notebook, "proposal", card)
    card.get_by_role("button", name="Approve", exact=True).click()
    notebook.wait_for_output(1, "Done.")
    notebook.run(2)
    notebook.wait_for_output(2, "['ana@shop.example']")


def test_two_people_approve_and_the_record_of_it_is_signed(opened: Opened) -> None:
    before = (
        f"import os\nos.environ.update(ASSENT_PEOPLE={str(listed())!r}, XDG_CONFIG_HOME={str(opened.folder)!r}, "
        "PYTHON_KEYRING_BACKEND='keyring.backends.fail.Keyring', ASSENT_SIGNING_PASSPHRASE='horse and cart')\n"
    )
    cells = ("%agent audit sign", "%agent verify", "%agent audit")
    (opened.folder / ".assent").mkdir()
    (opened.folder / ".assent" / "policy.toml").write_text('[ask]\nwho = ["ana", "ben", "eve"]\napprovers = 2\n')
    notebook = opened("", asks(CLEAN, "The test orders distort the totals."), "Done.", cells=cells, before=before)
    card = notebook.cards(1).first
    expect(card).to_contain_text("0 of 2 have approved; it must be ana or ben or eve, each with a passphrase")
    expect(card.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    say(card, "ana", "a guess")
    expect(card).to_contain_text("This is not the passphrase of ana")
    say(card, "ana", passphrase("ana"))
    expect(card).to_contain_text("Approved by ana; somebody else must approve too.")
    expect(card).to_contain_text("1 of 2 have approved (ana)")
    expect(card.get_by_label("Your name")).not_to_be_visible()
    pictures(notebook, "two-people", card)
    say(card, "ben", passphrase("ben"))
    notebook.wait_for_output(1, "Approved by ben.")
    notebook.wait_for_output(1, "Done.")
    notebook.run(2, 3, 4)
    notebook.wait_for_output(2, "Signed up to event")
    notebook.wait_for_output(3, re.compile("events, the chain fits.*Signed up to event", re.DOTALL))
    notebook.wait_for_output(4, "ana, ben")
    assert passphrase("ana") not in notebook.page.content()
    notebook.screenshot("audit-light")


def say(card: Locator, name: str, words: str) -> None:
    """Approve as somebody."""
    card.get_by_role("button", name="Approve as …").click()
    card.get_by_label("Your name").fill(name)
    card.get_by_label("Your passphrase").fill(words)
    card.get_by_role("button", name="Approve", exact=True).click()
