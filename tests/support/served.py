"""The local model behind its own OpenAI-compatible HTTP server, in a process that a test may kill."""

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEY = "sk-served-0123456789abcdef"

_SERVE = """
import sys, xllamacpp
path, port, key = sys.argv[1:]
params = xllamacpp.CommonParams()
params.model.path = path
params.n_ctx, params.n_parallel, params.n_batch, params.n_ubatch = 2048, 1, 64, 64
params.fit_params, params.warmup, params.verbosity = False, False, -1
params.hostnames, params.port, params.api_keys, params.ui = ["127.0.0.1"], int(port), [key], False
params.endpoint_slots = True
server = xllamacpp.Server(params)
print("ready", flush=True)
sys.stdin.read()
"""


@dataclass
class Served:
    """A running server. `kill` is a SIGKILL; `restart` brings it back at the same address."""

    path: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def alive(self) -> bool:
        return self.process is not None

    def restart(self) -> None:
        quiet = {**os.environ, "OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}  # an idle thread would spin
        command = [sys.executable, "-c", _SERVE, str(self.path), str(self.port), KEY]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=quiet
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        self.process = None

    def get(self, path: str) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", headers={"Authorization": f"Bearer {KEY}"}
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.read()


@contextmanager
def served(path: Path) -> Iterator[Served]:
    """A server of these weights, killed at the end of the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = Served(path, free.getsockname()[1])
    server.restart()
    try:
        yield server
    finally:
        if server.alive:
            server.kill()
