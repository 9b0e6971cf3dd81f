"""A card with the preview of its call, over the Assent kernel: what an analyst sees before saying yes."""

import re

import pytest
from playwright.sync_api import Locator, expect
from tests.browser.notebook_page import DARK, LIGHT, NotebookPage, OpenNotebook
from tests.browser.server import Server
from tests.magics.scripts import asks, script

ORDERS = """\
import pandas as pd
n = 2400
orders = pd.DataFrame({
    "order": range(10_001, 10_001 + n),
    "region": [["North", "South", "West"][i % 3] for i in range(n)],
    "status": ["test" if i % 65 == 7 else "paid" for i in range(n)],
    "price": [None if i % 800 == 5 else round(9.9 + i % 89 * 1.7, 2) for i in range(n)],
})"""
CODE = """\
orders = orders[orders["status"] != "test"].copy()
orders["price"] = orders["price"].fillna(0)
by_region = orders.groupby("region", as_index=False)["price"].sum()
by_region.to_csv("by_region.csv", index=False)
print(by_region)"""
WHY = "The test orders distort the totals, so I remove them, fill the gaps and add up by region."


@pytest.fixture
def notebook(server: Server, open_notebook: OpenNotebook, request: pytest.FixtureRequest) -> NotebookPage:
    """A notebook whose agent asks to clean the orders."""
    folder = server.folder / re.sub(r"\W+", "-", request.node.name).strip("-")
    folder.mkdir()
    script(folder, asks(CODE, WHY), "Done.", name="script")
    cell = "%%agent --model scripted:script.json\nWhat is the revenue by region?"
    check = "print(len(orders), 'by_region' in globals())\nimport os\nprint(os.path.exists('by_region.csv'))"
    opened = open_notebook([ORDERS, cell, check], kernel="assent", name=f"{folder.name}/orders.ipynb")
    opened.run(0, 1)
    opened.cards(1).first.wait_for()
    return opened


def preview(notebook: NotebookPage) -> Locator:
    return notebook.cards(1).get_by_role("region", name="What it would do")


def test_the_card_says_what_would_change_and_nothing_has_changed(notebook: NotebookPage) -> None:
    box = preview(notebook)
    expect(box).to_contain_text("orders: 37 rows removed (2,400 → 2,363)")
    expect(box).to_contain_text("3 fewer nulls in price")
    expect(box).to_contain_text("writes the file by_region.csv")
    expect(box).to_contain_text("by_region is new: DataFrame, 3 rows, 2 columns")
    expect(box).to_contain_text("Tried on a copy of the kernel")
    notebook.screenshot("preview-light", of=notebook.cards(1))
    box.get_by_text("Look closer").click()
    expect(box.locator(".assent-differs").first).to_be_visible()
    notebook.screenshot("preview-open-light", of=notebook.cards(1))
    notebook.theme(DARK)
    try:
        notebook.screenshot("preview-open-dark", of=notebook.cards(1))
        box.get_by_text("Look closer").click()
        notebook.screenshot("preview-dark", of=notebook.cards(1))
    finally:
        notebook.theme(LIGHT)
    notebook.screenshot("preview-page")
    notebook.cards(1).get_by_role("button", name="Reject …").click()
    notebook.cards(1).get_by_label("Why not?").press("Enter")
    notebook.wait_until_done(1)
    notebook.run(2)
    notebook.wait_for_output(2, "2400 False")
    notebook.wait_for_output(2, "False")
    notebook.wait_for_output(1, "If it runs: writes the file by_region.csv; orders: 37 rows removed")
    notebook.screenshot("preview-after")


def test_what_was_foreseen_comes_to_pass(notebook: NotebookPage) -> None:
    notebook.cards(1).get_by_role("button", name="Approve", exact=True).click()
    notebook.wait_until_done(1)
    notebook.run(2)
    notebook.wait_for_output(2, "2363 True")
    notebook.wait_for_output(2, "True")
