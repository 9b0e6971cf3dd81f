"""An answer is asked for no longer than the budgets leave it; what is cut off there is asked anew, or suspends."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.sessions import kinds, ran, resumed
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.config import Config
from assent.core.events import Kind
from assent.core.messages import Text, assistant
from assent.core.model import Answer, Request, TextDelta, Usage
from assent.models.longest import longest
from assent.runs.bound import LONGEST, TAKEN, bound
from assent.runs.state import fold

PRICED = "openai:gpt-4o-mini"  # at most 16,384 tokens an answer, at $0.60 a million


@dataclass
class Sum:
    total: int


class Writer:
    """A model that would write `size` tokens, and stops where it is told to, as vendors' do, or at its `own` limit."""

    def __init__(self, size: int, name: str) -> None:
        self.size, self.name, self.asked, self.own = size, name, list[int | None](), size

    async def stream(self, request: Request) -> AsyncIterator[TextDelta | Answer]:
        most = min(request.max_tokens or self.size, self.own)
        self.asked.append(request.max_tokens)
        text = "half a sen" if most < self.size else '{"total": 7}'
        yield TextDelta(text)
        usage = Usage(100, min(most, self.size))
        yield Answer(assistant(Text(text)), usage, "length" if most < self.size else "stop", self.name)


@contextmanager
def writing(folder: Path, size: int, limit: str, name: str = PRICED) -> Iterator[tuple[Session, Writer]]:
    workspace, model = prepare(folder / ".assent"), Writer(size, name)
    (workspace / "policy.toml").write_text(budget(limit))
    opened = Session(workspace, config=Config(model=name), models=[model])
    try:
        yield opened, model
    finally:
        opened.close()


def budget(limit: str) -> str:
    return f'[[budget]]\nname = "b"\nper = "run"\n{limit}\n' if limit else ""


def spent(session: Session, run: str) -> tuple[int, Decimal]:
    answers = [event for event in session.events(run) if event.kind is Kind.MODEL_ANSWERED]
    tokens = sum([(event.input_tokens or 0) + (event.output_tokens or 0) for event in answers])
    return tokens, sum([event.cost or Decimal(0) for event in answers], Decimal(0))


@pytest.mark.parametrize("limit", ["tokens = 4000", 'money = "0.002"'])
def test_an_answer_cannot_pass_a_budget_and_what_is_cut_off_waits_for_more(tmp_path: Path, limit: str) -> None:
    with writing(tmp_path, 6000, limit) as (session, model):
        result = ran(session)
        tokens, money = spent(session, result.run)
        assert result.status == "suspended"
        assert 0 < tokens <= 4000 if "tokens" in limit else 0 < money <= Decimal("0.002")
        assert "The budget b (policy.toml:1) stops the run" in result.reason
        assert f"the answer anew, which was cut off at {model.asked[-1]:,} tokens, may take" in result.reason
        (tmp_path / ".assent" / "policy.toml").write_text(budget("tokens = 40000"))
        assert (again := resumed(session, result.run)).status == "finished"
        assert again.text == '{"total": 7}'


def test_an_answer_that_is_cut_off_is_asked_for_anew_while_there_is_enough(tmp_path: Path) -> None:
    with writing(tmp_path, 9000, "tokens = 60000") as (session, model):
        result = ran(session)
        assert (result.status, result.text) == ("finished", '{"total": 7}')
        assert kinds(session, result.run).count(Kind.ANSWER_REFUSED) == len(model.asked) - 1 > 0
        assert spent(session, result.run)[0] <= 60_000


def test_a_typed_answer_that_is_cut_off_does_not_fail_the_run(tmp_path: Path) -> None:
    with writing(tmp_path, 6000, "tokens = 4000") as (session, _):
        result = ran(session, output_type=Sum)
        assert (result.status, "cut off at" in result.reason) == ("suspended", True)
        (tmp_path / ".assent" / "policy.toml").write_text(budget("tokens = 40000"))
        assert resumed(session, result.run).status == "finished"


def test_a_crash_right_after_a_cut_answer_does_not_make_it_the_runs(tmp_path: Path) -> None:
    with writing(tmp_path, 6000, "tokens = 4000") as (session, model):
        events = session.events(ran(session).run)
        answered = next(number for number, event in enumerate(events) if event.kind is Kind.MODEL_ANSWERED)
        state = fold(events[: answered + 1])
        assert (state.answered, state.cut) == (True, model.asked[0])
        assert (fold(events).cut, fold(events).refused) == (0, 0)  # told of, and not counted as one that does not fit


def test_an_answer_that_ends_at_a_limit_of_the_models_own_is_not_paid_for_again(tmp_path: Path) -> None:
    with writing(tmp_path, 6000, "tokens = 100_000", "custom:small") as (session, model):
        model.own = 500
        assert (ran(session).text, len(model.asked)) == ("half a sen", 1)  # as where no budget is


def test_a_waiver_bounds_no_answer(tmp_path: Path) -> None:
    with writing(tmp_path, 6000, "tokens = 4000") as (session, model):
        session.waivers.give(budget="b", reason="month end", until="2h", by="ana")
        assert (ran(session).status, model.asked) == ("finished", [None])


@pytest.mark.parametrize("limit", ["", "calls = 3", "tokens = 10_000_000"])
def test_where_there_is_enough_nothing_is_asked_for(tmp_path: Path, limit: str) -> None:
    with writing(tmp_path, 6000, limit) as (session, model):
        assert (ran(session).status, model.asked) == ("finished", [None])


@pytest.mark.parametrize(
    ("model", "given", "need", "found", "asked"),
    [
        (PRICED, None, 1000, 16_384, None),  # it writes no more anyway
        (PRICED, None, 1000, 16_383, 8192),
        (PRICED, None, 5000, 6000, 5000),  # never below what it is reckoned at
        (PRICED, 700, 700, 5000, 700),
        ("anthropic:claude-sonnet-5-5", None, 1000, 32_000, None),
        ("custom:any", None, 1000, LONGEST, None),
        ("custom:any", None, 1000, LONGEST - 1, TAKEN),
        ("custom:any", None, 20_000, 50_000, 20_000),
    ],
)
def test_what_is_asked_for(model: str, given: int | None, need: int, found: int, asked: int | None) -> None:
    assert bound(model, given, need, found) == asked


@pytest.mark.parametrize(
    ("model", "most"),
    [("openai:gpt-4", 4096), ("openai:gpt-4.1-mini", 32_768), ("openai:o3", 100_000), ("openai:gpt-5-mini", 128_000),
     ("openai:gpt-5-chat-latest", 16_384), ("gemini:gemini-2.0-flash", 8192), ("openrouter:gpt-4", None)],
)  # fmt: skip
def test_what_vendors_say(model: str, most: int | None) -> None:
    assert longest(model) == most
