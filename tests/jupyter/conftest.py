"""The Assent kernel, installed in a prefix of the tests' own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.jupyter.live import LiveKernel, live_kernel

from assent.jupyter.install import install

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Variables for a kernel that touches nothing of the user's; also set in this process, which looks it up."""
    home = tmp_path_factory.mktemp("home")
    install(prefix=str(home))
    roots = os.pathsep.join(str(ROOT / name) for name in ("kernel", "magics", "widgets"))
    values = {
        "JUPYTER_PATH": str(home / "share" / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "ASSENT_WORKSPACE": str(home / "workspace"),
        "PYTHONPATH": os.pathsep.join(filter(None, [roots, os.environ.get("PYTHONPATH")])),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name, value)
        patch.delenv("JPY_SESSION_NAME", raising=False)
        yield dict(os.environ)


@pytest.fixture(scope="session")
def session_kernel(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    with live_kernel("assent", environment, tmp_path_factory.mktemp("cwd")) as running:
        yield running


@pytest.fixture
def kernel(session_kernel: LiveKernel) -> LiveKernel:
    """The one running kernel; every test ends with it idle."""
    session_kernel.run("pass")
    return session_kernel
