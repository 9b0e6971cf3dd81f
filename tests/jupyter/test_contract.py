"""The private hooks that the Assent kernel stands on. A failure here: read kernel.py before updating ipykernel.

Signatures are pinned, and the reason of each override is shown on the stock kernel: an ipykernel that cures one
makes that override needless.
"""

import inspect
import time
from collections.abc import Iterator

import pytest
from ipykernel.ipkernel import IPythonKernel
from jupyter_client.session import Session
from tests.jupyter.cells import AT_WORK, AWAITING, BLOCKING, DECISION
from tests.jupyter.live import LiveKernel, answers, live_kernel

from assent.jupyter.kernel import AssentKernel

SIGNATURES = {
    "shell_channel_thread_main": "(self, msg)",
    "dispatch_shell": "(self, msg, /, subshell_id: 'str | None' = None, *, concurrent: 'bool' = False)",
    "_cancel_on_sigint": "(self, future)",
    "_publish_status": "(self, status, channel, parent=None)",
    "get_parent": "(self, channel=None)",
    "_get_shell_context_var": "(self, var: 'ContextVar[T]') -> 'T'",
}


@pytest.fixture(scope="module")
def stock(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKernel]:
    """ipykernel's own kernel."""
    with live_kernel("python3", environment, tmp_path_factory.mktemp("stock")) as running:
        yield running


@pytest.mark.parametrize(("name", "signature"), SIGNATURES.items(), ids=SIGNATURES.keys())
def test_the_signature_of_a_hook(name: str, signature: str) -> None:
    assert str(inspect.signature(getattr(IPythonKernel, name))) == signature


@pytest.mark.parametrize("name", ["shell_channel_thread_main", "dispatch_shell"])
def test_both_dispatchers_are_coroutines_and_overridden(name: str) -> None:
    for kind in (IPythonKernel, AssentKernel):
        assert inspect.iscoroutinefunction(kind.__dict__.get(name, getattr(kind, name)))
    assert name in AssentKernel.__dict__


def test_a_message_may_be_peeked_at_before_it_is_read_once() -> None:
    session = Session(key=b"secret")
    _, frames = session.feed_identities(session.serialize(session.msg("comm_msg", {"comm_id": "c1"})))
    for _ in range(2):
        assert session.unpack(session.deserialize(frames, content=False)["content"]) == {"comm_id": "c1"}
    session.deserialize(frames)
    with pytest.raises(ValueError, match="Duplicate Signature"):
        session.deserialize(frames, content=False)


def test_a_forged_message_cannot_be_peeked_at() -> None:
    session, stranger = Session(key=b"secret"), Session(key=b"guess")
    _, frames = session.feed_identities(stranger.serialize(stranger.msg("comm_msg", DECISION)))
    with pytest.raises(ValueError, match="Invalid Signature"):
        session.deserialize(frames, content=False)


@pytest.mark.kernel
def test_stock_hears_no_decision_while_its_main_thread_is_blocked(stock: LiveKernel) -> None:
    cell = stock.start(BLOCKING.replace("wait(10), *heard[0]", "wait(1), heard"))
    stock.printed("waiting", cell)
    stock.send(stock.comm(cell), DECISION)
    assert "decided False [] 0" in stock.output(cell)


@pytest.mark.kernel
def test_stock_publishes_no_status_for_a_comm_while_a_cell_awaits(stock: LiveKernel) -> None:
    cell = stock.start(AWAITING.replace("stock.append", "lambda m: settle(m['content']['data'])"))
    stock.printed("waiting", cell)
    sent = stock.send(stock.comm(cell), DECISION)
    assert "decided approve MainThread" in stock.output(cell)
    assert not [m for m in stock.seen if answers(m, sent["msg_id"], "status")]


@pytest.mark.kernel
def test_stock_leaves_an_awaiting_cell_asleep_when_interrupted(stock: LiveKernel) -> None:
    cell = stock.start(AT_WORK + "await asyncio.sleep(1.5)")
    stock.printed("at work", cell)
    begun = time.monotonic()
    stock.manager.interrupt_kernel()
    stock.reply(cell)
    assert time.monotonic() - begun > 1.0
