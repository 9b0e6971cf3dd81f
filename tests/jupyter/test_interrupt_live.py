"""An interrupt ends what a cell of the Assent kernel does, at once, and the kernel lives."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.jupyter.cells import AT_WORK
from tests.jupyter.live import LiveKernel, live_kernel

pytestmark = pytest.mark.kernel

AT_ONCE = 2.0  # seconds; a quarter of one is usual, the rest is for a machine under load
AWAIT = AT_WORK + "await asyncio.sleep(30)"
SYNC = "print('at work', flush=True)\nwhile True: pass"
SYNC_IN_ASYNC_CELL = "import asyncio\nawait asyncio.sleep(0)\nprint('at work', flush=True)\nwhile True: pass"
THREAD = (
    AT_WORK
    + """
release = threading.Event()
try:
    await asyncio.to_thread(release.wait, 30)
finally:
    release.set()
"""
)
OTHER_TASK = """
import asyncio, time
async def spin():
    print('at work', flush=True)
    time.sleep(30)
await asyncio.gather(spin())
"""
RUN = (
    AT_WORK
    + """
async def run():
    try:
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        raise KeyboardInterrupt('the run was cancelled') from None
await run()
"""
)
CASES = {
    "await": (AWAIT, "CancelledError"),
    "sync": (SYNC, "KeyboardInterrupt"),
    "sync-in-async-cell": (SYNC_IN_ASYNC_CELL, "KeyboardInterrupt"),
    "thread": (THREAD, "CancelledError"),
    "sync-in-other-task": (OTHER_TASK, "KeyboardInterrupt"),
    "run": (RUN, "KeyboardInterrupt"),
}


@pytest.fixture(scope="module")
def message_kernel(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    """A kernel whose kernelspec says `interrupt_mode: message`."""
    prefix = tmp_path_factory.mktemp("message")
    spec = prefix / "kernels" / "assent-message"
    installed = Path(environment["JUPYTER_PATH"]) / "kernels" / "assent"
    spec.mkdir(parents=True)
    text = (installed / "kernel.json").read_text()
    (spec / "kernel.json").write_text(text.replace('"interrupt_mode": "signal"', '"interrupt_mode": "message"'))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(prefix))
        with live_kernel("assent-message", environment, prefix) as running:
            assert running.manager.kernel_spec.interrupt_mode == "message"
            yield running


def interrupted(kernel: LiveKernel, code: str) -> str:
    """Run a cell, interrupt it once it is at work; the name of the error it ended with, after `AT_ONCE` at most."""
    cell = kernel.start(code)
    kernel.printed("at work", cell)
    begun = time.monotonic()
    kernel.manager.interrupt_kernel()
    reply = kernel.reply(cell)
    assert time.monotonic() - begun < AT_ONCE
    assert reply["status"] == "error"
    assert kernel.run("print('alive')").strip() == "alive"
    return str(reply["ename"])


@pytest.mark.parametrize(("code", "error"), CASES.values(), ids=CASES.keys())
def test_by_a_signal(kernel: LiveKernel, code: str, error: str) -> None:
    assert interrupted(kernel, code) == error


@pytest.mark.parametrize(("code", "error"), CASES.values(), ids=CASES.keys())
def test_by_a_message(message_kernel: LiveKernel, code: str, error: str) -> None:
    assert interrupted(message_kernel, code) == error


def test_an_interrupt_while_nothing_runs_changes_nothing(kernel: LiveKernel) -> None:
    kernel.manager.interrupt_kernel()
    assert kernel.run("print('alive')").strip() == "alive"


def test_a_cell_may_catch_it_and_go_on(kernel: LiveKernel) -> None:
    code = (
        AWAIT.replace("await asyncio.sleep", "try: await asyncio.sleep")
        + "\nexcept asyncio.CancelledError: print('caught')"
    )
    cell = kernel.start(code)
    kernel.printed("at work", cell)
    kernel.manager.interrupt_kernel()
    assert kernel.reply(cell)["status"] == "ok"
    assert "caught" in kernel.output(cell)
