"""`%%agent` in JupyterLab and Notebook 7 over the Assent kernel, with a scripted model, as an analyst sees it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect
from tests.browser.notebook_page import DARK, LIGHT, Front, NotebookPage, OpenNotebook
from tests.browser.server import Server
from tests.magics.scripts import Turn, asks, call, script, text

FRAME = """\
import pandas as pd
penguins = pd.DataFrame({
    "species": ["Adelie"] * 3 + ["Gentoo"] * 2 + ["Chinstrap"],
    "island": ["Torgersen", "Biscoe", "Dream", "Biscoe", "Biscoe", "Dream"],
    "body_mass_g": [3750, 3800, 3250, 4500, 5700, None],
})"""
QUERY = """\
SELECT species, count(*) AS penguins, round(avg(body_mass_g)) AS mean_mass_g
FROM penguins
GROUP BY species ORDER BY mean_mass_g DESC"""
CODE = """\
penguins["heavy"] = penguins["body_mass_g"] > 4000
penguins["heavy"].sum()"""
ANSWER = """\
**Gentoo** penguins are the heaviest, with a mean of 5,100 g.

- `penguins` has a new column, `heavy`
- One Chinstrap was never weighed"""
LOOK = [text("First I compare the species."), call("sql", query=QUERY)]
CHANGE = asks(CODE, "To answer by weight class I add a column that marks penguins above 4 kg.")


class Desk:
    """A folder with a notebook of the penguins and the scripts of its agents; its workspace is its own."""

    def __init__(self, folder: Path, open_notebook: OpenNotebook) -> None:
        folder.mkdir()
        self.folder = folder
        self._open = open_notebook

    def agent(self, *turns: Turn, options: str = "", name: str = "script") -> str:
        """A cell whose agent follows these turns."""
        script(self.folder, *turns, name=name)
        return f"%%agent --model scripted:{name}.json {options}".rstrip() + "\nWhich penguins are heavy?"

    def open(self, *cells: str, front: Front = "lab") -> NotebookPage:
        """A notebook whose first cell makes the DataFrame `penguins`."""
        name = f"{self.folder.name}/penguins.ipynb"
        return self._open([FRAME, *cells], front=front, kernel="assent", name=name)

    def asking(self, *cells: str, front: Front = "lab") -> NotebookPage:
        """A notebook all of whose cells were told to run, at the time when a card shows in the second."""
        notebook = self.open(*cells, front=front)
        notebook.run(*range(len(cells) + 1))
        notebook.cards(1).first.wait_for()
        return notebook


@pytest.fixture
def desk(server: Server, open_notebook: OpenNotebook, request: pytest.FixtureRequest) -> Desk:
    return Desk(server.folder / re.sub(r"\W+", "-", request.node.name).strip("-"), open_notebook)


def live(notebook: NotebookPage, index: int = 1) -> Locator:
    return notebook.output(index).get_by_role("region", name="Agent run")


def click(card: Locator, name: str) -> None:
    card.get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize("front", ["lab", "notebook"])
def test_ask_see_approve_and_read(desk: Desk, front: Front) -> None:
    cell = desk.agent(LOOK, CHANGE, ANSWER)
    notebook = desk.asking(cell, "penguins['heavy'].sum()", front=front)
    assert "*" in notebook.prompt(1)
    expect(live(notebook)).to_contain_text("GROUP BY species")
    expect(live(notebook)).to_contain_text("5100")
    expect(live(notebook)).to_contain_text("waiting for approval")
    notebook.screenshot(f"agent-asks-{front}")
    click(notebook.cards(1), "Approve")
    notebook.wait_for_output(1, "One Chinstrap was never weighed")
    notebook.wait_until_done(1)
    notebook.wait_for_output(2, "2")
    expect(live(notebook)).to_have_count(0)
    expect(notebook.cards(1)).to_have_count(0)
    assert notebook.output_text(1).count('penguins["heavy"].sum()') == 1, "told once"
    notebook.screenshot(f"agent-finished-{front}")


@pytest.mark.parametrize("front", ["lab", "notebook"])
def test_edit_then_reject_then_allow_for_the_run(desk: Desk, front: Front) -> None:
    turns: list[Turn] = [asks("made = 1"), asks("made = 2"), asks("made += 10"), asks("made += 100"), "Counted."]
    notebook = desk.asking(desk.agent(*turns), "made", front=front)
    card = notebook.cards(1)
    click(card, "Edit …")
    card.get_by_label("Edit the Python").fill("made = 5")
    click(card, "Approve edited")
    notebook.wait_for_output(1, "with edits")
    expect(card).to_contain_text("made = 2")
    click(card, "Reject …")
    card.get_by_label("Why not?").fill("one is enough")
    notebook.screenshot(f"agent-reject-{front}")
    card.get_by_label("Why not?").press("Enter")
    expect(card).to_contain_text("made += 10")
    expect(notebook.output(1)).to_contain_text("one is enough")
    click(card, "Allow python for this run")
    notebook.wait_for_output(1, "Counted.")
    notebook.wait_for_output(2, "115")
    notebook.screenshot(f"agent-edited-rejected-allowed-{front}")


def test_two_cards_at_once(desk: Desk) -> None:
    both = [text("Two things at once."), call("python", code="one = 1"), call("python", code="two = 2")]
    notebook = desk.asking(desk.agent(both, "Both are settled."))
    cards = notebook.cards(1)
    expect(cards).to_have_count(2)
    notebook.screenshot("agent-two-cards")
    click(cards.filter(has_text="two = 2"), "Approve")
    expect(cards).to_have_count(1)
    expect(live(notebook)).to_contain_text("Approved by")
    click(cards, "Reject …")
    cards.get_by_label("Why not?").press("Enter")
    notebook.wait_for_output(1, "Both are settled.")


@pytest.mark.parametrize("front", ["lab", "notebook"])
def test_a_click_after_the_cell_ended(desk: Desk, front: Front) -> None:
    """The run goes on by itself, and its end stands in the same cell."""
    cell = desk.agent(CHANGE, ANSWER, options="--wait 0.3 --into said")
    notebook = desk.open(cell, "print(said)", front=front)
    notebook.run(0, 1)
    notebook.wait_until_done(1)
    notebook.wait_for_output(1, "nobody answered within 0.3 s")
    notebook.screenshot(f"agent-suspended-{front}")
    click(notebook.cards(1), "Approve")
    notebook.wait_for_output(1, "One Chinstrap was never weighed")
    expect(notebook.cards(1)).to_have_count(0)
    expect(notebook.output(1)).to_contain_text("finished")
    expect(live(notebook)).to_have_count(0)
    notebook.screenshot(f"agent-went-on-{front}")
    notebook.run(2)
    notebook.wait_for_output(2, "Gentoo")


def test_a_page_reloaded_in_the_middle(desk: Desk) -> None:
    """The page that asked is gone; the kernel still waits. Another cell can be run once the wait is over."""
    cell = desk.agent(CHANGE, ANSWER, options="--wait 4")
    notebook = desk.open(cell, "%agent pending", "print(penguins.heavy.sum())")
    notebook.run(0, 1)
    notebook.cards(1).first.wait_for()
    notebook.reload()
    notebook.run(2)
    notebook.cards(2).first.wait_for()
    notebook.screenshot("agent-pending-after-reload")
    click(notebook.cards(2), "Approve")
    notebook.wait_for_output(2, "One Chinstrap was never weighed")
    notebook.run(3)
    notebook.wait_for_output(3, "2")


def test_a_kernel_restarted_in_the_middle(desk: Desk) -> None:
    notebook = desk.open(desk.agent(CHANGE, ANSWER), "%agent", "%agent pending", "print(penguins.heavy.sum())")
    notebook.run(0, 1)
    notebook.cards(1).first.wait_for()
    notebook.restart_kernel()
    expect(notebook.cards(1).get_by_role("status")).to_contain_text("%agent pending")
    expect(live(notebook)).to_contain_text("cut off")
    expect(live(notebook)).to_contain_text("The kernel that ran this is gone.")
    expect(live(notebook).get_by_role("button", name="Stop this run")).to_be_hidden()
    notebook.run(0, 2)
    notebook.wait_for_output(2, "1 call waits for your answer")
    notebook.run(3)
    notebook.cards(3).first.wait_for()
    notebook.screenshot("agent-pending-after-restart")
    click(notebook.cards(3), "Approve")
    notebook.wait_for_output(3, "One Chinstrap was never weighed")
    expect(notebook.cards(3)).to_have_count(0)
    notebook.run(4)
    notebook.wait_for_output(4, "2")


def test_stop_while_a_card_waits(desk: Desk) -> None:
    notebook = desk.asking(desk.agent(CHANGE, ANSWER), "print('alive')")
    click(live(notebook), "Stop this run")
    notebook.wait_for_output(1, "KeyboardInterrupt: The run was stopped")
    expect(notebook.output(1)).to_contain_text("cancelled")
    expect(notebook.cards(1)).to_have_count(0)
    notebook.screenshot("agent-stopped")


@pytest.mark.parametrize("how", ["stop", "interrupt"])
def test_an_end_while_code_holds_up_the_kernel(desk: Desk, how: str) -> None:
    notebook = desk.asking(desk.agent(asks("import time\ntime.sleep(60)"), ANSWER), "", "print('alive')")
    click(notebook.cards(1), "Approve")
    expect(live(notebook)).to_contain_text("running", timeout=15000)
    expect(live(notebook).locator(".assent-block", has_text="python")).to_contain_text("running", timeout=15000)
    if how == "stop":
        click(live(notebook), "Stop this run")
    else:
        notebook.interrupt_kernel()
    notebook.wait_for_output(1, "KeyboardInterrupt: The run was")
    expect(notebook.output(1)).to_contain_text("interrupted")
    expect(notebook.output(1)).not_to_contain_text("Traceback")
    notebook.run(3)
    notebook.wait_for_output(3, "alive")
    notebook.screenshot(f"agent-{how}")


ATTACK = """\
<img src=x onerror="attack()"><script>
const attack = () => {
    document.body.dataset.ran = 1;
    for (const node of document.querySelectorAll(".assent-card button")) node.click();
};
attack(); setInterval(attack, 50);
</script>"""


def test_an_agent_that_attacks_with_html(desk: Desk) -> None:
    """In its words, in what its code prints, in a table's cell, in the reason it gives."""
    cells = f"SELECT '{ATTACK.replace(chr(39), chr(34))}' AS html"
    turns: list[Turn] = [
        [text(f"# Look {ATTACK}"), call("sql", query=cells)],
        asks(f"print({ATTACK!r})", why=ATTACK),
        asks("safe = False", why=ATTACK),
        f"Done. {ATTACK}",
    ]
    notebook = desk.asking(desk.agent(*turns), "safe = True", "print(safe)")
    click(notebook.cards(1), "Approve")
    expect(notebook.cards(1)).to_contain_text("safe = False")
    assert notebook.page.evaluate("document.body.dataset.ran") is None
    assert notebook.output(1).locator("script, img").count() == 0
    click(notebook.cards(1), "Reject …")
    notebook.cards(1).get_by_label("Why not?").press("Enter")
    notebook.wait_for_output(1, "Done. ")
    notebook.wait_for_output(3, "True")
    assert notebook.page.evaluate("document.body.dataset.ran") is None
    assert notebook.output(1).locator("script, img").count() == 0
    notebook.screenshot("agent-attack")


