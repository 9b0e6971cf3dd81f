"""Previews in the real Assent kernel, with its sockets, threads and displays: tried on a copy, without any effect."""

import sys
from pathlib import Path

import pytest
from tests.jupyter.live import LiveKernel
from tests.magics.agent_cell import AgentCell
from tests.magics.scripts import asks, script

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(sys.platform != "linux", reason="copies are confined on Linux only"),
]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("display('shown'); made = 1", "made is new: 1"),
        ("from IPython.display import display, HTML\ndisplay(HTML('<b>x</b>'))\nmade = 2", "made is new: 2"),
        ("print('shown'); made = 3\nmade", "made is new: 3"),
        ("!touch made-by-shell", "starts a process: touch made-by-shell"),
        ("names = !ls\nmade = len(names)", "starts a process: ls"),
        ("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)", "tries to send a signal to the process"),
        ("%agent sql SELECT 1", "If it runs"),
        ("get_ipython().kernel.session.send(get_ipython().kernel.iopub_socket, 'stream', {})", "If it runs"),
        ("import asyncio\nawait asyncio.sleep(0)\nmade = 4", "made is new: 4"),
        ("import zmq, threading\nalive = threading.active_count()\nmade = 5", "made is new: 5"),
    ],
)
def test_what_the_kernel_holds_is_left_in_peace(kernel: LiveKernel, tmp_path: Path, code: str, said: str) -> None:
    kernel.run("globals().pop('made', None)")
    model = script(tmp_path, asks(code), "Done.")
    shown = AgentCell(kernel, f"%%agent --model {model}\nGo.", "none").done()
    assert said in shown, shown
    assert "waiting for approval" in shown
    assert (
        kernel.run("print('made' in globals(), __import__('os').path.exists('made-by-shell'))").strip() == "False False"
    )
    assert not [m for m in kernel.seen if m["msg_type"] == "display_data" and "text/html" in m["content"]["data"]
                and m["content"]["data"]["text/html"] == "<b>x</b>"]  # fmt: skip
