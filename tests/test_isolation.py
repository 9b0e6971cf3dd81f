"""Several people in one workspace: neither tenants, users, agents nor notebooks see each other, by no door."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.calls import call
from tests.support.sessions import approve, opened, ran, resumed
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.agent import Agent
from assent.core.commands import Decide, ForkRun, ResumeRun, StartRun, StopRun
from assent.core.config import Config
from assent.core.errors import ConfigError, NotFound, QueryError, StoreError
from assent.core.events import Event, Kind
from assent.history import compare, history
from assent.store.access import EVERYONE, Access
from assent.tools.tool import tool

SECRET = "SECRET of Bo"
OTHERS = [
    Access("default", "ana"),
    Access("else", "bo"),
    Access("default", "bo", "other"),
    Access("default", "bo", None, "other.ipynb"),
    Access("nowhere"),
]


@tool(privilege="execute_risky")
def send(text: str) -> str:
    return f"sent {text}"


@dataclass(frozen=True)
class Room:
    """Bo has a run that waits for an answer, and one that has finished."""

    folder: Path
    bo: Session
    waiting: str
    finished: str
    call: str


@contextmanager
def inhabited(folder: Path) -> Iterator[Room]:
    turns = call("send", text=SECRET), SECRET, SECRET
    with opened(folder, *turns, tools=(send,), access=Access("default", "bo")) as bo:
        bo.define(Agent(name="bos", instructions=SECRET))
        waiting = ran(bo, send, prompt=SECRET, notebook="bo.ipynb")
        finished = ran(bo, prompt=SECRET, notebook="bo.ipynb")
        yield Room(folder, bo, waiting.run, finished.run, waiting.pending[0].call)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with inhabited(tmp_path) as room:
        yield room


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A room that nobody gets into: one is enough for all who try."""
    with inhabited(tmp_path_factory.mktemp("closed")) as room:
        yield room


@pytest.fixture(scope="module", params=OTHERS, ids=str)
def other(request: pytest.FixtureRequest, closed: Room) -> Iterator[Session]:
    with opened(closed.folder, "mine", tools=(send,), access=request.param) as session:
        yield session


DOORS: dict[str, Callable[[Session, Room], Any]] = {
    "state": lambda session, room: session.state(room.waiting),
    "a few signs of the id": lambda session, room: session.state(room.waiting[:4]),
    "events": lambda session, room: session.events(room.finished),
    "find": lambda session, room: session.find(room.finished),
    "result": lambda session, room: session.result(room.finished),
    "cancel": lambda session, room: session.cancel(room.waiting),
    "pause": lambda session, room: session.pause(room.waiting),
    "approve": lambda session, room: session.decide(Decide(room.call, "approve")),
    "reject": lambda session, room: session.decide(Decide(room.call, "reject")),
    "resume": lambda session, room: asyncio.run(session.drain(ResumeRun(room.waiting))),
    "fork": lambda session, room: asyncio.run(session.drain(ForkRun(room.finished, at=0))),
    "replay": lambda session, room: asyncio.run(session.replay(room.finished)),
    "stop": lambda session, room: asyncio.run(_all(session, StopRun(room.waiting))),
    "history": lambda session, room: history.history(session.journal, session.find(room.finished)),
    "compare": lambda session, room: compare.compare(session.journal, [session.find(room.finished)]),
    "agent": lambda session, room: session.agent("bos"),
}


async def _all(session: Session, command: Any) -> list[Any]:
    return [item async for item in session.submit(command)]


@pytest.mark.parametrize("door", DOORS)
def test_what_is_somebody_elses_is_not_there(closed: Room, door: str) -> None:
    before = closed.bo.journal.house.select("SELECT count(*) FROM events")
    for access in OTHERS:
        with opened(closed.folder, "mine", tools=(send,), access=access) as session:
            with pytest.raises(NotFound) as caught:
                DOORS[door](session, closed)
            assert SECRET not in str(caught.value)
    assert closed.bo.journal.house.select("SELECT count(*) FROM events") == before
    assert not closed.bo.state(closed.waiting).answered


def test_nothing_is_listed(closed: Room, other: Session) -> None:
    assert other.pending() == other.pending(closed.waiting) == []
    assert not other.live(closed.waiting)
    assert "bos" not in other.agents()
    assert other.journal.events(closed.waiting) == other.journal.events(kind=Kind.AGENT_DEFINED) == []
    for view in ("events", "runs", "steps", "tool_calls", "approvals", "costs", "notebooks", "writes"):
        assert other.sql(f"SELECT * FROM {view}").empty
        assert other.journal.select(f"SELECT * FROM {view}") == []


@pytest.mark.parametrize(
    "query", ["SELECT * FROM main.events", "SELECT * FROM assent.main.runs", "FROM duckdb_tables()"]
)
def test_no_sql_reaches_further(other: Session, query: str) -> None:
    for door in (other.sql, other.journal.select, lambda text: other.journal.frame(text, {})):
        with pytest.raises(QueryError):
            door(query)


