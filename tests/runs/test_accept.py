"""Answers with a type: accepted, asked for once more, refused; after a resume too, in this process or another."""

import enum
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import BaseModel
from tests.support.calls import call
from tests.support.sessions import approve, kinds, opened, ran, resumed
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.config import Config
from assent.core.errors import ConfigError, NotFound
from assent.core.events import Kind
from assent.core.messages import Text, assistant
from assent.core.model import Answer, Delta, Request
from assent.tools.tool import tool


class Invoice(BaseModel):
    number: int
    total: float


class Verdict(enum.Enum):
    YES = "yes"
    NO = "no"


@tool(privilege="read_only")
def look() -> str:
    return "seen"


@tool(privilege="execute_risky")
def risk() -> str:
    return "done"


GOOD = '{"number": 7, "total": 1.5}'
BAD = '{"number": "seven"}'


def test_the_answer_is_a_value(tmp_path: Path) -> None:
    asked: list[Request] = []

    def says(request: Request) -> str:
        asked.append(request)
        return f"```json\n{GOOD}\n```"

    with opened(tmp_path, says) as session:
        result = ran(session, output_type=Invoice)
        assert (result.value, result.text, result.typed) == (Invoice(number=7, total=1.5), GOOD, True)
        assert session.result(result.run) == result
        assert kinds(session, result.run) == [Kind.RUN_STARTED, Kind.MODEL_ANSWERED, Kind.RUN_FINISHED]
        assert session.sql("SELECT CAST(answer ->> 'number' AS INT) AS n FROM runs")["n"].tolist() == [7]
    output = asked[0].output
    assert output is not None
    assert (output.name, list(output.schema["properties"])) == ("Invoice", ["number", "total"])


def test_without_a_type_nothing_is_asked_for(tmp_path: Path) -> None:
    asked: list[Request] = []

    def says(request: Request) -> str:
        asked.append(request)
        return GOOD

    with opened(tmp_path, says) as session:
        result = ran(session)
        assert (result.value, result.text, result.typed, result.outcome) == (None, GOOD, False, GOOD)
        assert "output" not in session.journal.events(result.run)[0].body
    assert asked[0].output is None


def test_a_value_of_none_is_an_answer(tmp_path: Path) -> None:
    with opened(tmp_path, '{"value": null}') as session:
        result = ran(session, output_type="int | None")
        assert (result.value, result.typed, result.outcome) == (None, True, None)


def test_tools_come_first(tmp_path: Path) -> None:
    with opened(tmp_path, [call("look")], call("look"), '{"rows": [{"n": 1}]}') as session:
        result = ran(session, look, output_type={"n": int})
        assert result.value.equals(pd.DataFrame({"n": [1]}))


def test_an_answer_that_does_not_fit_is_asked_for_once_more(tmp_path: Path) -> None:
    told: list[str] = []

    def again(request: Request) -> str:
        told.append(request.messages[-1].text)
        assert request.messages[-1].role == "user"
        return GOOD

    with opened(tmp_path, BAD, again) as session:
        result = ran(session, output_type=Invoice)
        assert result.value == Invoice(number=7, total=1.5)
        found = session.sql("SELECT step, body ->> 'text' AS told FROM events WHERE kind = 'answer_refused'")
        assert found["step"].tolist() == [1]
        assert found["told"].tolist() == told
    assert told == [
        "The answer does not fit the type Invoice:\n"
        "- number: Input should be a valid integer, unable to parse string as an integer\n"
        "- total: Field required\n"
        "Give the whole answer again, corrected, as JSON alone."
    ]


def test_a_second_misfit_ends_the_run_which_can_be_resumed(tmp_path: Path) -> None:
    with opened(tmp_path, BAD, BAD, BAD, GOOD) as session:
        result = ran(session, output_type=Invoice)
        assert (result.status, result.value) == ("failed", None)
        assert result.reason.startswith("The answer does not fit the type Invoice, also when asked for again: number: ")
        assert "; total: Field required. Resume the run" in result.reason
        assert kinds(session, result.run).count(Kind.ANSWER_REFUSED) == 2
        assert session.state(result.run).messages[-1].role == "user"
        done = resumed(session, result.run)
        assert (done.status, done.value) == ("finished", Invoice(number=7, total=1.5))
        assert kinds(session, result.run).count(Kind.ANSWER_REFUSED) == 3


def test_the_step_limit_holds(tmp_path: Path) -> None:
    with opened(tmp_path, BAD, GOOD) as session:
        result = ran(session, output_type=Invoice, max_steps=1)
        assert (result.status, result.reason.partition(".")[0]) == ("failed", "There is no answer after 1 steps")
        assert resumed(session, result.run).value == Invoice(number=7, total=1.5)


class Cut:
    """A model whose answers end for a reason of their own."""

    name = "scripted:cut"

    def __init__(self, *answers: tuple[str, str]) -> None:
        self.answers = list(answers)

    async def stream(self, request: Request) -> AsyncIterator[Delta | Answer]:
        text, stop = self.answers.pop(0)
        yield Answer(assistant(Text(text)), stop=stop)


