"""A run goes on, over real HTTP, where its model fails; and what befell it is in SQL."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.chat_server import Received, Reply, calls, chat_server, chunk, says
from tests.support.sessions import kinds
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.agent import Agent
from assent.core.commands import ResumeRun, StartRun
from assent.core.config import Config
from assent.core.events import Event, Kind, Progress
from assent.models.scripted import ScriptedModel
from assent.runs.result import Result
from assent.tools.tool import tool

BUSY = Reply([b'{"error": {"message": "Slow down."}}'], 429, "application/json")
FAULT = Reply([b'{"error": {"message": "Oops."}}'], 500, "application/json")
QUICK = {"backoff": 0.001}
INCIDENTS = "SELECT kind, model, body->>'reason' FROM events WHERE kind LIKE 'model_%' AND kind <> 'model_answered'"


@tool(privilege="read_only")
def look(x: int = 0) -> str:
    return f"saw {x}"


@contextmanager
def served(folder: Path, url: str, *models: Any, **settings: Mapping[str, Any]) -> Iterator[Session]:
    """A session whose model is on that server; settings by provider."""
    config = Config(model="custom:m", base_url=url, models=settings)
    with closing(Session(prepare(folder), config=config, models=models)) as session:
        yield session


def started(agent: str = "tester") -> StartRun:
    return StartRun("Go.", Agent(name=agent, tools=(look,)))


def seen(session: Session, command: StartRun | ResumeRun) -> list[Event | Progress]:
    """What the stream of a command gives; the event loop's connections are closed at its end."""

    async def main() -> list[Event | Progress]:
        try:
            return [item async for item in session.submit(command)]
        finally:
            await session._catalog.aclose()

    return asyncio.run(main())


def run(session: Session, agent: str = "tester") -> Result:
    return session.result(seen(session, started(agent))[-1].run or "")


def again(session: Session, failed: Result) -> Result:
    """The result of a run that is resumed."""
    return session.result(seen(session, ResumeRun(failed.run))[-1].run or "")


