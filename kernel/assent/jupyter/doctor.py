"""Look at an installation from all sides and say what is there, what is missing and what to do about it."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

import assent
from assent.core import config as configs
from assent.core.errors import AssentError, NoModel
from assent.models.local import weights
from assent.models.resolve import default_model
from assent.sandbox.copy import probed
from assent.store import chain, database, health
from assent.store.ledger import Ledger
from assent.store.window import Window

PACKAGES = ("ipykernel", "ipython", "duckdb", "anywidget", "ipywidgets", "httpx", "jupyterlab", "notebook", "xllamacpp")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `ok` False needs the reader's attention."""

    what: str
    ok: bool
    text: str

    def __str__(self) -> str:
        return f"{'ok ' if self.ok else 'NO '} {self.what:<10} {self.text}"


def examine(journal: Window | None = None) -> Iterator[Finding]:
    """Every finding; a look that fails is a finding too. `journal`: the workspace's, if it is open in this process."""
    yield Finding("assent", True, f"{assent.__version__} in Python {sys.version.split()[0]}, {sys.executable}")
    yield Finding("packages", True, ", ".join(f"{name} {_version(name)}" for name in PACKAGES))
    folder = journal.folder if journal else configs.workspace_folder()
    looks: dict[str, Callable[[], str]] = {
        "kernel": kernelspec,
        "settings": lambda: settings(folder),
        "model": lambda: model(folder),
        "previews": previews,
        "workspace": lambda: opened(journal) if journal else workspace(folder),
    }
    if folder.is_dir():
        looks["space"] = lambda: health.space(folder)
        looks["open in"] = lambda: health.told(journal.holders()) if journal else health.holder(folder) or "no process"
    looks["leftovers"] = lambda: nothing_left(folder)
    for what, look in looks.items():
        try:
            yield Finding(what, True, look())
        except AssentError as error:
            yield Finding(what, False, str(error))


def kernelspec() -> str:
    """Where Jupyter finds the kernel "assent", and which interpreter it starts."""
    try:
        spec = KernelSpecManager().get_kernel_spec("assent")
    except NoSuchKernel:
        raise AssentError("Jupyter finds no kernel 'assent'. Install it with `assent install --sys-prefix`.") from None
    starts = "the Jupyter server's own interpreter" if spec.argv[0] == "python" else spec.argv[0]
    return f"{spec.resource_dir}, starts {starts}"


def previews() -> str:
    """How the code of a call that asks is previewed here."""
    copied = probed()
    if copied.confined and copied.report is not None:
        return "code is tried on a copy of the kernel that can write, reach and start nothing (Landlock, seccomp)"
    return f"code is not tried but read from its text, because {copied.problem}"


def settings(folder: Path) -> str:
    """Which settings apply; `ConfigError` for one that makes no sense."""
    configs.load(folder)
    file = folder / "config.toml"
    return str(file) if file.is_file() else f"defaults and the environment; {file} would be read"


def model(folder: Path) -> str:
    """The model that runs would use; `ModelError` where it is the local one and has not been fetched."""
    name = default_model(configs.load(folder), folder)
    provider, _, local = name.partition(":")
    if provider == "local" and weights.cached(weights.find(local)) is None:
        raise NoModel(f"{name}, whose weights are not here yet: run `assent fetch {local or weights.DEFAULT}`.")
    return name


def workspace(folder: Path) -> str:
    """How much the workspace holds; `WorkspaceLocked` says who has it open. A missing one is not made."""
    file = folder / database.FILE
    if not file.is_file():
        return f"none yet; the first run makes {folder}"
    if health.holder(folder):
        return f"{folder}, in use"
    with contextlib.closing(Ledger(folder)) as ledger:
        return _looked_at(folder, ledger.select)


def opened(journal: Window) -> str:
    """How much the open workspace holds; `StoreError` where its last events do not fit the hash chain."""
    return _looked_at(journal.folder, journal.house.select)


def nothing_left(folder: Path) -> str:
    """That no crash has left anything; `AssentError` says what there is, and what to do about it."""
    if found := health.leftovers(folder):
        raise AssentError("; ".join(found))
    return "none"


def _looked_at(folder: Path, select: chain.Select) -> str:
    [(runs, events)] = select("SELECT count(DISTINCT run), count(*) FROM events", ())
    fit = (
        f"the last {chain.recent(select):,} fit the hash chain (verify looks at all)" if events else "nothing to verify"
    )
    return f"{folder}, {runs:,} runs, {events:,} events, {fit}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"
