"""An interrupt or a stop ends a run within a second wherever it is, the kernel lives, and the run can go on."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.jupyter.live import LiveKernel
from tests.magics.agent_cell import AgentCell, prompt, query
from tests.magics.scripts import asks, script
from tests.support.chat_server import ChatServer, Received, Reply, chat_server, says

pytestmark = pytest.mark.kernel

AT_ONCE = 1.5  # seconds; a quarter of one is usual, the rest is for a machine under load
TOOLS = {
    "spin": "begun()\nwhile True: pass",
    "sleep": "import time\nbegun()\ntime.sleep(30)",
    "await": "import asyncio\nbegun()\nawait asyncio.sleep(30)",
    "survivor": "begun()\nwhile True:\n    try:\n        while True: pass\n    except Exception: pass",
}
# The tool's own prints go to the transcript, so the test hears of it by a bare comm.
BEGUN = "import comm\ndef begun(): comm.create_comm(target_name='begun')"


def last(kernel: LiveKernel) -> list[object]:
    """The latest run, its status and the reason for it."""
    return query(kernel, "SELECT run, status, reason FROM runs ORDER BY started DESC LIMIT 1")[0]


def ends(kernel: LiveKernel, cell: AgentCell) -> str:
    """The cell ends at once and is alive after it; what it showed."""
    begun = time.monotonic()
    shown = cell.failed()
    assert time.monotonic() - begun < AT_ONCE
    assert shown.startswith("KeyboardInterrupt: The run was")
    assert kernel.run("print('alive')").strip() == "alive"
    return shown


@pytest.fixture
def tool(kernel: LiveKernel, tmp_path: Path, request: pytest.FixtureRequest) -> AgentCell:
    """A cell whose python tool is at work."""
    kernel.run(BEGUN)
    model = script(tmp_path, asks(TOOLS[request.param]), "Done.")
    cell = AgentCell(kernel, f"%%agent --model {model}\nWork.")
    cell.card().decide()
    kernel.wait(lambda m: m["msg_type"] == "comm_open" and m["content"]["target_name"] == "begun")
    kernel.seen[:] = [m for m in kernel.seen if m["content"].get("target_name") != "begun"]
    return cell


@pytest.mark.parametrize("tool", TOOLS, indirect=True)
def test_an_interrupt_during_the_python_tool(kernel: LiveKernel, tool: AgentCell) -> None:
    kernel.manager.interrupt_kernel()
    shown = ends(kernel, tool)
    run, status, _ = last(kernel)
    assert status == "cancelled"
    assert "cancelled" in shown
    assert f"%agent resume {run}" in shown


@pytest.mark.parametrize("tool", TOOLS, indirect=True)
def test_the_stop_button_during_the_python_tool(kernel: LiveKernel, tool: AgentCell) -> None:
    run = tool.card().run
    kernel.send(tool.panel(), {"method": "custom", "content": {"type": "stop", "run": run}})
    ends(kernel, tool)
    assert last(kernel)[:2] == [run, "cancelled"]


def test_a_call_that_was_interrupted_is_asked_about_on_resuming(kernel: LiveKernel, tmp_path: Path) -> None:
    kernel.run(BEGUN)
    model = script(tmp_path, asks("begun()\nimport time; time.sleep(30)"), "Done.")
    cell = AgentCell(kernel, f"%%agent --model {model}\nWork.")
    cell.card().decide()
    kernel.wait(lambda m: m["msg_type"] == "comm_open" and m["content"]["target_name"] == "begun")
    kernel.manager.interrupt_kernel()
    cell.failed()
    again = AgentCell(kernel, f"%agent resume {cell.card().run}")
    card = again.card()
    assert "nobody recorded how it ended" in str(card.asks)
    card.decide(outcome="It slept.")
    assert "Done." in again.done()


def test_an_interrupt_while_a_card_waits(kernel: LiveKernel, tmp_path: Path) -> None:
    cell = AgentCell(kernel, f"%%agent --model {script(tmp_path, asks('x = 5'), 'Done.')}\nWork.")
    card = cell.card()
    kernel.manager.interrupt_kernel()
    ends(kernel, cell)
    card.status("expired")
    assert last(kernel)[:2] == [card.run, "cancelled"]
    again = AgentCell(kernel, f"%agent resume {card.run}")
    again.card().decide()
    assert "Done." in again.done()


def test_an_interrupt_at_a_prompt(kernel: LiveKernel, tmp_path: Path) -> None:
    cell = AgentCell(kernel, f"%%agent --model {script(tmp_path, asks('x = 5'), 'Done.')}\nWork.", "stdin")
    prompt(kernel)
    kernel.manager.interrupt_kernel()
    ends(kernel, cell)
    assert last(kernel)[1] == "cancelled"


def test_stop_while_a_card_waits(kernel: LiveKernel, tmp_path: Path) -> None:
    cell = AgentCell(kernel, f"%%agent --model {script(tmp_path, asks('x = 5'), 'Done.')}\nWork.")
    card = cell.card()
    kernel.send(cell.panel(), {"method": "custom", "content": {"type": "stop", "run": card.run}})
    ends(kernel, cell)
    card.status("expired")


def test_an_interrupt_before_and_after_a_run_changes_nothing(kernel: LiveKernel, tmp_path: Path) -> None:
    AgentCell(kernel, f"%%agent --model {script(tmp_path, 'Done.')}\nWork.").done()
    kernel.manager.interrupt_kernel()
    assert kernel.run("print('alive')").strip() == "alive"
    assert last(kernel)[1] == "finished"


@pytest.fixture
def slow() -> Iterator[ChatServer]:
    """A model server that never comes to the end of its first answer."""

    def reply(received: Received) -> Reply:
        whole = says("There are 344 penguins.")
        return whole if len(server.requests) > 1 else Reply(whole.pieces, hold=threading.Event())

    with chat_server(reply) as server:
        yield server


def test_an_interrupt_during_a_model_call(kernel: LiveKernel, slow: ChatServer) -> None:
    kernel.run(f"import os; os.environ['ASSENT_BASE_URL'] = {slow.url!r}")
    try:
        cell = AgentCell(kernel, "%%agent --model custom:slow\nHow many?")
        cell.streams("344")
        kernel.manager.interrupt_kernel()
        ends(kernel, cell)
        assert slow.left.wait(5), "the connection must be closed, or the model goes on at the user's cost"
        run, status, _ = last(kernel)
        assert status == "cancelled"
        assert "There are 344 penguins." in AgentCell(kernel, f"%agent resume {run}").done()
    finally:
        kernel.run("del os.environ['ASSENT_BASE_URL']")
