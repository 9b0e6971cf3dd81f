"""Code that holds up the main thread is broken into from another one; nothing else is."""

import asyncio
import signal
import threading
import time

import pytest

from assent.core.grant import Grant
from assent.tools.execute import execute
from assent.tools.guard import break_in
from assent.tools.tool import Tool, tool

pytestmark = pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs POSIX signals")


def blocking(begun: threading.Event) -> Tool[..., None]:
    @tool(name="block", privilege="execute_safe", here=True)
    def block() -> None:
        begun.set()
        time.sleep(10)

    return block


def broken_into(run: str) -> float:
    """Seconds that a blocking call r1.1 takes while another thread breaks into `run`."""
    begun, ended = threading.Event(), threading.Event()

    def act() -> None:
        begun.wait(5)
        break_in(run)
        while not ended.wait(0.1):  # a signal just before the sleep begins does not end it
            break_in(run)

    thread = threading.Thread(target=act)
    thread.start()
    began = time.monotonic()
    grant = Grant("r1", "r1.1", "block", {}, "v1")
    try:
        output = asyncio.run(execute(blocking(begun), "r1.1", {}, grant, 1.0))
    finally:
        ended.set()
        thread.join()
    assert "did not finish" in output.text or "longer than" in output.text
    return time.monotonic() - began


def test_a_run_s_own_code_ends_at_once() -> None:
    with pytest.raises(asyncio.CancelledError):
        broken_into("r1")


def test_code_of_another_run_goes_on() -> None:
    assert broken_into("r2") >= 1.0


def test_where_nothing_runs_nothing_happens() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        break_in("r1")
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == []
