"""A decision reaches the Assent kernel while its cell runs: awaiting, or with the main thread blocked."""

import pytest
from tests.jupyter.cells import AWAITING, BLOCKING, DECISION, OPEN
from tests.jupyter.live import LiveKernel

pytestmark = pytest.mark.kernel


def waiting(kernel: LiveKernel, code: str) -> tuple[str, str]:
    """Start a cell that waits for a decision; the cell and its comm."""
    cell = kernel.start(code)
    kernel.printed("waiting", cell)
    return cell, kernel.comm(cell)


@pytest.mark.parametrize("data", [{"method": "custom", "content": DECISION}, DECISION], ids=["widget", "comm"])
def test_while_the_cell_awaits(kernel: LiveKernel, data: dict[str, object]) -> None:
    cell, comm = waiting(kernel, AWAITING)
    kernel.send(comm, data)
    assert kernel.reply(cell)["status"] == "ok"
    assert "decided approve Shell channel 0" in kernel.output(cell)


def test_while_the_main_thread_is_blocked(kernel: LiveKernel) -> None:
    cell, comm = waiting(kernel, BLOCKING)
    sent = kernel.send(comm, DECISION)
    kernel.status("idle", of=sent["msg_id"])  # the front end sees it dealt with
    assert kernel.reply(cell)["status"] == "ok"
    assert "decided True approve Shell channel 0" in kernel.output(cell)


def test_busy_and_idle_of_the_decision_come_before_the_reply(kernel: LiveKernel) -> None:
    cell, comm = waiting(kernel, BLOCKING)
    sent = kernel.send(comm, DECISION)
    kernel.reply(cell)
    kernel.status("idle", of=cell)
    states = [
        (m["content"]["execution_state"], m["parent_header"]["msg_id"])
        for m in kernel.seen
        if m["msg_type"] == "status" and m["parent_header"]["msg_id"] in (cell, sent["msg_id"])
    ]
    assert states == [("busy", cell), ("busy", sent["msg_id"]), ("idle", sent["msg_id"]), ("idle", cell)]


def test_the_same_click_is_heard_once(kernel: LiveKernel) -> None:
    cell, comm = waiting(kernel, BLOCKING)
    sent = kernel.send(comm, DECISION)
    kernel.client.shell_channel.send(sent)  # a replay: the same bytes, the same signature
    kernel.reply(cell)
    assert kernel.run("print(len(heard), len(stock))").strip() == "1 0"


def test_a_message_of_another_type_takes_the_stock_way(kernel: LiveKernel) -> None:
    cell, comm = waiting(kernel, AWAITING)
    other = kernel.send(comm, {"method": "update", "state": {"value": 1}})
    kernel.status("idle", of=other["msg_id"])  # a comm handled while a cell awaits publishes its status too
    kernel.send(comm, DECISION)
    assert kernel.reply(cell)["status"] == "ok"
    assert kernel.output(cell).strip().endswith("1")


def test_a_decision_without_a_route_takes_the_stock_way(kernel: LiveKernel) -> None:
    cell = kernel.start(OPEN)
    comm = kernel.comm(cell)
    kernel.reply(cell)
    sent = kernel.send(comm, DECISION)
    kernel.status("idle", of=sent["msg_id"])
    assert kernel.run("print(len(stock))").strip() == "1"


def test_a_handler_that_fails_leaves_the_kernel_and_the_route_alive(kernel: LiveKernel) -> None:
    code = AWAITING.replace("loop.call_soon", "content['reason']; loop.call_soon")
    cell, comm = waiting(kernel, code)
    broken = kernel.send(comm, DECISION)
    kernel.status("idle", of=broken["msg_id"])
    kernel.send(comm, DECISION | {"reason": "it is fine"})
    assert kernel.reply(cell)["status"] == "ok"
    assert "decided approve" in kernel.output(cell)


def test_two_cells_in_a_row(kernel: LiveKernel) -> None:
    first = kernel.start(AWAITING)
    second = kernel.start(AWAITING)
    for cell in (first, second):
        kernel.printed("waiting", cell)
        kernel.send(kernel.comm(cell), DECISION)
        assert kernel.reply(cell)["status"] == "ok"
        assert "decided approve" in kernel.output(cell)
