"""A notebook open in a real front end, as a person uses it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Locator, Page, expect
from tests.browser.server import REPO, Server

Front = Literal["lab", "notebook"]
SCREENSHOTS = REPO / "artifacts" / "screenshots"
DARK, LIGHT = "JupyterLab Dark", "JupyterLab Light"
_URLS = {"lab": "doc/tree", "notebook": "notebooks"}
_READY = """() => {
    const panel = window.jupyterapp?.shell.currentWidget;
    return panel?.context?.sessionContext?.session?.kernel?.status === 'idle';
}"""
_RUN = """async i => {
    window.jupyterapp.shell.currentWidget.content.activeCellIndex = i;
    window.jupyterapp.commands.execute('notebook:run-cell');
}"""


class NotebookPage:
    """Opens a notebook and waits for its kernel. Cells are counted from 0; times are in seconds."""

    def __init__(self, page: Page, server: Server, name: str, front: Front = "lab") -> None:
        self.page = page
        self.server = server
        self.name = name
        self.front = front
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.open()

    def open(self, *, kernel: bool = True) -> None:
        """Load the page; with `kernel`, until its kernel is idle."""
        self.page.goto(f"{self.server.url}/{_URLS[self.front]}/{self.name}?token={self.server.token}")
        self.page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=40_000)
        if kernel:
            self.page.wait_for_function(_READY, timeout=40_000)

    def command(self, name: str, arguments: Any = None) -> Any:
        """Run one of JupyterLab's commands, and wait for it."""
        script = "async ([name, args]) => { await window.jupyterapp.commands.execute(name, args ?? undefined); }"
        return self.page.evaluate(script, [name, arguments])

    def cell(self, index: int) -> Locator:
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(index)

    def run(self, *indexes: int) -> None:
        """Run cells, without waiting for them."""
        for index in indexes:
            self.page.evaluate(_RUN, index)

    def output(self, index: int) -> Locator:
        return self.cell(index).locator(".jp-Cell-outputArea")

    def output_text(self, index: int) -> str:
        return self.output(index).inner_text()

    def wait_for_output(self, index: int, text: str | re.Pattern[str], timeout: float = 15) -> None:
        expect(self.output(index)).to_contain_text(text, timeout=timeout * 1000)

    def prompt(self, index: int) -> str:
        """What stands before a cell: `[*]:` while it runs, then its number."""
        return self.cell(index).locator(".jp-InputPrompt").inner_text()

    def wait_until_done(self, index: int, timeout: float = 15) -> None:
        expect(self.cell(index).locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]"), timeout=timeout * 1000)

    def cards(self, index: int) -> Locator:
        """The approval cards in a cell's output."""
        return self.output(index).get_by_role("group", name="Approval for")

    def save(self) -> dict[str, Any]:
        """Save, and read the file."""
        self.command("docmanager:save")
        return self.saved()

    @property
    def path(self) -> Path:
        return self.server.folder / self.name

    def saved(self) -> dict[str, Any]:
        """The file as it is, an nbformat 4 notebook."""
        return dict(json.loads(self.path.read_text("utf-8")))

    def restart_kernel(self) -> None:
        """Restart the kernel as its menu does, and wait until it is idle."""
        script = "async () => { await window.jupyterapp.shell.currentWidget.context.sessionContext.restartKernel(); }"
        self.page.evaluate(script)
        self.page.wait_for_function(_READY, timeout=40_000)

    def interrupt_kernel(self) -> None:
        self.command("notebook:interrupt-kernel")

    def reload(self) -> None:
        """Reload the page, as a person who lost patience."""
        self.page.reload()
        self.page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=40_000)
        self.page.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.context?.isReady", timeout=40_000)

    def reopen_without_kernel(self) -> None:
        """Save nothing more, end the kernel, and load the notebook as a file that has none."""
        self.server.stop_kernels()
        saved = self.saved()
        saved["metadata"].pop("kernelspec", None)
        self.path.write_text(json.dumps(saved))
        self.open(kernel=False)
        self.page.locator(".jp-Dialog").get_by_role("button", name="No Kernel").click()

    def theme(self, name: str) -> None:
        self.command("apputils:change-theme", {"theme": name})
        dark = "false" if name == DARK else "true"
        self.page.locator(f"body[data-jp-theme-light='{dark}']").wait_for(state="attached")
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")

    def screenshot(self, name: str, of: Locator | None = None) -> Path:
        """A picture of the page, or of a part of it, for a person to look at."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        (of or self.page).screenshot(path=path)
        return path


OpenNotebook = Callable[..., NotebookPage]
