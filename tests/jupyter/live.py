"""A real kernel in a process of its own, spoken to over its sockets."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

Message = dict[str, Any]
TIMEOUT = 15.0


class LiveKernel:
    """The kernel's process and a client of it; `seen` holds every message from IOPub so far, oldest first."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self.client = client
        self.seen: list[Message] = []

    def start(self, code: str, **options: Any) -> str:
        """Send a cell and give its message's id; an error in it does not abort the cells behind it."""
        return str(self.client.execute(code, **{"stop_on_error": False, **options}))

    def wait(self, wanted: Callable[[Message], bool]) -> Message:
        """The first message from IOPub, past ones included, that is wanted."""
        for message in self.seen:
            if wanted(message):
                return message
        end = time.monotonic() + TIMEOUT
        while True:
            message = self.client.get_iopub_msg(timeout=max(0.01, end - time.monotonic()))
            self.seen.append(message)
            if wanted(message):
                return message

    def printed(self, text: str, cell: str) -> Message:
        return self.wait(lambda m: answers(m, cell, "stream") and text in m["content"]["text"])

    def comm(self, cell: str) -> str:
        """The id of the comm that the cell opened."""
        return str(self.wait(lambda m: answers(m, cell, "comm_open"))["content"]["comm_id"])

    def status(self, state: str, of: str) -> Message:
        return self.wait(lambda m: answers(m, of, "status") and m["content"]["execution_state"] == state)

    def reply(self, cell: str, timeout: float = TIMEOUT) -> Message:
        """The execute_reply's content."""
        content: Message = self.client._recv_reply(cell, timeout=timeout)["content"]
        return content

    def send(self, comm_id: str, data: Message) -> Message:
        """Send a comm_msg as a front end does; gives the message that was sent."""
        message = self.client.session.msg("comm_msg", {"comm_id": comm_id, "data": data})
        self.client.shell_channel.send(message)
        return message

    def output(self, cell: str) -> str:
        """Everything the finished cell printed."""
        self.status("idle", cell)
        return "".join(m["content"]["text"] for m in self.seen if answers(m, cell, "stream"))

    def run(self, code: str) -> str:
        """Run a cell to its end and give what it printed; an error in it fails the test."""
        cell = self.start(code)
        reply = self.reply(cell)
        assert reply["status"] == "ok", reply
        return self.output(cell)


def answers(message: Message, cell: str, kind: str) -> bool:
    """Whether a message of this type belongs to that request."""
    return message["msg_type"] == kind and message["parent_header"].get("msg_id") == cell


@contextmanager
def live_kernel(name: str, env: dict[str, str], cwd: Path) -> Iterator[LiveKernel]:
    """Start the named kernel, wait until it answers, stop it at the end."""
    manager = KernelManager(kernel_name=name)
    manager.start_kernel(env=env, cwd=str(cwd))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=TIMEOUT)
        yield LiveKernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()
