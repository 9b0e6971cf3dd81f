"""The quickstart notebook in JupyterLab: a person runs all cells, reads the card and approves."""

import json
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from tests.browser.notebook_page import NotebookPage
from tests.browser.server import REPO, Server

FOLDER = "quickstart"
NOTEBOOK = REPO / "notebooks" / "01-quickstart.ipynb"
SCRIPT = REPO / "tests" / "notebooks" / "quickstart.json"


@pytest.fixture
def notebook(browser: Browser, server: Server) -> Iterator[NotebookPage]:
    """The notebook without outputs, in a folder whose workspace names the scripted model."""
    folder = server.folder / FOLDER
    shutil.copytree(NOTEBOOK.parent, folder, ignore=shutil.ignore_patterns(".*"))
    (folder / ".assent").mkdir()
    (folder / ".assent" / "config.toml").write_text(f'model = "scripted:{SCRIPT.name}"\n', "utf-8")
    shutil.copy(SCRIPT, folder)
    content = json.loads(NOTEBOOK.read_text("utf-8"))
    for cell in content["cells"]:
        cell |= {"outputs": [], "execution_count": None} if cell["cell_type"] == "code" else {}
    (folder / NOTEBOOK.name).write_text(json.dumps(content), "utf-8")
    page = browser.new_context(viewport={"width": 1200, "height": 1000}).new_page()
    yield NotebookPage(page, server, f"{FOLDER}/{NOTEBOOK.name}")
    page.context.close()
    server.stop_kernels()


def code_cell(notebook: NotebookPage, name: str) -> int:
    """Which code cell, counted from 0, has this id."""
    ids = [cell["id"] for cell in notebook.saved()["cells"] if cell["cell_type"] == "code"]
    return ids.index(name)


def test_run_all_and_one_click(notebook: NotebookPage) -> None:
    change, pending, changed = (code_cell(notebook, name) for name in ("change", "pending", "changed"))
    notebook.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    card = notebook.cards(change)
    expect(card).to_be_visible(timeout=30_000)
    assert "bill_ratio" in card.inner_text()
    assert notebook.prompt(change) == "[*]:"
    notebook.cell(change).scroll_into_view_if_needed()
    notebook.screenshot("quickstart-card")
    card.get_by_role("button", name="Approve", exact=True).click()
    notebook.wait_for_output(change, "Added bill_ratio")
    assert notebook.output_text(change).count("divided by bill depth") == 1
    assert "not run" not in notebook.output_text(change)
    notebook.wait_for_output(pending, "Nothing waits for your answer.")
    notebook.wait_until_done(len([cell for cell in notebook.saved()["cells"] if cell["cell_type"] == "code"]) - 1)
    notebook.wait_for_output(changed, "2.090909")
    notebook.screenshot("quickstart-done")
    saved = notebook.save()
    assert [
        output for cell in saved["cells"] for output in cell.get("outputs", []) if output["output_type"] == "error"
    ] == []
