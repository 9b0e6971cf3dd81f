"""Execute a notebook and print what happens, cell by cell, as plain text."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import NoSuchKernel
from traitlets.config import Config

from assent.core.errors import AssentError, ConfigError, NotFound
from assent.jupyter.notebook_id import KEY, id_of

# What an analyst's notebook prints is nobody else's business on a shared machine.
_ENCRYPTED = Config({"KernelManager": {"transport_encryption": "auto"}})
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def _say(text: str) -> None:
    print(text, flush=True)  # a cell may take minutes, and its question is shown meanwhile


def execute(
    path: Path,
    *,
    kernel: str = "assent",
    output: Path | None = None,
    say: Callable[[str], None] = _say,
) -> None:
    """Run every cell with the named kernel, say its source as it begins and its outputs as it ends.

    `AssentError` once a cell fails. `output` gets the executed notebook, also after a failure.
    """
    nbformat, nbclient = _libraries()
    notebook = _read(nbformat, path)
    client: Any = nbclient.NotebookClient(
        notebook,
        timeout=None,
        kernel_name=kernel,
        config=_ENCRYPTED,
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_start=lambda cell, cell_index: say_prose(cell, say),
        on_cell_execute=lambda cell, cell_index: say(source_text(cell, client.code_cells_executed + 1)),
        on_cell_executed=lambda cell, cell_index, execute_reply: say(outputs_text(cell)),
    )
    try:
        # The name that a Jupyter server gives, so that runs know their notebook.
        client.execute(env=os.environ | {"JPY_SESSION_NAME": str(path.absolute())})
    except nbclient.exceptions.CellExecutionError as error:
        raise AssentError(f"{path} stopped: {error.ename}: {_plain(error.evalue)}") from None
    except NoSuchKernel:
        raise NotFound(f"There is no kernel {kernel!r}. Install Assent's with `assent install --sys-prefix`.") from None
    except nbclient.exceptions.DeadKernelError:
        raise AssentError(f"{path} stopped: the kernel {kernel!r} died. Its messages are above.") from None
    finally:
        if output is not None:
            mark(notebook)
            nbformat.write(notebook, output)


def mark(notebook: Any) -> None:
    """Write the id that an executed notebook has in its outputs into its own metadata, which outlives them."""
    if name := id_of(notebook):
        notebook["metadata"].setdefault(KEY, {})["notebook"] = name


def say_prose(cell: Mapping[str, Any], say: Callable[[str], None]) -> None:
    """Say a cell that is not code; nbclient reports no end of it."""
    if cell["cell_type"] != "code":
        say(f"{cell['source']}\n")


def source_text(cell: Mapping[str, Any], number: int) -> str:
    """A code cell's source as a terminal would show it, numbered."""
    prompt, source = f"In [{number}]: ", str(cell["source"])
    return prompt + source.replace("\n", "\n" + "...: ".rjust(len(prompt)))


def outputs_text(cell: Mapping[str, Any]) -> str:
    """What a code cell put out, and an empty line."""
    text = ""
    for output in cell.get("outputs", ()):
        if output["output_type"] != "stream" and text and not text.endswith("\n"):
            text += "\n"  # a stream goes on where the last one stopped
        text += output_text(output)
    text = text.rstrip("\n")
    return f"{text}\n" if text else ""


def output_text(output: Mapping[str, Any]) -> str:
    """The plain text of one output; an output without any is named by its type."""
    match output["output_type"]:
        case "stream":
            return _plain(output["text"])
        case "error":
            return _plain("\n".join(output["traceback"]))
        case _:
            data = output.get("data", {})
            return _plain(data["text/plain"]) if "text/plain" in data else f"<{', '.join(data) or 'nothing'}>"


def _plain(text: str) -> str:
    return _ANSI.sub("", text)


def _read(nbformat: Any, path: Path) -> Any:
    try:
        return nbformat.read(path, as_version=4)
    except OSError as error:
        raise NotFound(f"{path} could not be read: {error.strerror}.") from None
    except nbformat.reader.NotJSONError:
        raise ConfigError(f"{path} is no notebook: it is not JSON.") from None


def _libraries() -> tuple[Any, Any]:
    try:
        import nbclient  # only this command needs it, and it takes 0.2 s
        import nbformat
    except ImportError:
        raise ConfigError("`assent run` needs nbclient: pip install nbclient.") from None
    return nbformat, nbclient