def test_what_is_the_sessions_own_is_there_as_ever(room: Room) -> None:
    with opened(room.folder, call("send", text="hello"), "done", tools=(send,), access=Access("default", "ana")) as ana:
        result = ran(ana, send, prompt="mine")
        assert [item.run for item in ana.pending()] == [result.run]
        approve(ana, result.pending[0].call)
        assert resumed(ana, result.run).text == "done"
        assert ana.sql('SELECT DISTINCT tenant, "user" FROM events').values.tolist() == [["default", "ana"]]
        assert ana.sql("SELECT prompt, answer FROM runs").values.tolist() == [["mine", "done"]]
        assert ana.sql("SELECT result, verdict FROM tool_calls").values.tolist() == [["sent hello", "approve"]]


def test_an_administrator_sees_and_answers_everything(room: Room) -> None:
    with opened(room.folder, "done", tools=(send,), access=EVERYONE) as admin:
        assert set(admin.sql("SELECT run FROM runs")["run"]) == {room.waiting, room.finished}
        assert admin.sql("SELECT count(*) AS n FROM main.events")["n"].item() > 0
        assert "bos" in admin.agents()
        assert [item.call for item in admin.pending()] == [room.call]
        event = admin.decide(Decide(room.call, "reject", by="ana"))
        assert (event.tenant, event.user, event.body["by"]) == ("default", "bo", "ana")
    assert room.bo.pending() == []


def test_two_people_approve_where_the_second_is_an_administrator(tmp_path: Path, people: None) -> None:
    @tool(privilege="super_admin")
    def launch() -> str:
        return "launched"

    with ExitStack() as stack:
        bo = stack.enter_context(opened(tmp_path, call("launch"), "done", access=Access("default", "bo")))
        result = ran(bo, launch)
        admin = stack.enter_context(opened(tmp_path, tools=(launch,), access=EVERYONE))
        approve(bo, result.pending[0].call, by="bo")
        approve(admin, result.pending[0].call, by="ana")
        assert resumed(bo, result.run).text == "done"


def test_a_session_is_its_users_and_the_settings_tenants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSENT_USER", "ana")
    config = Config(tenant="north")
    with opened(tmp_path, "done", "done", config=config) as session:
        first = ran(session)
        assert session.journal.access == Access("north", "ana")
        [event, *_] = session.journal.events(first.run)
        assert (event.tenant, event.user) == ("north", "ana")
        session.config = replace(config, tenant="south")
        assert session.sql("SELECT * FROM runs").empty
        session.config = replace(config, admin=True)
        assert session.find(first.run) == first.run
        session.config = replace(config, admin=False)
        monkeypatch.setenv("ASSENT_USER", "bo")
        assert session.find(first.run) == first.run  # who somebody is does not change while a session is open
    with opened(tmp_path, config=config) as session, pytest.raises(NotFound):
        session.find(first.run)


def test_who_is_an_administrator_is_not_the_workspaces_to_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.toml").write_text("tenant = 'north'\n")
    monkeypatch.setenv("ASSENT_ADMIN", "1")
    session = Session(prepare(tmp_path))
    assert (session.journal.access, session.journal.tenant) == (EVERYONE, "north")
    session.close()
    (tmp_path / "config.toml").write_text("admin = true\n")
    with pytest.raises(ConfigError, match=r"admin cannot be set in .*ASSENT_ADMIN"):
        Session(tmp_path)


def event(run: str | None, tenant: str, user: str, kind: Kind = Kind.RUN_FINISHED) -> Event:
    return Event(kind=kind, run=run, tenant=tenant, user=user, body={"text": "forged"})


@pytest.mark.parametrize("way", ["append", "committed", "post"])
def test_nobody_writes_as_somebody_else(room: Room, way: str) -> None:
    async def write(session: Session, item: Event) -> None:
        getattr(session.journal, way)([item])

    with opened(room.folder, access=Access("default", "ana")) as ana:
        forged = [
            event(None, "default", "bo"), event(None, "else", "ana"), event("new", "default", "bo"),
            event(room.waiting, "default", "bo"), event(room.waiting, "default", "ana"),
            event(room.waiting, "default", "ana", Kind.RUN_STARTED), event(room.waiting, "", ""),
        ]  # fmt: skip
        for item in forged:
            with pytest.raises(StoreError, match="This session is of tenant default, user ana"):
                asyncio.run(write(ana, item))
        asyncio.run(write(ana, event("hers", "default", "ana")))
        asyncio.run(write(ana, Event(kind=Kind.CELL_RAN)))
        ana.journal.append([]).result()
        assert ana.sql('SELECT DISTINCT tenant, "user" FROM events').values.tolist() == [["default", "ana"]]
    assert room.bo.state(room.waiting).status == "suspended"


