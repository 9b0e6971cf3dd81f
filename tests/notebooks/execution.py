"""A copy of a notebook, executed by the Assent kernel in a process of its own, as `make demo` does."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
QUICKSTART = NOTEBOOKS / "01-quickstart.ipynb"
SCRIPT = Path(__file__).parent / "quickstart.json"

_WEIGHTS = "ASSENT_CACHE"  # the user's, or the local model would be fetched again

Cell = dict[str, Any]


def copy_notebooks(folder: Path) -> Path:
    """The notebooks and their data, with a workspace of their own; the copy of the quickstart."""
    shutil.copytree(NOTEBOOKS, folder / "notebooks", ignore=shutil.ignore_patterns(".*"))
    (folder / "notebooks" / ".assent").mkdir()
    return folder / "notebooks" / QUICKSTART.name


def environment(folder: Path, model: str = f"scripted:{SCRIPT}") -> dict[str, str]:
    """Variables for a kernel that reads and writes nothing of the user's, whose analyst is called ana."""
    private = {
        "ASSENT_MODEL": model, "ASSENT_USER": "ana", "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"), "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }  # fmt: skip
    inherited = {name: os.environ[name] for name in os.environ if not name.startswith("ASSENT_") or name == _WEIGHTS}
    return inherited | private


def run(module: str, arguments: Sequence[str | Path], env: dict[str, str], cwd: Path) -> str:
    """Run `python -m module` and give what it said; a failure fails the test with its last words."""
    command = [sys.executable, "-m", module, *[str(argument) for argument in arguments]]
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{module} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def read(notebook: Path) -> dict[str, Cell]:
    """A notebook's cells by their id."""
    return {cell["id"]: cell for cell in json.loads(notebook.read_text("utf-8"))["cells"]}


def source(cell: Cell) -> str:
    return "".join(cell["source"])


def outputs(cell: Cell, kind: str = "text/plain") -> str:
    """What a cell put out, streams included, in one of its forms."""
    parts = [output.get("text") or output.get("data", {}).get(kind, "") for output in cell["outputs"]]
    return "\n".join(["".join(part) for part in parts])
