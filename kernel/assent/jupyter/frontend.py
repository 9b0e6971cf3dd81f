"""Facts about the front end: which notebook and cell is running, and how a person there can be asked."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Way = Literal["widget", "stdin", "terminal", "none"]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a run was started: the notebook's path and the cell's id, where the front end tells them."""

    notebook: str | None = None
    cell: str | None = None


def shell() -> Any | None:
    """The running IPython shell, or None; IPython is not imported for the question."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def kernel() -> Any | None:
    """The running Jupyter kernel, or None in a terminal or a script."""
    return getattr(shell(), "kernel", None)


def provenance() -> Provenance:
    """The notebook and the cell that is running now."""
    return Provenance(_notebook(), _cell(_parent()))


def way_to_ask() -> Way:
    """How a person can be asked. "none" means that nobody is there: a run must suspend or deny."""
    request = _parent()
    if request is None:
        return "terminal" if _at_a_terminal() else "none"
    if not request["content"].get("allow_stdin", False):
        return "none"  # nbclient, papermill: whoever cannot type cannot click either
    return "widget" if _cell(request) else "stdin"


def at_shutdown(act: Callable[[], None]) -> None:
    """Call `act` when a front end shuts the Assent kernel down, while its workspace is open; no other kernel does."""
    actions = getattr(kernel(), "at_shutdown", None)
    if actions is not None:
        actions.append(act)


def _parent() -> dict[str, Any] | None:
    running = kernel()
    if running is None:
        return None
    request: dict[str, Any] = running.get_parent("shell")
    return request or {"content": {}, "metadata": {}}


def _cell(request: dict[str, Any] | None) -> str | None:
    cell: str | None = (request or {}).get("metadata", {}).get("cellId")
    return cell


def _notebook() -> str | None:
    names = getattr(shell(), "user_ns", {})
    return names.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME") or None


def _at_a_terminal() -> bool:
    return bool(sys.stdin and sys.stdin.isatty() and sys.stdout and sys.stdout.isatty())
