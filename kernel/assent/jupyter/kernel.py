"""The Assent kernel: a full IPython kernel in which a click is heard while a cell runs, and an interrupt at once.

It overrides three private hooks of ipykernel 7.4; tests/jupyter/test_contract.py says when one of them changes.
"""

import asyncio
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from jupyter_client.session import Session

import assent
from assent.jupyter.decision import Click, click
from assent.jupyter.gate import GATE
from assent.jupyter.interrupt import cancelled_by_sigint

EXTENSION = "assent"


class AssentKernel(IPythonKernel):
    """IPython's kernel with the extension `assent` loaded and decisions delivered past the running cell."""

    implementation = "assent"
    implementation_version = assent.__version__

    def __init__(self, **options: Any) -> None:
        self.at_shutdown: list[Callable[[], None]] = []
        super().__init__(**options)  # type: ignore[no-untyped-call]  # ipykernel is typed in part
        self._load(self.shell)

    def _load(self, shell: Any) -> None:
        try:
            shell.extension_manager.load_extension(EXTENSION)
        except Exception as error:
            self.log.exception("The extension %r could not be loaded", EXTENSION)
            _tell_once(shell, f"%agent is not available: {type(error).__name__}: {error}")

    @property
    def banner(self) -> str:  # type: ignore[override]  # ipykernel makes it a property, its base class declares a trait
        return f"Assent {assent.__version__}: agents that ask first. %agent help\n{super().banner}"

    async def do_shutdown(self, restart: bool) -> dict[str, Any]:
        """Let those who asked for it put their things in order. A shutdown begins with an interrupt, as a stop does."""
        for act in self.at_shutdown:
            try:
                await asyncio.to_thread(act)
            except Exception:
                self.log.exception("Something failed while the kernel was shut down")
        content: Any = super().do_shutdown(restart)  # type: ignore[no-untyped-call]  # ipykernel is typed in part
        return dict(await content if inspect.isawaitable(content) else content)

    async def shell_channel_thread_main(self, msg: list[Any]) -> None:
        """Deliver a decision on this thread, which runs while the main thread is blocked; pass on all else."""
        if not self._deliver(msg):
            await super().shell_channel_thread_main(msg)  # type: ignore[no-untyped-call]  # as above

    async def dispatch_shell(
        self, msg: list[Any], /, subshell_id: str | None = None, *, concurrent: bool = False
    ) -> None:
        """Say busy and idle around a comm handled while a cell runs; without it a widget sends one update only."""
        parent = self._peek(msg) if concurrent else None
        if parent is None:
            await super().dispatch_shell(msg, subshell_id=subshell_id, concurrent=concurrent)
            return
        with self._busy(parent):
            await super().dispatch_shell(msg, subshell_id=subshell_id, concurrent=True)

    def _cancel_on_sigint(  # type: ignore[override]  # ipykernel enters it, and no more
        self, future: asyncio.Future[Any]
    ) -> AbstractContextManager[None]:
        """Cancel an awaiting cell at once; ipykernel's own waits until another message wakes the loop."""
        return cancelled_by_sigint(future)

    def _deliver(self, msg: list[Any]) -> bool:
        """Whether the message was a click for an open route; then it is dealt with, also where the handler failed."""
        parent = self._peek(msg)
        found = self._click(parent) if parent is not None else None
        if parent is None or found is None or not GATE.is_open(found.comm_id):
            return False
        try:
            self._read_once(msg)
            with self._busy(parent):
                GATE.deliver(found.comm_id, found.content)
        except Exception:
            self.log.exception("A decision could not be delivered")
        return True

    def _click(self, parent: dict[str, Any]) -> Click | None:
        if parent["msg_type"] != "comm_msg":
            return None
        try:
            return click(self._session.unpack(parent["content"]))
        except Exception:
            return None  # ipykernel's own handler reports it

    @property
    def _session(self) -> Session:
        assert self.session is not None  # the kernel application always sets one
        return self.session

    def _peek(self, msg: list[Any]) -> dict[str, Any] | None:
        """The message with its signature checked and its content still packed; None if it is not a message."""
        try:
            _, frames = self._session.feed_identities(msg, copy=False)
            message: dict[str, Any] = self._session.deserialize(frames, content=False, copy=False)
        except Exception:
            return None  # ipykernel's own handler reports it
        return message

    def _read_once(self, msg: list[Any]) -> None:
        """Remember the signature, so that the same click cannot be sent again."""
        _, frames = self._session.feed_identities(msg, copy=False)
        self._session.deserialize(frames, copy=False)

    @contextmanager
    def _busy(self, parent: dict[str, Any]) -> Iterator[None]:
        self._publish_status("busy", "shell", parent=parent)  # type: ignore[no-untyped-call]  # as above
        try:
            yield
        finally:
            self._publish_status("idle", "shell", parent=parent)  # type: ignore[no-untyped-call]  # as above


def _tell_once(shell: Any, message: str) -> None:
    """Show `message` with the first cell: what is printed before has no reader."""

    def tell(*_: Any) -> None:
        shell.events.unregister("pre_run_cell", tell)
        print(message, file=sys.stderr)

    shell.events.register("pre_run_cell", tell)
