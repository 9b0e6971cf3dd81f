"""The way to a workspace's database: held by this process while nobody else wants it, else by an owner for all."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from assent.core.errors import StoreError, WorkspaceLocked
from assent.store.lock import tried
from assent.store.sharing import address
from assent.store.sharing.held import Held
from assent.store.sharing.remote import Moving, Remote, reached

PATIENCE = 15.0  # seconds for an owner to come up
STRANGER = 5.0  # seconds that somebody may hold the database without saying where to be reached
_PAUSE = 0.01  # seconds between two looks
_STARTING = "owner.starting"  # in the workspace's folder: locked by whoever starts an owner
_LOG = "owner.log"  # in the workspace's folder: what befell the last owner

Store = Held | Remote


def join(folder: Path, writer: str, poke: Callable[[], None], *, alone: bool = True) -> Store:
    """Open the workspace or reach its owner; `alone` says whether this process may hold it by itself.

    `StoreError` if neither can be done. `poke` is called, on any thread, when there is something to look at.
    """
    until = time.monotonic() + STRANGER
    while alone:
        try:
            return _reached(folder, writer, poke) or Held(folder, poke)
        except Moving:
            alone = False
        except WorkspaceLocked:
            if time.monotonic() > until:
                raise
            time.sleep(_PAUSE)
    return _owned(folder, writer, poke)


def _reached(folder: Path, writer: str, poke: Callable[[], None]) -> Remote | None:
    holder = address.read(folder)
    return None if holder is None else reached(folder, holder, writer, poke)


def _owned(folder: Path, writer: str, poke: Callable[[], None]) -> Remote:
    """The way to an owner, which is started if nobody else does it."""
    until = time.monotonic() + PATIENCE
    with contextlib.ExitStack() as held:
        owner: subprocess.Popen[bytes] | None = None
        chosen = False
        while time.monotonic() < until:
            with contextlib.suppress(Moving):
                if remote := _reached(folder, writer, poke):
                    return remote
            chosen = chosen or _chosen(folder, held)
            if chosen and (owner is None or owner.poll() is not None):
                owner = _start(folder)
            time.sleep(_PAUSE)
    raise StoreError(
        f"The workspace {folder} is shared, and the process that should hold it for all did not come up within "
        f"{PATIENCE:g} s. Try again; `assent doctor` says who holds it."
    )


def _chosen(folder: Path, held: contextlib.ExitStack) -> bool:
    """Whether it is up to this process to start the owner."""
    with contextlib.ExitStack() as attempt:
        if not attempt.enter_context(tried(folder / _STARTING)):
            return False
        held.push(attempt.pop_all())
        return True


def _start(folder: Path) -> "subprocess.Popen[bytes]":
    """A process of its own session: neither an interrupt nor the end of this one's group reaches it."""
    with (folder / _LOG).open("wb") as log:
        return _started(folder, log)


def _started(folder: Path, log: IO[bytes]) -> "subprocess.Popen[bytes]":
    roots = [str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "assent.store.sharing.owner", str(folder)],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, roots))},
    )  # fmt: skip
    threading.Thread(target=process.wait, name="assent-owner-wait", daemon=True).start()  # or it would stay a zombie
    return process
