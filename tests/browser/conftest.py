"""A real server for the session, a browser for each module, a notebook for each test."""

import json
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright
from tests.browser.notebook_page import Front, NotebookPage, OpenNotebook
from tests.browser.server import Server, serve

_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
# The front ends raise these themselves, without any widget: Notebook 7 while it loads, JupyterLab as a kernel restarts.
_NOT_OURS = re.compile(
    r"reading 'schema'|Command 'filebrowser:open-path' not registered"
    r"|Canceled future for \w+ message before replies were done"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(__file__.rpartition("/")[0]):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(90))  # the first test pays for the server's start


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve(tmp_path_factory.mktemp("jupyter")) as running:
        yield running


@pytest.fixture(scope="module")  # for as long as Playwright runs, no other test could call asyncio.run
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("No chromium was found. Install it (on Debian: apt install chromium) to run the browser tests.")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, headless=True, args=_FLAGS)
        yield started
        started.close()


@pytest.fixture
def open_notebook(browser: Browser, server: Server, request: pytest.FixtureRequest) -> Iterator[OpenNotebook]:
    """`open_notebook(cells, front="lab", kernel="python3")`; a picture is kept of every page of a test."""
    opened: list[NotebookPage] = []
    title = re.sub(r"\W+", "-", request.node.name).strip("-")

    def open_(cells: list[str], *, front: Front = "lab", kernel: str = "python3", name: str = "") -> NotebookPage:
        name = name or f"{title}-{len(opened)}.ipynb"
        write_notebook(server, name, cells, kernel)
        page = browser.new_context(viewport={"width": 1200, "height": 1000}).new_page()
        opened.append(NotebookPage(page, server, name, front))
        return opened[-1]

    yield open_
    for number, notebook in enumerate(opened):
        notebook.screenshot(f"{title}-{number}" if number else title)
        notebook.page.context.close()
    server.stop_kernels()
    assert [error for notebook in opened for error in notebook.errors if not _NOT_OURS.search(error)] == []


def write_notebook(server: Server, name: str, cells: list[str], kernel: str) -> None:
    spec = {"name": kernel, "display_name": kernel, "language": "python"}
    blank: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": spec},
        "cells": [{**blank, "id": f"cell-{number}", "source": source} for number, source in enumerate(cells)],
    }
    (server.folder / name).write_text(json.dumps(notebook), "utf-8")
