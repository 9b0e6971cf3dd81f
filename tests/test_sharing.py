"""Two sessions in two processes on one workspace: what a person does in one concerns the runs of the other."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.peer import Peer
from tests.support.sessions import opened
from tests.support.waiting import eventually

from assent.app import Session
from assent.core.commands import Decide, ResumeRun
from assent.core.errors import ConfigError, NotFound
from assent.tools.tool import tool

pytestmark = pytest.mark.slow

BEGIN = """
import asyncio, threading, time
from pathlib import Path
from tests.support.calls import call
from assent.app import Session
from assent.core.agent import Agent
from assent.core.commands import Decide, ResumeRun, StartRun
from assent.core.config import Config
from assent.models.scripted import ScriptedModel
from assent.tools.tool import tool
done = []
@tool(privilege="execute_risky")
def mail(to: str) -> str:
    done.append(to)
    return "sent"
@tool(privilege="execute_safe")
async def dawdle() -> str:
    await asyncio.sleep(60)
    return "over"
session = Session(Path(folder), config=Config(), models=[ScriptedModel([TURN, "finished"])])
session.add_tool(mail)
session.add_tool(dawdle)
results = []
def work():
    agent = Agent(name="far", tools=("mail", "dawdle"))
    results.append(asyncio.run(session.run(agent, "Go.", on_ask="wait", wait=30)))
threading.Thread(target=work, daemon=True).start()
def result():
    until = time.monotonic() + 15
    while not results and time.monotonic() < until:
        time.sleep(0.01)
    return [results[0].status, results[0].text, results[0].reason] if results else None
"""
MAIL = BEGIN.replace("TURN", "call('mail', to='ada')")
DAWDLE = BEGIN.replace("TURN", "call('dawdle')")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    @tool(privilege="execute_risky")
    def mail(to: str) -> str:
        raise AssertionError("the run is not at work here")

    @tool(privilege="execute_safe")
    def dawdle() -> str:
        raise AssertionError("nor is this one")

    with opened(tmp_path, "not asked", "finished here", tools=(mail, dawdle)) as here:
        yield here


def test_a_question_is_answered_where_its_tool_is_not(tmp_path: Path) -> None:
    with opened(tmp_path) as session, Peer(tmp_path, MAIL) as peer:
        eventually(session.pending)
        (asked,) = session.pending()
        with pytest.raises(ConfigError, match="mail is not in this session"):
            session.decide(Decide(asked.call, "approve", arguments={"to": "eve"}))
        session.decide(Decide(asked.call, "approve"))
        assert peer.do("result()") == ["finished", "finished", ""]
        assert peer.do("done") == ["ada"]


def test_a_question_of_another_process_is_answered_here(session: Session, tmp_path: Path) -> None:
    with Peer(tmp_path, MAIL) as peer:
        eventually(session.pending)
        (asked,) = session.pending()
        assert asked.arguments == {"to": "ada"}
        session.decide(Decide(asked.call, "approve"))
        assert peer.do("result()") == ["finished", "finished", ""]
        assert peer.do("done") == ["ada"]
        with pytest.raises(NotFound, match=r"answered already|No call"):
            session.decide(Decide(asked.call, "reject"))


@pytest.mark.parametrize(("act", "status"), [("cancel", "cancelled"), ("pause", "paused")])
def test_a_run_of_another_process_is_stopped_from_here(session: Session, tmp_path: Path, act: str, status: str) -> None:
    with Peer(tmp_path, DAWDLE) as peer:
        eventually(lambda: session.sql("SELECT * FROM tool_calls WHERE status = 'started'").size)
        (run,) = session.sql("SELECT run FROM runs")["run"]
        assert getattr(session, act)(run, seconds=0) == status
        assert peer.do("result()")[0] == status


def test_a_run_that_is_at_work_elsewhere_cannot_be_resumed_here(session: Session, tmp_path: Path) -> None:
    with Peer(tmp_path, MAIL):
        eventually(session.pending)
        (asked,) = session.pending()
        with pytest.raises(ConfigError, match="at work"):
            asyncio.run(session.drain(ResumeRun(asked.run)))


def test_the_run_of_a_process_that_was_killed_goes_on_here(session: Session, tmp_path: Path) -> None:
    with Peer(tmp_path, MAIL) as peer:
        eventually(session.pending)
        (asked,) = session.pending()
        peer.kill()
        eventually(lambda: session.state(asked.run).status == "suspended")
        session.decide(Decide(asked.call, "reject", reason="not today"))
        assert asyncio.run(session.drain(ResumeRun(asked.run))).status == "finished"
