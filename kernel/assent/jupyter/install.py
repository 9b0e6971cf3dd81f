"""Install the kernelspec with this interpreter's absolute path, so that any Jupyter server starts the right one."""

import json
import shutil
import sys
import sysconfig
import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager

from assent.core.errors import ConfigError

NAME = "assent"
SHARED = f"share/jupyter/kernels/{NAME}"


def install(*, user: bool = False, prefix: str | None = None) -> Path:
    """Install the kernelspec for this user, under `prefix`, or (neither) for everybody; gives its folder."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / NAME
        shutil.copytree(source(), folder)
        description = folder / "kernel.json"
        description.write_text(json.dumps(pinned(json.loads(description.read_text("utf-8"))), indent=2), "utf-8")
        installed = KernelSpecManager().install_kernel_spec(str(folder), NAME, user=user, prefix=prefix)
    return Path(installed)


def pinned(spec: dict[str, object]) -> dict[str, object]:
    """The kernelspec with `python` replaced by the interpreter that is running."""
    argv = spec["argv"]
    if not isinstance(argv, list):
        raise ConfigError("The kernelspec's argv is no list. Install the package again.")
    return spec | {"argv": [sys.executable, *argv[1:]]}


def source() -> Path:
    """The kernelspec's folder: in the source tree, or where the wheel put its shared data."""
    tree = Path(__file__).parents[2] / "kernelspec"
    for folder in (tree, Path(sysconfig.get_path("data")) / SHARED, *_recorded()):
        if (folder / "kernel.json").is_file():
            return folder
    raise ConfigError("The kernelspec that came with the package is missing. Install the package again.")


def _recorded() -> list[Path]:
    """Where pip recorded it; --user and --target put shared data elsewhere."""
    try:
        files = distribution(NAME).files or []
    except PackageNotFoundError:
        return []
    found = [file for file in files if str(file).endswith(f"{SHARED}/kernel.json")]
    return [Path(str(file.locate())).resolve().parent for file in found]