@pytest.fixture
def nobody() -> Iterator[str]:
    """The address of a port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/v1"


def test_a_limit_that_passes_is_waited_for_and_the_run_finishes(tmp_path: Path) -> None:
    limited = Reply(BUSY.pieces, 429, "application/json", {"Retry-After": "0.02"})
    with chat_server([limited, limited, says("done")]) as server, served(tmp_path, server.url, custom=QUICK) as session:
        assert run(session).text == "done"
        rows = session.journal.select("SELECT kind, duration, body->>'reason' FROM events WHERE kind = 'model_retried'")
        assert [(kind, reason) for kind, _, reason in rows] == [
            ("model_retried", "The model server is limiting requests (HTTP 429: Slow down).")
        ] * 2
        assert all(0.02 <= seconds <= 0.03 for _, seconds, _ in rows)
        assert len(server.requests) == 3


def test_a_stream_that_is_cut_is_begun_again_and_that_is_said(tmp_path: Path) -> None:
    cut = Reply([chunk({"content": "Half an "})], cut=True)
    with chat_server([cut, says("Whole.")]) as server, served(tmp_path, server.url, custom=QUICK) as session:
        items = seen(session, started())
        words = [item.delta.text if isinstance(item, Progress) else item.kind for item in items]
        at = words.index(Kind.MODEL_RETRIED)
        assert words[at - 1] == "Half an "
        assert items[at].body["restart"]  # type: ignore[union-attr]  # the retry is an event
        assert words[at + 1 : -2] == ["Whole."]
        assert session.result(items[-1].run or "").text == "Whole."
        assert session.sql("SELECT incident, restart FROM incidents").iloc[0].tolist() == ["retried", True]


def test_what_was_done_is_not_done_again_for_a_retry(tmp_path: Path) -> None:
    replies = [calls(("look", '{"x": 7}')), FAULT, FAULT, says("done")]
    with chat_server(replies) as server, served(tmp_path, server.url, custom=QUICK) as session:
        result = run(session)
        assert kinds(session, result.run).count(Kind.CALL_FINISHED) == 1
        assert kinds(session, result.run).count(Kind.MODEL_RETRIED) == 2
        bodies = [received.raw for received in server.requests[1:]]
        assert bodies[0] == bodies[1] == bodies[2]


def test_a_dead_server_is_replaced_and_costs_name_who_answered(tmp_path: Path, nobody: str) -> None:
    spare = ScriptedModel(["from the spare"], "scripted:spare")
    settings = {"attempts": 2, **QUICK, "fallback": ["groq:missing", "scripted:spare"]}
    with served(tmp_path, nobody, spare, custom=settings) as session:
        result = run(session)
        assert (result.status, result.text) == ("finished", "from the spare")
        assert session.journal.select("SELECT model, provider FROM costs") == [("scripted:spare", "scripted")]
        retried, fell = session.journal.select(INCIDENTS)
        assert retried[:2] == ("model_retried", "custom:m")
        assert fell[:2] == ("model_fell_back", "custom:m")
        assert "(connection refused), after 2 attempts; groq:missing cannot stand in (Groq needs a key" in fell[2]
        [(to,)] = session.journal.select("SELECT body->>'to' FROM events WHERE kind = 'model_fell_back'")
        assert to == "scripted:spare"


def test_another_server_takes_over_in_the_middle_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replies = [calls(("look", '{"x": 7}')), Reply([chunk({"content": "Hm"})], cut=True)]
    with chat_server(replies) as first, chat_server([says("done")]) as second:
        monkeypatch.setenv("OLLAMA_HOST", second.url.removesuffix("/v1"))
        settings = {"attempts": 1, "fallback": ["ollama:qwen3"]}
        with served(tmp_path, first.url, custom=settings) as session:
            result = run(session)
            assert result.text == "done"
            roles = [message["role"] for message in second.requests[0].body["messages"]]
            assert roles == ["system", "user", "assistant", "tool"]
            rows = session.journal.select("SELECT model FROM costs")
            assert rows == [("custom:m",), ("ollama:qwen3",)]
            [(restart,)] = session.journal.select("SELECT body->>'restart' FROM events WHERE body->>'to' IS NOT NULL")
            assert restart == "true"


def test_when_nobody_answers_the_run_fails_with_every_reason_and_can_be_resumed(tmp_path: Path, nobody: str) -> None:
    spare = ScriptedModel(["unused"], "scripted:spare")
    settings = {"attempts": 1, "fallback": ["groq:missing"]}
    with served(tmp_path, nobody, spare, custom=settings) as session:
        result = run(session)
        assert result.status == "failed"
        assert result.reason.startswith("No model answered, custom:m (The model server could not be reached at ")
        assert "; groq:missing (Groq needs a key" in result.reason
        assert "\n" not in result.reason
        with chat_server([says("back again")]) as server:
            session.config = Config(model="custom:m", base_url=server.url, models={"custom": settings})
            second = again(session, result)
            assert (second.status, second.text) == ("finished", "back again")


def test_a_model_that_fails_again_and_again_is_left_alone(tmp_path: Path) -> None:
    with (
        chat_server(lambda received: FAULT) as server,
        served(tmp_path, server.url, custom={"attempts": 2, **QUICK, "breaker": 2, "cool_down": 60}) as session,
    ):
        first = run(session)
        assert "(HTTP 500: Oops), for which it is left alone for 60 s now: run again later" in first.reason
        second = run(session, agent="another")
        assert second.status == "failed"
        assert second.reason.startswith("custom:m failed 2 times in a row and is left alone for another ")
        assert second.reason.endswith(": run again later, or choose another model.")
        assert len(server.requests) == 2
        [(model, seconds)] = session.journal.select("SELECT model, duration FROM events WHERE kind = 'circuit_opened'")
        assert (model, seconds) == ("custom:m", 60)


def test_after_the_cool_down_the_run_is_resumed_and_the_circuit_closes(tmp_path: Path) -> None:
    healthy = threading.Event()

    def reply(received: Received) -> Reply:
        return says("done") if healthy.is_set() else FAULT

    with (
        chat_server(reply) as server,
        served(tmp_path, server.url, custom={"attempts": 1, "breaker": 1, "cool_down": 0}) as session,
    ):
        failed = run(session)
        assert failed.status == "failed"
        healthy.set()
        assert again(session, failed).text == "done"
        assert kinds(session, failed.run)[-3:] == [Kind.CIRCUIT_CLOSED, Kind.MODEL_ANSWERED, Kind.RUN_FINISHED]


def test_the_same_run_again_asks_nobody_and_costs_nothing(tmp_path: Path) -> None:
    replies = [calls(("look", '{"x": 7}')), says("It saw 7.")]
    with chat_server(replies) as server, served(tmp_path, server.url, custom={"cache": 3600}) as session:
        first = run(session)
        second = run(session)
        assert (second.status, second.text) == (first.status, first.text) == ("finished", "It saw 7.")
        assert len(server.requests) == 2
        assert kinds(session, second.run).count(Kind.MODEL_CACHED) == 2
        assert kinds(session, second.run).count(Kind.CALL_FINISHED) == 1  # what it proposes is done again
        costs = "SELECT input_tokens, output_tokens, cost FROM costs WHERE run = ?"
        assert session.journal.select(costs, [second.run]) == [(0, 0, Decimal(0))] * 2
    with chat_server([says("fresh")]) as server, served(tmp_path, server.url, custom={"cache": 3600}) as session:
        assert run(session).text == "fresh"  # the same name at another address is another model


def test_a_session_that_comes_later_finds_the_cache(tmp_path: Path) -> None:
    model = ScriptedModel(["once"], "maker:m")
    for expected in (0, 1):
        config = Config(models={"maker": {"cache": 3600}})
        with closing(Session(prepare(tmp_path), config=config, models=[model])) as session:
            result = run(session)
            assert result.text == "once"
            assert kinds(session, result.run).count(Kind.MODEL_CACHED) == expected


def test_a_server_that_asks_for_too_long_a_wait_fails_the_run_at_once(tmp_path: Path) -> None:
    limited = Reply(BUSY.pieces, 429, "application/json", {"Retry-After": "7200"})
    with chat_server([limited]) as server, served(tmp_path, server.url) as session:
        result = run(session)
        assert "asks to wait for 7200 s, longer than longest_wait (60 s) allows" in result.reason
        assert len(server.requests) == 1


def test_an_account_without_money_is_not_asked_again(tmp_path: Path) -> None:
    error = {"error": {"message": "You exceeded your quota.", "code": "insufficient_quota"}}
    empty = Reply([json.dumps(error).encode()], 429, "application/json")
    with chat_server([empty]) as server, served(tmp_path, server.url) as session:
        assert "add credit to the account" in run(session).reason
        assert len(server.requests) == 1


def test_a_run_that_is_stopped_while_it_waits_for_another_attempt_stops_at_once(tmp_path: Path) -> None:
    limited = Reply(BUSY.pieces, 429, "application/json", {"Retry-After": "50"})
    with chat_server([limited]) as server, served(tmp_path, server.url) as session:

        async def main() -> list[Kind]:
            heard = []
            async for item in session.submit(started()):
                if isinstance(item, Event):
                    heard.append(item.kind)
                    if item.kind is Kind.MODEL_RETRIED:
                        session.stop(item.run or "")
            await session._catalog.aclose()
            return heard

        assert asyncio.run(asyncio.wait_for(main(), 10))[-2:] == [Kind.MODEL_RETRIED, Kind.RUN_CANCELLED]


def test_silence_is_as_long_as_the_settings_say(tmp_path: Path) -> None:
    held = Reply([chunk({"content": "Hm"}), b"never"], hold=threading.Event())
    with (
        chat_server([held, says("done")]) as server,
        served(tmp_path, server.url, custom={**QUICK, "silence": 0.2}) as session,
    ):
        assert run(session).text == "done"
        [(_, _, reason)] = session.journal.select(INCIDENTS)
        assert "sent nothing for 0.2 seconds" in reason


@pytest.fixture(params=["UTC", "Asia/Tokyo", "America/New_York"])
def _somewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_somewhere")
def test_money_that_the_journal_knows_of_counts_for_the_limit(tmp_path: Path) -> None:
    past = Event(kind=Kind.MODEL_ANSWERED, run="r", model="custom:m", cost=Decimal("3.00"))
    with chat_server([]) as server:
        settings = {"dollars_per_hour": 2, "longest_wait": 1}
        with served(tmp_path, server.url, custom=settings) as session:
            session.journal.append([past]).result()
            result = run(session)
            assert "limit of $2 an hour" in result.reason
            assert server.requests == []
