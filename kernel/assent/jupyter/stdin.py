"""Ask a person through the front end's prompt without holding up the event loop."""

import asyncio
import sys
from typing import Any

import zmq

from assent.core.errors import AssentError

INTERVAL = 0.05  # seconds between looks at the socket
END_OF_FILE = "\x04"


async def ask(kernel: Any, prompt: str, *, secret: bool = False) -> str:
    """What the person types in answer to `prompt`; `EOFError` for Ctrl-D. Cancellable, unlike `input()`.

    What is `secret` the front end does not show as it is typed.
    """
    request = kernel.get_parent("shell")
    if not request or not request["content"].get("allow_stdin", False):
        raise AssentError(
            "This front end has no prompt to answer at. Decide with %agent approve or %agent reject, "
            "or start the run with --on-ask suspend or --on-ask deny."
        )
    sys.stdout.flush()
    sys.stderr.flush()
    _purge(kernel.stdin_socket)
    # The routing identity of the running cell has no public accessor.
    ident = kernel._get_shell_context_var(kernel._shell_parent_ident)
    content = {"prompt": prompt, "password": secret}
    kernel.session.send(kernel.stdin_socket, "input_request", content, parent=request, ident=ident)
    return await _reply(kernel)


async def _reply(kernel: Any) -> str:
    while True:
        _, message = kernel.session.recv(kernel.stdin_socket, zmq.NOBLOCK)
        if message is not None:
            value = str(message["content"].get("value", ""))
            if value == END_OF_FILE:
                raise EOFError
            return value
        await asyncio.sleep(INTERVAL)


def _purge(socket: zmq.Socket[bytes]) -> None:
    """Drop late answers to a prompt that was given up."""
    while True:
        try:
            socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return
