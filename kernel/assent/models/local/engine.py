"""llama.cpp in this process: one loaded model a file, nothing that another process could reach."""

import atexit
import importlib
import importlib.util
import os
import secrets
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assent.core.errors import ModelError
from assent.models.local.cores import physical_cores

CONTEXT = 4096  # tokens
BATCH = 64  # prompt tokens between two chances to cancel: about a second
PROMPT_CACHE = 256  # MiB of conversations kept aside while another one has the slot

MISSING = "The local model needs xllamacpp: `pip install xllamacpp`."

# Without these an idle OpenMP thread spins: on two shared cores 16 tokens took 10 s instead of 0.4 s.
_QUIET = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}

Chunk = dict[str, Any]

_engines: dict[Path, "Engine"] = {}
_loading = threading.Lock()


class Engine:
    """A model's weights in memory. `ask` blocks, so a thread of its own should call it."""

    def __init__(self, path: Path) -> None:
        self._server = _server(path)
        self._turn = threading.Lock()
        self._closing = threading.Event()

    def ask(self, body: Chunk, on_chunk: Callable[[Chunk], bool], stopped: threading.Event) -> None:
        """Answer a chat request; `on_chunk` receives each chunk and says whether to stop."""
        with self._turn:
            if not (stopped.is_set() or self._closing.is_set()):
                self._server.handle_chat_completions(body, lambda chunk: on_chunk(chunk) or self._closing.is_set())

    def close(self) -> None:
        """Stop what is under way, then free the memory."""
        self._closing.set()
        with self._turn:
            self._server = None


def engine(path: Path) -> Engine:
    """The engine of a weights file, loaded on first use (a second or several; call it in a thread)."""
    with _loading:
        if path not in _engines:
            _engines[path] = Engine(path)
            atexit.register(_engines[path].close)
        return _engines[path]


def _server(path: Path) -> Any:
    llama = _llama()
    params = llama.CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel, params.n_batch, params.n_ubatch = CONTEXT, 1, BATCH, BATCH
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = physical_cores()
    params.cache_ram_mib, params.fit_params, params.warmup, params.verbosity = PROMPT_CACHE, False, False, -1
    # The library always listens. It gets a key that nobody learns, no page, and, where there are Unix
    # sockets, a private one that is removed as soon as it is there.
    params.api_keys, params.ui = [secrets.token_urlsafe(32)], False
    with tempfile.TemporaryDirectory(prefix="assent-", ignore_cleanup_errors=True) as folder:
        if sys.platform != "win32":
            params.hostnames = [str(Path(folder, "s.sock"))]
        try:
            return llama.Server(params)
        except RuntimeError as error:
            raise ModelError(
                f"The local model could not be loaded from {path} ({error}): "
                "is there enough free memory (about 2 GB)? If so, remove the file and fetch it again."
            ) from None


def installed() -> bool:
    """Whether the library that runs a local model is here."""
    return importlib.util.find_spec("xllamacpp") is not None


def _llama() -> Any:
    before = {name: os.environ.get(name) for name in _QUIET}
    os.environ.update({name: os.environ.get(name, value) for name, value in _QUIET.items()})
    try:
        return importlib.import_module("xllamacpp")
    except ImportError:
        raise ModelError(MISSING) from None
    finally:  # read once, as the library is loaded: the user's own subprocesses keep their settings
        for name, value in before.items():
            if value is None:
                del os.environ[name]