def test_html_that_approved_code_displays_cannot_click(desk: Desk) -> None:
    """Code that was approved may display real HTML, and the page runs its script; the buttons do not believe it."""
    script_ = """
    const attack = () => {
        for (const node of document.querySelectorAll(".assent-card button")) node.click();
        document.body.dataset.tries = Number(document.body.dataset.tries ?? 0) + 1;
    };
    setInterval(attack, 50);
    """
    code = f"from IPython.display import HTML, display\ndisplay(HTML('<script>' + {script_!r} + '</script>'))"
    notebook = desk.asking(desk.agent(asks(code), asks("safe = False"), ANSWER), "print('safe' in globals())")
    click(notebook.cards(1), "Approve")
    expect(notebook.cards(1)).to_contain_text("safe = False")
    notebook.page.wait_for_function("() => Number(document.body.dataset.tries) >= 10")
    expect(notebook.cards(1).get_by_role("status")).to_have_text("Waiting for you")
    click(notebook.cards(1), "Reject …")
    notebook.cards(1).get_by_label("Why not?").press("Enter")
    notebook.wait_for_output(2, "False")


def test_a_click_while_code_holds_up_the_kernel(desk: Desk) -> None:
    """Two questions; the first, once approved, blocks the main thread until the second is answered."""
    blocks = (
        "import time\nsession = get_ipython()._assent_loaded[0].session\nend = time.monotonic() + 10\n"
        "while session.pending() and time.monotonic() < end: time.sleep(0.05)\nin_time = time.monotonic() < end"
    )
    other = desk.agent(asks("x = 1"), "Second done.", options="--wait 0.2", name="other")
    notebook = desk.open(other, desk.agent(asks(blocks), "First done."), "print(in_time)")
    notebook.run(0, 1)
    notebook.wait_until_done(1)
    notebook.run(2, 3)
    notebook.cards(2).first.wait_for()
    click(notebook.cards(2), "Approve")
    expect(live(notebook, 2).locator(".assent-block", has_text="python")).to_contain_text("running")
    click(notebook.cards(1), "Approve")
    expect(notebook.cards(1)).to_have_count(0, timeout=10000)
    notebook.wait_for_output(3, "True")
    notebook.wait_for_output(1, "Second done.")


