"""A cell at work is paused by a click or by Python in its kernel; it ends, and goes on later without a repetition."""

from pathlib import Path

import pytest
from tests.jupyter.live import LiveKernel
from tests.magics.agent_cell import AgentCell, query
from tests.magics.scripts import asks, script

pytestmark = pytest.mark.kernel

SETUP = """
import comm, threading, time
from assent import Session
effects = []
def begun():
    effects.append(1)
    comm.create_comm(target_name='begun')
def pause(**options):
    session = Session()
    (run,) = session.sql("SELECT run FROM runs WHERE status = 'running'")["run"]
    session.pause(run, **options)
    session.close()
def from_elsewhere(**options):
    thread = threading.Thread(target=pause, kwargs=options)
    thread.start()
    return thread
"""


def at_work(kernel: LiveKernel, folder: Path, code: str) -> AgentCell:
    """A cell whose approved python tool has begun to run `code`."""
    kernel.run(SETUP)
    cell = AgentCell(kernel, f"%%agent --model {script(folder, asks(code), asks('effects.append(2)'), 'Done.')}\nWork.")
    cell.card().decide(scope="run")
    kernel.wait(lambda m: m["msg_type"] == "comm_open" and m["content"]["target_name"] == "begun")
    kernel.seen[:] = [m for m in kernel.seen if m["content"].get("target_name") != "begun"]
    return cell


def paused(kernel: LiveKernel, cell: AgentCell) -> str:
    """The run of a cell that ends paused, without an error."""
    shown = cell.done()
    run = cell.card().run
    assert f"Paused: paused by the analyst\n%agent resume {run} goes on with it." in shown
    assert query(kernel, f"SELECT status FROM runs WHERE run = '{run}'") == [["paused"]]
    return run


def test_the_pause_button_gives_time_and_the_stop_button_takes_it(kernel: LiveKernel, tmp_path: Path) -> None:
    cell = at_work(kernel, tmp_path, "import asyncio\nbegun()\nawait asyncio.sleep(30)")
    kernel.send(cell.panel(), {"method": "custom", "content": {"type": "pause", "run": cell.card().run}})
    cell.streams("pausing")
    kernel.send(cell.panel(), {"method": "custom", "content": {"type": "stop", "run": cell.card().run}})
    assert cell.failed().startswith("KeyboardInterrupt: The run was stopped.")


def test_python_in_another_thread_pauses_it_and_what_is_under_way_ends(kernel: LiveKernel, tmp_path: Path) -> None:
    cell = at_work(kernel, tmp_path, "begun()\nfrom_elsewhere().join()")
    run = paused(kernel, cell)
    assert kernel.run("print(effects)").strip() == "[1]"
    again = AgentCell(kernel, f"%agent resume {run}")
    again.card().decide()  # a thread may have read anything: what was allowed for the run does not cover it any more
    assert "Done." in again.done()
    assert kernel.run("print(effects)").strip() == "[1, 2]"


def test_a_call_that_a_pause_cut_off_is_asked_about(kernel: LiveKernel, tmp_path: Path) -> None:
    cell = at_work(kernel, tmp_path, "begun()\nfrom_elsewhere(seconds=0)\ntime.sleep(30)")
    run = paused(kernel, cell)
    again = AgentCell(kernel, f"%agent resume {run}")
    card = again.card()
    assert "nobody recorded how it ended" in card.asks
    card.decide(outcome="It slept.")
    assert "Done." in again.done()
    assert kernel.run("print(effects)").strip() == "[1, 2]"


def test_an_answer_to_a_paused_run_is_kept_until_it_is_resumed(kernel: LiveKernel, tmp_path: Path) -> None:
    cell = AgentCell(kernel, f"%%agent --model {script(tmp_path, asks('answer = 6 * 7'), 'It is 42.')}\nMultiply.")
    card = cell.card()
    kernel.send(cell.panel(), {"method": "custom", "content": {"type": "pause", "run": card.run}})
    run = paused(kernel, cell)
    card.decide()
    card.status("approved")
    kernel.printed(f"The run {run} is paused: %agent resume {run} goes on with it.", cell.id)
    assert query(kernel, f"SELECT status FROM runs WHERE run = '{run}'") == [["paused"]]
    assert "It is 42." in AgentCell(kernel, f"%agent resume {run}").done()
