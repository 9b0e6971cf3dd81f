"""The kernel dies in the middle of a call, in JupyterLab; the next one says what is unknown, and asks about it."""

from playwright.sync_api import expect
from tests.browser.notebook_page import DARK, LIGHT, OpenNotebook
from tests.browser.server import Server
from tests.magics.scripts import asks, script

DEADLY = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
FIND = "run = get_ipython().run_line_magic('agent', 'sql SELECT run FROM runs')['run'][0]"


def test_what_was_cut_off_is_told_asked_about_and_goes_on(server: Server, open_notebook: OpenNotebook) -> None:
    folder = server.folder / "crash"
    folder.mkdir()
    script(folder, asks(DEADLY, "The stale orders go."), "So they are gone.")
    ask = "%%agent --model scripted:script.json\nDrop the stale orders."
    notebook = open_notebook([ask, "%agent", FIND, "%agent resume {run}"], kernel="assent", name="crash/orders.ipynb")
    notebook.run(0)
    notebook.cards(0).get_by_role("button", name="Approve", exact=True).click()
    dialog = notebook.page.locator(".jp-Dialog")
    dialog.wait_for()
    notebook.screenshot("crash-died")
    dialog.get_by_role("button", name="Ok").click()
    notebook.page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.context.sessionContext.session?.kernel?.status === 'idle'"
    )
    notebook.run(1)
    notebook.wait_for_output(1, "cut off, the outcome of python is unknown")
    assert '"Drop the stale orders."  orders.ipynb  %agent resume ' in notebook.output_text(1)
    notebook.run(2, 3)
    card = notebook.cards(3)
    expect(card).to_contain_text("nobody recorded how it ended")
    notebook.screenshot("crash-asked")
    notebook.theme(DARK)
    try:
        notebook.screenshot("crash-asked-dark")
    finally:
        notebook.theme(LIGHT)
    card.get_by_role("button", name="It did happen …").click()
    card.get_by_label("What was its result?").fill("37 rows dropped")
    card.get_by_role("button", name="Record").click()
    notebook.wait_for_output(3, "So they are gone.")
    notebook.wait_until_done(3)
    notebook.screenshot("crash-settled")
    expect(notebook.output(3)).to_contain_text("says that it happened: 37 rows dropped")