def test_the_outcome_is_readable_without_a_kernel(desk: Desk) -> None:
    waits = desk.agent(CHANGE, ANSWER, options="--wait 0.2", name="waits")
    notebook = desk.asking(desk.agent(LOOK, CHANGE, ANSWER), waits)
    click(notebook.cards(1), "Approve")
    notebook.wait_for_output(1, "One Chinstrap was never weighed")
    notebook.wait_for_output(2, "nobody answered within 0.2 s")
    notebook.save()
    page = subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "html", "--stdout", str(notebook.path)],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for words in ("One Chinstrap was never weighed", "Approved by", "GROUP BY species", "%agent approve "):
        assert words in page
    notebook.reopen_without_kernel()
    notebook.wait_for_output(1, "One Chinstrap was never weighed")
    notebook.wait_for_output(1, "Approved by")
    notebook.wait_for_output(2, "analyst wants to run python")
    notebook.wait_for_output(2, "%agent approve ")
    notebook.screenshot("agent-without-kernel")


def test_in_the_dark(desk: Desk) -> None:
    notebook = desk.asking(desk.agent(LOOK, CHANGE, ANSWER))
    notebook.theme(DARK)
    try:
        notebook.screenshot("agent-asks-dark")
        click(notebook.cards(1), "Approve")
        notebook.wait_for_output(1, "One Chinstrap was never weighed")
        notebook.screenshot("agent-finished-dark")
        colour = notebook.output(1).locator("p").last.evaluate("node => getComputedStyle(node).color")
        assert min(int(part) for part in re.findall(r"\d+", colour)[:3]) > 120, "dark words on dark ground"
    finally:
        notebook.theme(LIGHT)
