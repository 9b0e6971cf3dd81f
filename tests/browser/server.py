"""A real Jupyter server in a folder of its own: it serves JupyterLab and Notebook 7."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPO = Path(__file__).parents[2]
_SOURCES = [REPO / "kernel", REPO / "magics", REPO / "widgets", REPO / "tests" / "browser"]
_STARTS = 60.0  # seconds


@dataclass(frozen=True)
class Server:
    """Where it listens, and the folder whose notebooks it serves."""

    url: str
    token: str
    folder: Path

    def call(self, method: str, path: str) -> Any:
        """Its REST interface: the JSON answer, or None."""
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(f"{self.url}/api/{path}", method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def stop_kernels(self) -> None:
        """End every session that notebooks began."""
        for session in self.call("GET", "sessions"):
            self.call("DELETE", f"sessions/{session['id']}")


@contextmanager
def serve(folder: Path) -> Iterator[Server]:
    """Start a server and stop it again; what it logs is in `server.log`."""
    home = folder / "home"
    _settle(home)
    notebooks = folder / "notebooks"
    notebooks.mkdir(parents=True)
    server = Server(f"http://127.0.0.1:{_free_port()}", secrets.token_hex(16), notebooks)
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(_command(server), stdout=log, stderr=log, env=_environment(home), cwd=notebooks)
        try:
            _await(server, process, folder / "server.log")
            yield server
            server.stop_kernels()
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _command(server: Server) -> list[str]:
    options = {
        "IdentityProvider.token": server.token,
        "ServerApp.root_dir": str(server.folder),
        "ServerApp.port": server.url.rpartition(":")[2],
        "ServerApp.port_retries": "0",
        "LabApp.expose_app_in_browser": "True",
        "JupyterNotebookApp.expose_app_in_browser": "True",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    }
    flags = ["--no-browser", "--allow-root", "--ip=127.0.0.1"]
    return [sys.executable, "-m", "jupyterlab", *flags, *[f"--{name}={value}" for name, value in options.items()]]


def _environment(home: Path) -> dict[str, str]:
    """The kernels find this repository's packages, installed or not, and nothing of the user's own."""
    old = {name: value for name, value in os.environ.items() if not name.startswith("ASSENT_")}
    return {
        **old,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{old['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(path) for path in _SOURCES]),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_PREFER_ENV_PATH": "1",
    }


def _settle(home: Path) -> None:
    """Settings that keep the front end from asking, and the repository's kernelspec for when it is not installed."""
    settings = home / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    spec = REPO / "kernel" / "kernelspec"
    if (spec / "kernel.json").exists():
        shutil.copytree(spec, home / "data" / "kernels" / "assent")


def _await(server: Server, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + _STARTS
    while process.poll() is None and time.monotonic() < until:
        try:
            server.call("GET", "status")
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)  # nothing tells a child's parent that it listens
    raise RuntimeError(f"The Jupyter server did not start:\n{log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
