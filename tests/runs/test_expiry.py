"""A question that nobody answers in time: never approved, not denied either, and asked anew."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.calls import call
from tests.support.deeds import done, mail
from tests.support.sessions import approve, kinds, opened, ran, reject, resumed, started, until

from assent.app import Session
from assent.core.clock import CLOCK
from assent.core.errors import ConfigError
from assent.core.events import Kind
from assent.runs import expiry
from assent.tools.tool import tool

DAY = 86_400.0


class Time:
    """A clock that a test moves: `wall` is what the machine says, `now` what never goes back."""

    def __init__(self) -> None:
        self.wall = self.now = CLOCK.now()

    def goes_on(self, seconds: float) -> None:
        self.wall, self.now = self.wall + seconds, self.now + seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    moved = Time()
    monkeypatch.setattr(type(CLOCK), "now", lambda _: moved.now)
    monkeypatch.setattr(expiry.time, "time", lambda: moved.wall)
    return moved


@contextmanager
def asking(folder: Path, expires: str = "24h", *more: Any) -> Iterator[Session]:
    folder.mkdir(exist_ok=True)
    (folder / "policy.toml").write_text(f'[ask]\nexpires = "{expires}"\n')
    with opened(folder, call("mail", to="ada"), *more, "done", tools=(mail,)) as session:
        yield session


def verdicts(session: Session) -> list[str]:
    return [verdict for (verdict,) in session.journal.select("SELECT verdict FROM approvals ORDER BY asked")]


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_an_answer_that_comes_too_late_is_refused_and_the_run_asks_anew(
    tmp_path: Path, clock: Time, verdict: str
) -> None:
    with asking(tmp_path) as session:
        run = ran(session, mail).run
        assert session.pending()[0].until == clock.now + DAY
        clock.goes_on(DAY)
        for _ in range(2):
            with pytest.raises(ConfigError, match=rf"The question {run}.1 has expired.*%agent resume {run} asks anew"):
                approve(session, f"{run}.1") if verdict == "approve" else reject(session, f"{run}.1")
        assert kinds(session, run).count(Kind.APPROVAL_EXPIRED) == 1
        assert session.pending() == []
        result = resumed(session, run)
        assert (result.status, done) == ("suspended", [])
        assert "nobody answered in time when it was asked before" in result.pending[0].asks
        assert verdicts(session) == ["expired", "pending"]
        approve(session, f"{run}.1")
        assert resumed(session, run).status == "finished"
        assert done == ["ada"]


def test_it_is_noticed_when_the_run_is_resumed(tmp_path: Path, clock: Time) -> None:
    with asking(tmp_path) as session:
        run = ran(session, mail).run
        clock.goes_on(DAY + 1)
        assert session.pending() == []
        assert resumed(session, run).status == "suspended"
        assert kinds(session, run).count(Kind.APPROVAL_EXPIRED) == 1
        assert [item.call for item in session.pending()] == [f"{run}.1"]


def test_an_answer_in_time_holds_however_late_the_run_goes_on(tmp_path: Path, clock: Time) -> None:
    with asking(tmp_path) as session:
        run = ran(session, mail).run
        clock.goes_on(DAY - 1)
        approve(session, f"{run}.1")
        clock.goes_on(10 * DAY)
        assert resumed(session, run).status == "finished"
        assert done == ["ada"]


def test_half_a_quorum_expires_with_its_question(tmp_path: Path, clock: Time, people: None) -> None:
    (tmp_path / "policy.toml").write_text('[ask]\nexpires = "24h"\napprovers = 2\n')
    with opened(tmp_path, call("mail", to="ada"), "done", tools=(mail,)) as session:
        run = ran(session, mail).run
        approve(session, f"{run}.1", by="ada")
        clock.goes_on(DAY)
        with pytest.raises(ConfigError, match="has expired"):
            approve(session, f"{run}.1", by="eve")
        assert resumed(session, run).pending[0].approved_by == ()
        approve(session, f"{run}.1", by="eve")
        assert resumed(session, run).status == "suspended"
        assert done == []


@pytest.mark.parametrize("back", [DAY, 2 * DAY])
def test_a_clock_that_goes_back_does_not_revive_it(tmp_path: Path, clock: Time, back: float) -> None:
    """In the same process the clock is known to be wrong; another one knows it by what was written last."""
    with asking(tmp_path) as session:
        run = ran(session, mail).run
        clock.goes_on(DAY)
        clock.wall -= back
        with pytest.raises(ConfigError, match="has expired"):
            approve(session, f"{run}.1")
        clock.now = clock.wall  # another process
        with pytest.raises(ConfigError, match="has expired"):
            approve(session, f"{run}.1")
        assert resumed(session, run).status == "suspended"
        assert done == []


def test_a_clock_that_stands_before_the_question_is_not_believed(tmp_path: Path, clock: Time) -> None:
    with asking(tmp_path) as session:
        run = ran(session, mail).run
        clock.goes_on(-2 * DAY)
        with pytest.raises(ConfigError, match="has expired"):
            approve(session, f"{run}.1")


def test_a_run_that_waits_for_it_is_suspended_when_it_expires(tmp_path: Path) -> None:
    async def waited(session: Session) -> str:
        stream = session.submit(started(mail, on_ask="wait", wait=60))
        event = await until(stream, Kind.RUN_SUSPENDED)
        return str(event.body["reason"])

    with asking(tmp_path, "1s") as session:
        reason = asyncio.run(waited(session))
        assert reason.startswith("nobody answered in time: ")
        assert session.pending() == []
        assert verdicts(session) == ["expired"]
        [(status,)] = session.journal.select("SELECT status FROM tool_calls")
        assert status == "expired"


def test_without_an_expiry_a_question_waits_as_long_as_it_takes(tmp_path: Path, clock: Time) -> None:
    with opened(tmp_path, call("mail", to="ada"), "done", tools=(mail,)) as session:
        run = ran(session, mail).run
        clock.goes_on(1000 * DAY)
        approve(session, f"{run}.1")
        assert resumed(session, run).status == "finished"


def test_a_replay_finds_nothing_different_years_later(tmp_path: Path, clock: Time) -> None:
    with asking(tmp_path) as session:
        run = ran(session, mail).run
        clock.goes_on(DAY)
        resumed(session, run)
        approve(session, f"{run}.1")
        resumed(session, run)
        clock.goes_on(1000 * DAY)
        assert asyncio.run(session.replay(run)).difference == ""


def test_the_question_what_became_of_a_call_expires_like_any_other(tmp_path: Path, clock: Time) -> None:
    @tool(privilege="execute_safe")
    async def note() -> str:
        done.append("noted")
        raise KeyboardInterrupt

    (tmp_path / "policy.toml").write_text('[ask]\nexpires = "24h"\n')
    with opened(tmp_path, call("note"), "done", tools=(note,)) as session:
        run = ran(session, note).run  # an interrupt in its middle
        assert resumed(session, run).status == "suspended"
        assert session.pending()[0].unknown
        clock.goes_on(DAY)
        with pytest.raises(ConfigError, match="has expired"):
            approve(session, f"{run}.1")
        assert resumed(session, run).pending[0].unknown
        assert done == ["noted"]
