"""`%agent` says of each run that has not come to an end how it stands, and what to type next."""

import asyncio
from pathlib import Path
from typing import Any, Literal

import pytest
from tests.support.calls import call
from tests.support.sessions import approve, opened, ran, resumed, started, until

from assent.app import Session
from assent.core.commands import Decide
from assent.core.errors import NotFound
from assent.core.events import Kind, Scope
from assent.store.cut_off import REASON
from assent.tools.tool import tool
from assent_magics.unfinished import SHOWN, greeting, lines


@tool
def mail(to: str) -> str:
    """Asks."""
    return f"mailed {to}"


@tool(privilege="execute_safe")
async def hang() -> None:
    await asyncio.Event().wait()


@tool(privilege="execute_safe", idempotent=True, name="hang")
async def hang_again() -> None:
    await asyncio.Event().wait()


def cut_off(session: Session, *tools: Any, **options: Any) -> str:
    """A run that a kernel left in the middle of its call, as the next kernel finds it."""

    async def run() -> str:
        stream = session.submit(started(*tools, **options))
        begun = await until(stream, Kind.CALL_STARTED)
        session.stop(str(begun.run))
        await until(stream, Kind.RUN_CANCELLED)
        return str(begun.run)

    name = asyncio.run(run())
    scope: Scope = session.state(name).scope
    session.journal.append([scope.event(Kind.RUN_SUSPENDED, body={"reason": REASON})]).result()
    return name


def test_where_nothing_is_left_nothing_is_said(tmp_path: Path) -> None:
    with opened(tmp_path, "Yes.") as session:
        ran(session)
        assert (lines(session), greeting(session)) == ([], "")


def test_what_waits_for_an_answer(tmp_path: Path) -> None:
    with opened(tmp_path, call("mail", to="ana"), "done") as session:
        run = ran(session, mail, prompt="Mail ana\nand bob.", notebook="reports/orders.ipynb").run
        told = "suspended, 1 call waits for your answer"
        assert lines(session) == [f'{run}  tester  {told}  "Mail ana"  orders.ipynb  %agent pending']
        assert greeting(session) == "1 run from before can go on: %agent says how."


def test_what_was_answered_meanwhile_can_go_on(tmp_path: Path) -> None:
    with opened(tmp_path, call("mail", to="ana"), "done") as session:
        run = ran(session, mail).run
        approve(session, f"{run}.1")
        assert lines(session) == [f'{run}  tester  suspended  "Go."    %agent resume {run}']


def test_what_was_cut_off_in_a_call_has_an_unknown_outcome(tmp_path: Path) -> None:
    with opened(tmp_path, call("hang"), "done") as session:
        run = cut_off(session, hang)
        assert lines(session) == [
            f'{run}  tester  cut off, the outcome of hang is unknown  "Go."    %agent resume {run}'
        ]
        resumed(session, run)
        assert lines(session) == [f'{run}  tester  suspended, the outcome of hang is unknown  "Go."    %agent pending']


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_an_answer_before_the_question_is_told_to_resume_first(
    tmp_path: Path, verdict: Literal["approve", "reject"]
) -> None:
    with opened(tmp_path, call("hang"), "done") as session:
        run = cut_off(session, hang)
        with pytest.raises(NotFound, match=f"Type %agent resume {run} first: it asks about the call"):
            session.decide(Decide(f"{run}.1", verdict))
        resumed(session, run)
        approve(session, f"{run}.1", outcome="It hung.")
        assert session.pending(run) == []


def test_what_can_be_repeated_has_none(tmp_path: Path) -> None:
    with opened(tmp_path, call("hang"), "done") as session:
        run = cut_off(session, hang_again)
        assert lines(session) == [f'{run}  tester  cut off  "Go."    %agent resume {run}']


def test_what_is_paused(tmp_path: Path) -> None:
    with opened(tmp_path, call("mail", to="ana"), "done") as session:
        run = ran(session, mail).run
        approve(session, f"{run}.1")
        session.pause(run)
        assert lines(session) == [f'{run}  tester  paused  "Go."    %agent resume {run}']
        assert greeting(session)


def test_what_is_at_work(tmp_path: Path) -> None:
    async def look(session: Session) -> tuple[str, list[str]]:
        stream = session.submit(started(hang))
        begun = await until(stream, Kind.CALL_STARTED)
        found = lines(session)
        await stream.aclose()
        return str(begun.run), found

    with opened(tmp_path, call("hang"), "done") as session:
        run, found = asyncio.run(look(session))
        assert found == [f'{run}  tester  at work  "Go."    %agent show {run}']


def test_the_latest_ten(tmp_path: Path) -> None:
    started = {"prompt": "x" * 100, "agent": {"name": "analyst"}}
    with opened(tmp_path) as session:
        for number in range(12):
            scope = session.journal.scope(run=f"r{number:02}", agent="analyst")
            events = [scope.event(Kind.RUN_STARTED, body=started), scope.event(Kind.RUN_SUSPENDED, body={"reason": ""})]
            session.journal.append(events).result()
        shown = lines(session)
        assert len(shown) == SHOWN + 1
        assert shown[0].startswith("r11  analyst  suspended  ")
        assert f'"{"x" * 39}…"' in shown[0]
        assert shown[-1] == "… and 2 more: %agent runs"
        assert greeting(session) == "12 runs from before can go on: %agent says which, and how."


def test_words_of_an_agent_cannot_draw_on_the_terminal(tmp_path: Path) -> None:
    with opened(tmp_path, call("mail", to="ana"), "done") as session:
        ran(session, mail, prompt="\x1b[2Jgone\u202e")
        assert "\x1b" not in lines(session)[0]
        assert "gone⟨U+202E⟩" in lines(session)[0]
