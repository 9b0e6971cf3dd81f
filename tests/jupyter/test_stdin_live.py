"""A prompt in the front end leaves the kernel's loop free, and can be cancelled."""

import sys
from pathlib import Path

import pexpect
import pytest
from tests.jupyter.live import LiveKernel

pytestmark = pytest.mark.kernel

ASK = """
import asyncio
from assent.jupyter.stdin import ask
async def tick():
    await asyncio.sleep(0.01)
    print('ticked', flush=True)
background = asyncio.create_task(tick())
try:
    print('answer:', await ask(get_ipython().kernel, 'Run it? '))
finally:
    background.cancel()
"""


def prompt(kernel: LiveKernel) -> str:
    """What the front end is asked to show."""
    return str(kernel.client.get_stdin_msg(timeout=10)["content"]["prompt"])


def test_the_answer_comes_back_and_the_loop_stays_free(kernel: LiveKernel) -> None:
    cell = kernel.start(ASK, allow_stdin=True)
    assert prompt(kernel) == "Run it? "
    kernel.printed("ticked", cell)
    kernel.client.input("yes, please")
    assert kernel.reply(cell)["status"] == "ok"
    assert "answer: yes, please" in kernel.output(cell)


def test_an_interrupt_cancels_it_and_a_late_answer_is_not_the_next_one(kernel: LiveKernel) -> None:
    cell = kernel.start(ASK, allow_stdin=True)
    prompt(kernel)
    kernel.manager.interrupt_kernel()
    assert kernel.reply(cell)["ename"] in ("CancelledError", "KeyboardInterrupt")
    kernel.client.input("too late")
    kernel.run("pass")
    again = kernel.start(ASK, allow_stdin=True)
    prompt(kernel)
    kernel.client.input("in time")
    kernel.reply(again)
    assert "answer: in time" in kernel.output(again)


def test_end_of_file_is_an_error_of_its_own(kernel: LiveKernel) -> None:
    cell = kernel.start(ASK, allow_stdin=True)
    prompt(kernel)
    kernel.client.input("\x04")
    assert kernel.reply(cell)["ename"] == "EOFError"


def test_a_front_end_without_a_prompt_gets_one_clear_sentence(kernel: LiveKernel) -> None:
    reply = kernel.reply(kernel.start(ASK, allow_stdin=False))
    assert reply["ename"] == "AssentError"
    assert "no prompt to answer at" in reply["evalue"]


def test_it_works_in_jupyter_console(environment: dict[str, str], tmp_path: Path) -> None:
    code = (
        "from assent.jupyter.frontend import way_to_ask; from assent.jupyter.stdin import ask; "
        "print('way', way_to_ask()); print('got', await ask(get_ipython().kernel, 'Run it? '))"
    )
    arguments = ["-m", "jupyter_console", "--kernel=assent", "--simple-prompt", "--no-confirm-exit"]
    env = environment | {"TERM": "dumb", "PYTHONWARNINGS": "ignore", "HOME": str(tmp_path)}
    console = pexpect.spawn(sys.executable, arguments, env=env, cwd=tmp_path, encoding="utf-8", timeout=15)
    try:
        console.expect(r"In \[1\]: ")
        console.sendline(code)
        console.expect("way stdin")
        console.expect(r"Run it\? ")
        console.sendline("gladly")
        console.expect("got gladly")
        console.sendline("exit")
        console.expect(pexpect.EOF)
    finally:
        console.close(force=True)
