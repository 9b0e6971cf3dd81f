"""An IPython shell in this process with the extension loaded, and the live kernel of the kernel's own tests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from tests.jupyter.conftest import environment, kernel, session_kernel  # noqa: F401  # fixtures
from tests.magics.shell import Shell
from tests.support.workspaces import prepare
from traitlets.config import Config


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A shell whose workspace is `tmp_path`/workspace, empty and made already, with nobody to ask."""
    for name in ("MODEL", "AGENT", "WAIT", "ON_ASK", "MAX_STEPS", "BASE_URL", "RECORD", "REPLAY"):
        monkeypatch.delenv(f"ASSENT_{name}", raising=False)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("ASSENT_WORKSPACE", str(prepare(tmp_path / "workspace")))
    monkeypatch.chdir(tmp_path)
    config = Config({"HistoryManager": {"enabled": False}, "InteractiveShell": {"colors": "nocolor"}})
    ipython = InteractiveShell.instance(config=config)
    extensions: Any = ipython.extension_manager
    extensions.load_extension("assent")
    yield Shell(ipython)
    extensions.unload_extension("assent")
    InteractiveShell.clear_instance()