def test_a_narrowed_session_begins_no_other_run(tmp_path: Path) -> None:
    with opened(tmp_path, "done", "done", access=Access("default", "ana", "tester")) as session:
        assert ran(session).text == "done"
        with pytest.raises(StoreError, match=r"no run of .*agent analyst can begin"):
            asyncio.run(session.run("analyst", "Go."))


def test_what_is_forged_beside_the_window_is_no_part_of_a_run(room: Room) -> None:
    verdict = {"by": "ana", "missing": 0, "scope": "once", "reason": "", "arguments": None}
    forged = Event(
        kind=Kind.APPROVAL_DECIDED, run=room.waiting, call=room.call, tenant="default", user="ana", decision="approve",
        body=verdict,
    )  # fmt: skip
    room.bo.journal.house.append([forged]).result()
    for access in (EVERYONE, Access("default"), Access("default", "bo")):
        with opened(room.folder, access=access) as session:
            assert [item.id for item in session.state(room.waiting).waiting] == [room.call]


def test_listeners_hear_what_they_may_see(room: Room) -> None:
    with ExitStack() as stack:
        ana, admin = [
            stack.enter_context(opened(room.folder, "a", access=access))
            for access in (Access("default", "ana"), EVERYONE)
        ]
        heard: dict[str, list[Event]] = {"ana": [], "bo": [], "admin": []}
        for name, session in (("ana", ana), ("bo", room.bo), ("admin", admin)):
            end = session.journal.subscribe(heard[name].extend)
            stack.callback(end)
        hers = ran(ana, prompt="mine").run
        room.bo.cancel(room.waiting)
        ana.journal.append([]).result()
        assert {item.run for item in heard["ana"]} == {hers}
        assert {item.run for item in heard["bo"]} == {room.waiting}
        assert {item.run for item in heard["admin"]} == {hers, room.waiting}


def test_a_run_at_work_is_stopped_by_nobody_else(room: Room) -> None:
    async def look(session: Session) -> None:
        stream = session.submit(StartRun("Go.", Agent(name="tester", tools=(send,)), on_ask="wait", wait=5))
        run = (await anext(stream)).run or ""
        with opened(room.folder, access=Access("default", "ana")) as ana:
            assert not ana.live(run)
            ana.stop(run)
            for act in (ana.cancel, ana.pause):
                with pytest.raises(NotFound):
                    act(run)
        assert session.live(run)
        session.stop(run)
        assert [item async for item in stream][-1].kind is Kind.RUN_CANCELLED

    with opened(room.folder, call("send", text="x"), access=Access("default", "bo")) as session:
        asyncio.run(look(session))


def test_limits_count_what_everybody_spent(room: Room) -> None:
    spent = Event(
        kind=Kind.MODEL_ANSWERED,
        run="s",
        model="scripted",
        tenant="default",
        user="bo",
        cost=Decimal(3),
    )
    room.bo.journal.append([spent]).result()
    with opened(room.folder, access=Access("default", "ana")) as ana:
        assert [cost for _, cost in ana._catalog._spent("scripted")] == [3]


def test_a_part_of_a_workspace_cannot_be_copied(room: Room, tmp_path: Path) -> None:
    with opened(room.folder, access=Access("default", "ana")) as ana:
        with pytest.raises(StoreError, match=r"also holds what is not of tenant default, user ana.*ASSENT_ADMIN"):
            ana.journal.upkeep("snapshot", str(tmp_path / "copy"))
        assert ana.journal.verify() > 0
    assert room.bo.journal.whole() is room.bo.journal.house


ELSEWHERE = """
import sys
import pandas as pd
from pathlib import Path
from assent.app import Session
from assent.core.errors import NotFound, QueryError
from assent.store.access import Access

folder, run = Path(sys.argv[1]), sys.argv[2]
with_others = pd.DataFrame({"run": [run]})
session = Session(folder, {"with_others": with_others}, access=Access("default", "ana"))
assert type(session.journal.house._store).__name__ == "Remote"
assert session.sql("SELECT * FROM runs").empty
assert session.sql("SELECT * FROM runs JOIN with_others USING (run)").empty
assert session.pending() == session.journal.events(run) == []
for query in ("SELECT * FROM main.events", "SELECT * FROM main.events JOIN with_others USING (run)"):
    try:
        session.sql(query)
    except QueryError:
        continue
    sys.exit(query)
try:
    session.find(run)
except NotFound:
    print("not there")
session.close()
"""


@pytest.mark.slow
def test_the_owner_of_a_shared_workspace_confines_too(room: Room) -> None:
    command = [sys.executable, "-c", ELSEWHERE, str(room.folder), room.finished]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.returncode) == ("not there\n", 0), done.stderr
    assert room.bo.find(room.finished) == room.finished


def test_no_condition_fails_on_somebody_elses_rows(other: Session) -> None:
    for query in (
        "SELECT CAST(prompt AS INT) FROM runs",
        "SELECT error(body) FROM events",
        "SELECT * FROM runs WHERE CASE WHEN prompt LIKE 'S%' THEN error(prompt) END",
    ):
        assert other.sql(query).empty