@pytest.mark.parametrize(
    ("stop", "said"),
    [
        ("length", "was cut off at its token limit: raise the agent's max_tokens, or ask for less. Then resume"),
        ("filter", "was cut off by the model's vendor: ask in other words. Then resume"),
    ],
)
def test_an_answer_that_was_cut_off_ends_the_run(tmp_path: Path, stop: str, said: str) -> None:
    model = Cut((GOOD[:-5], stop), (GOOD, "stop"))
    with closing(Session(prepare(tmp_path), config=Config(), models=[model])) as session:
        result = ran(session, output_type=Invoice)
        assert result.status == "failed"
        assert result.reason == f"The answer, which must be of the type Invoice, {said} the run."
        assert resumed(session, result.run).value == Invoice(number=7, total=1.5)


def test_a_whole_answer_counts_whyever_it_stopped(tmp_path: Path) -> None:
    with closing(Session(prepare(tmp_path), config=Config(), models=[Cut((GOOD, "length"))])) as session:
        assert ran(session, output_type=Invoice).value == Invoice(number=7, total=1.5)


def test_a_run_that_goes_on_in_this_session_knows_its_type(tmp_path: Path) -> None:
    with opened(tmp_path, [call("risk")], BAD, '{"value": [{"number": 1, "total": 2}]}') as session:
        result = ran(session, risk, output_type=list[Invoice])
        assert (result.status, result.value, result.typed) == ("suspended", None, False)
        approve(session, result.pending[0].call)
        assert resumed(session, result.run).value == [Invoice(number=1, total=2)]


SUSPENDED = [[call("risk")], '{"value": "yes"}']


def suspended(folder: Path, kind: Any, **options: Any) -> str:
    """A run that waits for approval of its first call, in a workspace that is closed again."""
    with opened(folder, *SUSPENDED, tools=(risk,), **options) as session:
        result = ran(session, "risk", output_type=kind)
        approve(session, result.pending[0].call)
        return result.run


@pytest.mark.parametrize("kind", [Verdict, "Verdict", "Literal['yes', 'no']"])
def test_another_session_finds_the_type_by_its_name(tmp_path: Path, kind: Any) -> None:
    run = suspended(tmp_path, kind, namespace={"Verdict": Verdict})
    with opened(tmp_path, *SUSPENDED, tools=(risk,), namespace={"Verdict": Verdict}) as session:
        assert resumed(session, run).value == ("yes" if "Literal" in str(kind) else Verdict.YES)
    with opened(tmp_path, namespace={"Verdict": Verdict}) as session:
        assert session.result(run).outcome == ("yes" if "Literal" in str(kind) else Verdict.YES)


def test_a_type_that_is_missing_or_has_changed_keeps_the_run_as_it_is(tmp_path: Path) -> None:
    class Changed(enum.Enum):
        YES = "yes"
        MAYBE = "maybe"

    run = suspended(tmp_path, Verdict)
    with opened(tmp_path, *SUSPENDED, tools=(risk,)) as session:
        with pytest.raises(NotFound, match=r"no type .Verdict. in this session\. Run the cell"):
            resumed(session, run)
        assert session.state(run).status == "suspended"
    others = opened(tmp_path, *SUSPENDED, tools=(risk,), namespace={"Verdict": Changed})
    with others as session, pytest.raises(ConfigError, match="Verdict is not the one that the run was started with"):
        resumed(session, run)
    with opened(tmp_path, *SUSPENDED, tools=(risk,), namespace={"Verdict": Verdict}) as session:
        assert resumed(session, run).value is Verdict.YES


def test_a_table_needs_nothing_in_another_session(tmp_path: Path) -> None:
    frame = pd.DataFrame({"n": pd.Series([1], dtype="int16"), "day": pd.to_datetime(["2024-01-01"])})
    with opened(tmp_path, [call("risk")], "", tools=(risk,), namespace={"frame": frame}) as session:
        result = ran(session, "risk", output_type="frame")
        approve(session, result.pending[0].call)
    with opened(tmp_path, "", '{"rows": [{"n": 2, "day": "2024-02-01"}]}', tools=(risk,)) as session:
        value = resumed(session, result.run).value
        assert value.dtypes.equals(frame.dtypes)
        assert value["n"].tolist() == [2]


def test_an_answer_that_was_recorded_is_not_asked_for_again(tmp_path: Path) -> None:
    """As after a kill between the answer and the run's end."""
    with opened(tmp_path, GOOD) as session:
        result = ran(session, output_type=Invoice)
        events = session.journal.events(result.run)[:2]
    with opened(tmp_path / "cut", namespace={"Invoice": Invoice}) as session:
        for event in events:
            event.model = session.model().name
        session.journal.append(events).result()
        assert resumed(session, result.run).value == Invoice(number=7, total=1.5)


@pytest.mark.parametrize("kind", [pd.DataFrame, "Receipt", object()])
def test_a_type_that_cannot_be_is_refused_before_the_run(tmp_path: Path, kind: Any) -> None:
    with opened(tmp_path, GOOD) as session:
        with pytest.raises((ConfigError, NotFound)):
            ran(session, output_type=kind)
        assert len(session.sql("SELECT * FROM runs")) == 0


def test_the_schema_goes_along_with_every_question(tmp_path: Path) -> None:
    asked: list[Request] = []

    def says(said: Any) -> Any:
        def turn(request: Request) -> Any:
            asked.append(request)
            return said

        return turn

    with opened(tmp_path, says([call("look")]), says(BAD), says(GOOD)) as session:
        ran(session, look, output_type=Invoice)
    assert len(asked) == 3
    assert len({id(request.output) for request in asked}) == 1
