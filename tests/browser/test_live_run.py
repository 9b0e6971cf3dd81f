"""A run shown live, and what stays of it, in a real front end on a stock kernel."""

import re

import pytest
from playwright.sync_api import Locator, expect
from tests.browser.notebook_page import DARK, LIGHT, Front, NotebookPage, OpenNotebook

IMPORTS = "from samples import *"
ANSWER = "Revenue grew from $1,234.50 in January to $14,814.00 in December."
LEFT_RUNNING = "live = await show_run(stop_before=Kind.RUN_FINISHED)"


def live(notebook: NotebookPage, index: int = 1) -> Locator:
    return notebook.output(index).get_by_role("region", name="Agent run")


def showing(open_notebook: OpenNotebook, *cells: str, front: Front = "lab") -> NotebookPage:
    notebook = open_notebook([IMPORTS, *cells], front=front)
    notebook.run(0, 1)
    return notebook


@pytest.mark.parametrize("front", ["lab", "notebook"])
def test_a_run_streams_and_leaves_its_static_form(open_notebook: OpenNotebook, front: Front) -> None:
    notebook = showing(open_notebook, "await show_run(0.05);", front=front)
    expect(live(notebook)).to_contain_text("GROUP BY month")
    expect(live(notebook).get_by_role("table").first).to_contain_text("2024-12")
    expect(live(notebook)).to_contain_text("Approved by ana: fine")
    notebook.screenshot(f"live-{front}")
    expect(live(notebook)).to_have_count(0, timeout=15_000)
    expect(notebook.output(1)).to_contain_text(ANSWER)
    expect(notebook.output(1)).to_contain_text("finished")
    assert notebook.output(1).locator("mjx-container").count() == 0, "prices are no formulas"
    notebook.screenshot(f"static-{front}")


def test_seconds_tick_and_clicks_on_pause_and_stop_are_sent(open_notebook: OpenNotebook) -> None:
    heard = "stopped, paused = [], []\nlive.on_stop(stopped.append)\nlive.on_pause(paused.append)"
    notebook = showing(open_notebook, LEFT_RUNNING, heard, "print('stopped', stopped, 'paused', paused)")
    seconds = live(notebook).locator(".assent-seconds")
    before = seconds.inner_text()
    expect(seconds).not_to_have_text(before)
    notebook.run(2)
    notebook.wait_until_done(2)
    for name in ("Pause this run", "Stop this run"):
        button = live(notebook).get_by_role("button", name=name)
        button.evaluate("node => node.click()")
        expect(button).to_be_enabled()
        button.click()
        expect(button).to_be_disabled()
        notebook.screenshot(f"live-{name.partition(' ')[0].lower()}")
    notebook.run(3)
    notebook.wait_for_output(3, "stopped ['k3v9x2m4qa'] paused ['k3v9x2m4qa']")


def test_details_that_were_opened_stay_open(open_notebook: OpenNotebook) -> None:
    notebook = showing(open_notebook, "task = asyncio.ensure_future(show_run(0.1, stop_before=Kind.RUN_FINISHED));")
    details = live(notebook).locator("details")
    expect(details).not_to_have_attribute("open", "")
    details.locator("summary").click()
    expect(live(notebook)).to_contain_text("1,234.50")
    expect(live(notebook)).to_contain_text("3 steps")
    expect(details).to_have_attribute("open", "")
    expect(details).to_contain_text("I need the totals per month first.")


def test_a_reloaded_page_and_a_second_view_show_the_whole_run(open_notebook: OpenNotebook) -> None:
    notebook = showing(open_notebook, LEFT_RUNNING, "display(live)")
    expect(live(notebook)).to_contain_text(ANSWER)
    notebook.run(2)
    expect(live(notebook, 2)).to_contain_text(ANSWER)
    shown = _without_seconds(live(notebook).inner_text())
    assert _without_seconds(live(notebook, 2).inner_text()) == shown
    notebook.save()
    notebook.reload()
    expect(live(notebook)).to_contain_text(ANSWER)
    assert _without_seconds(live(notebook).inner_text()) == shown


def test_a_view_that_missed_a_message_asks_for_everything(open_notebook: OpenNotebook) -> None:
    """The server drops messages when too many come; a lost one must not leave a hole for ever."""
    begin = "live = await show_run(stop_before=Kind.CALL_DECIDED)"
    lose = """
send, live.send = live.send, lambda content: None
for event in events()[2:6]:
    live.transcript.apply(event)
    live.publish()
del live.send
live.transcript.apply(events()[6])
live.publish()
"""
    notebook = showing(open_notebook, begin, lose)
    expect(live(notebook)).to_contain_text("I need the totals", use_inner_text=False)
    notebook.run(2)
    expect(live(notebook)).to_contain_text("GROUP BY month")
    expect(live(notebook)).to_contain_text("waiting for approval")


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_static_form_survives_saving_in_an_untrusted_notebook(open_notebook: OpenNotebook, theme: str) -> None:
    notebook = showing(open_notebook, "await show_run();")
    notebook.wait_for_output(1, "finished")
    expect(live(notebook)).to_have_count(0)
    saved = notebook.save()["cells"][1]["outputs"]
    assert [set(output["data"]) for output in saved] == [{"text/plain", "text/html", "application/vnd.assent.run+json"}]
    notebook.reopen_without_kernel()
    notebook.wait_for_output(1, ANSWER)
    notebook.theme(theme)
    try:
        expect(notebook.output(1).get_by_role("table").first).to_contain_text("2024-12")
        notebook.screenshot(f"static-untrusted-{'dark' if theme == DARK else 'light'}")
        pre = notebook.output(1).locator("pre").first
        assert pre.evaluate("node => getComputedStyle(node).whiteSpace") == "pre-wrap", "styles were sanitised away"
    finally:
        notebook.theme(LIGHT)


def _without_seconds(text: str) -> str:
    return re.sub(r"[\d.]+ s\b", "", text)
