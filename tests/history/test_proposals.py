"""A recording of a run in which a tool proposed: its answers fit again, also those of people to the proposals."""

import asyncio
from pathlib import Path
from typing import Any

from tests.history.recorded import asked, playing
from tests.support.calls import call
from tests.support.deeds import done
from tests.support.sessions import approve, opened, reject, started, until

from assent import Proposal
from assent.app import Session
from assent.core.config import Config
from assent.core.events import Kind
from assent.history.recording import read
from assent.tools.tool import tool


@tool(proposes=True)
def due(folder: str) -> Any:
    """Propose to save twice and to look."""
    made = [Proposal("save", {"path": f"{folder}/{name}"}, why="It is due.") for name in ("a", "b", "c")]
    return "These are due.", [*made, Proposal("look", {"path": folder})]


@tool
def save(path: str) -> str:
    """Save a file."""
    done.append(path.rpartition("/")[2])
    return f"saved {path}"


@tool(privilege="read_only")
def look(path: str) -> str:
    """Look into a folder."""
    return f"{path} is a folder"


TOOLS = (due, save, look)


def test_it_is_played_in_another_place(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    turns = (call("due", folder=str(tmp_path)), "Done.")

    async def answered(session: Session) -> None:
        stream = session.submit(started(*TOOLS, on_ask="wait"))
        asking = await until(stream, Kind.CALL_DECIDED, "ask")
        run = asking.run or ""
        approve(session, f"{run}.1-1", by="ana")
        reject(session, f"{run}.1-2", "not that one")
        approve(session, f"{run}.1-3", by="ana", arguments={"path": "d"})
        await until(stream, Kind.RUN_FINISHED)

    with opened(tmp_path / "there", *turns, tools=TOOLS, config=Config(record=str(file))) as session:
        asyncio.run(answered(session))
    assert done == ["a", "d"]
    [take] = read(file).takes
    assert [place for _, place, _ in take.answers] == [(1, 1), (1, 2), (1, 3)]
    assert str(tmp_path) not in "".join([item.text for item in take.turns[-1].before if item.role == "tool"])
    done.clear()
    session = playing(tmp_path, file)
    result = asked(session, *TOOLS)
    session.close()
    assert (result.status, result.text, done) == ("finished", "Done.", ["a", "d"])


def test_a_run_of_another_mode_is_another_run(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    with opened(tmp_path / "there", "Done.", config=Config(record=str(file))) as session:
        asked(session, look)
    session = playing(tmp_path, file)
    result = asked(session, look, mode="dry-run")
    session.close()
    assert "the mode has changed: recorded 'auto', now 'dry-run'" in result.reason


def test_a_strict_run_is_played_with_its_plan(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    turns = (call("plan", steps=["Save it."]), call("save", path="a"), "Done.")

    async def answered(session: Session) -> None:
        stream = session.submit(started(save, on_ask="wait", mode="strict"))
        for _ in range(2):
            asking = await until(stream, Kind.CALL_DECIDED, "ask")
            approve(session, asking.call or "", by="ana")
        await until(stream, Kind.RUN_FINISHED)

    with opened(tmp_path / "there", *turns, tools=(save,), config=Config(record=str(file))) as session:
        asyncio.run(answered(session))
    done.clear()
    session = playing(tmp_path, file)
    result = asked(session, save, mode="strict")
    session.close()
    assert (result.status, done) == ("finished", ["a"])
