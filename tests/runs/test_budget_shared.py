"""Several processes spend of one budget: together they do not pass it, and a dead one leaves what it did not spend."""

from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.peer import Peer
from tests.support.waiting import eventually
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.config import Config
from assent.core.events import Kind
from assent.models.scripted import ScriptedModel
from assent.store.access import EVERYONE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]

SPENDER = """
import asyncio, threading
from decimal import Decimal
from tests.support.calls import call
from assent.app import Session
from assent.core.agent import Agent
from assent.core.config import Config
from assent.core.model import Usage
from assent.models.scripted import ScriptedModel, Turn
from assent.tools.tool import tool

@tool(privilege="read_only")
def look(at: int) -> str:
    return "seen"

@tool(privilege="execute_safe")
def hang(at: int) -> str:
    threading.Event().wait()
    return ""

def opened(name, model="scripted:script", cost=None, each=1, tool="look", turns=40):
    global session
    usage = Usage(100, 20, cost=None if cost is None else Decimal(cost))
    script = [Turn([call(tool, at=n) for n in range(each)], usage=usage) for _ in range(turns)]
    session = Session(folder, config=Config(model=model), models=[ScriptedModel([*script, "done"], model)])
    session.add_tool(look)
    session.add_tool(hang)

def spend(tool="look", runs=1, **options):
    async def together():
        agent = Agent(name="spender", tools=(tool,), max_steps=100, **options)
        return await asyncio.gather(*[session.run(agent, "Go.") for _ in range(runs)])
    return [[result.status, result.reason] for result in asyncio.run(together())]
"""


def workspace(folder: Path, **limits: int | str) -> Path:
    made = prepare(folder / ".assent")
    lines = [f"{kind} = {limit if isinstance(limit, int) else repr(limit)}" for kind, limit in limits.items()]
    (made / "policy.toml").write_text("\n".join(["[[budget]]", 'name = "daily"', 'per = ["day"]', *lines]))
    return made


def events(folder: Path, kind: Kind) -> list[tuple[str, Decimal | None]]:
    session = Session(prepare(folder), config=Config(), access=EVERYONE)
    try:
        found = session.journal.select("SELECT run, cost FROM events WHERE kind = ?", [kind.value])
        return [(str(run), cost) for run, cost in found]
    finally:
        session.close()


def spend_together(folder: Path, peers: int, opening: str, runs: int = 1) -> list[list[str]]:
    with ExitStack() as stack:
        others = [stack.enter_context(Peer(folder, SPENDER)) for _ in range(peers)]
        for number, peer in enumerate(others):
            peer.do(f"opened({number}, {opening})")
        for peer in others:
            peer.begin(f"spend(runs={runs})")
        ends = [end for peer in others for end in peer.end()]
        for peer in others:
            peer.do("session.close()")
    return ends


def test_calls_of_two_processes_come_to_the_limit_and_not_beyond(tmp_path: Path) -> None:
    folder = workspace(tmp_path, calls=31)
    ends = spend_together(folder, 2, "each=1", runs=2)
    assert {status for status, _ in ends} == {"suspended"}
    assert all("The budget daily (policy.toml:1) stops the run" in reason for _, reason in ends)
    assert len(events(folder, Kind.CALL_STARTED)) == 31


def test_money_of_three_processes_stays_within_the_limit_where_the_estimates_hold(tmp_path: Path) -> None:
    folder = workspace(tmp_path, money="0.002")
    ends = spend_together(folder, 3, "model='openai:gpt-4o-mini', cost='0.000027'")  # what 100 in and 20 out cost
    assert {status for status, _ in ends} == {"suspended"}
    total = sum([cost or Decimal(0) for _, cost in events(folder, Kind.MODEL_ANSWERED)])
    assert Decimal("0.0015") < total <= Decimal("0.002")


def test_money_is_passed_by_no_more_than_the_answers_under_way_outgrow_their_estimate(tmp_path: Path) -> None:
    folder = workspace(tmp_path, money="0.05")
    spend_together(folder, 3, "model='openai:gpt-4o-mini', cost='0.01'")  # a hundred times what one would think
    total = sum([cost or Decimal(0) for _, cost in events(folder, Kind.MODEL_ANSWERED)])
    assert Decimal("0.05") <= total <= Decimal("0.05") + 3 * Decimal("0.01")


def test_what_a_process_that_was_killed_had_reserved_is_free_again(tmp_path: Path) -> None:
    folder = workspace(tmp_path, calls=20)
    with Peer(folder, SPENDER) as peer:
        peer.do("opened(1, each=4, tool='hang')")
        peer.begin("spend('hang', parallel=4)")
        session = Session(prepare(folder), config=Config(), models=[ScriptedModel(["done"])])
        try:
            eventually(lambda: session.journal.select("SELECT 1 FROM events WHERE kind = 'call_started'"))
        finally:
            session.close()
        peer.kill()
    ends = spend_together(folder, 1, "each=1")
    started = len(events(folder, Kind.CALL_STARTED))
    assert (ends[0][0], started) == ("suspended", 20)
