"""One model step: the answer is recorded with what it took, a stream without an answer is an error."""

from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.calls import call
from tests.support.sessions import opened, ran, results
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.config import Config
from assent.core.errors import StoreError
from assent.core.events import Event, Kind
from assent.core.messages import ToolCall
from assent.core.model import Notice, Request, TextDelta, Usage
from assent.models.scripted import Turn
from assent.tools.tool import tool


@tool(privilege="read_only")
def look() -> str:
    return "saw"


def test_tokens_cost_and_time_of_each_answer_are_recorded(tmp_path: Path) -> None:
    usage = Usage(100, 20, 30, 5, Decimal("0.0012"))
    with opened(tmp_path, Turn(call("look"), usage=usage), Turn("done", delay=0.02, usage=Usage(1, 2))) as session:
        ran(session, look, notebook="n.ipynb", cell="c1")
        tokens = "input_tokens, output_tokens, cached_tokens, reasoning_tokens"
        first, second = session.journal.select(f"SELECT step, model, {tokens}, cost, agent, cell FROM costs")
        assert first == (1, "scripted:script", 100, 20, 30, 5, Decimal("0.0012"), "tester", "c1")
        assert second == (2, "scripted:script", 1, 2, None, None, 0, "tester", "c1")  # a script is free
        [(seconds,)] = session.journal.select("SELECT duration FROM costs WHERE step = 2")
        assert 0.015 < seconds < 5
        assert session.journal.select("SELECT cost, steps FROM runs") == [(Decimal("0.0012"), 2)]


def test_the_model_is_given_the_agents_instructions_tools_and_settings(tmp_path: Path) -> None:
    asked: list[Any] = []

    def answer(request: Request) -> str:
        asked.append(([message.role for message in request.messages], [item.name for item in request.tools]))
        return "done"

    with opened(tmp_path, answer) as session:
        ran(session, look, prompt="Look.")
    assert asked == [(["system", "user"], ["look"])]


def test_a_stream_without_an_answer_fails_the_run(tmp_path: Path) -> None:
    class Silent:
        name = "scripted:silent"

        async def stream(self, request: Request) -> AsyncIterator[TextDelta]:
            yield TextDelta("half an ")

    with closing(Session(prepare(tmp_path), config=Config(), models=[Silent()])) as session:
        result = ran(session, look)
        assert result.status == "failed"
        assert "ended its stream without an answer. Resume the run to ask again." in result.reason
        assert session.journal.select("SELECT count(*) FROM steps") == [(0,)]


def test_an_id_that_a_model_uses_again_becomes_another(tmp_path: Path) -> None:
    same = ToolCall("c", "look", "{}")
    with opened(tmp_path, [same, same], same, "done") as session:
        run = ran(session, look).run
        proposed = [item.id for message in session.state(run).messages for item in message.calls]
        assert proposed == ["c", f"{run}.2", f"{run}.3"]
        assert [item.id for item in results(session, run)] == proposed


def test_a_stream_is_closed_at_once_where_what_befell_it_cannot_be_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []

    class Waiting:
        name = "maker:m"

        async def stream(self, request: Request) -> AsyncIterator[Notice]:
            try:
                yield Notice(Kind.MODEL_WAITED, self.name, "limit of 1 request at once", 1.0)
            finally:
                closed.append(self.name)

    config = Config(models={"default": {"attempts": 1, "breaker": 0}})
    with closing(Session(prepare(tmp_path), config=config, models=[Waiting()])) as session:
        post = session.journal.post

        def full(events: Sequence[Event]) -> None:
            if any(event.kind is Kind.MODEL_WAITED for event in events):
                raise StoreError("The disk is full.")
            post(events)

        monkeypatch.setattr(session.journal, "post", full)
        with pytest.raises(StoreError) as kept:  # which keeps every frame that it came through
            ran(session, look)
        assert closed == ["maker:m"]
        assert kept.value
