"""A run on a terminal: what is printed, and how its questions are answered."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from assent.core.approval import Pending
from assent.core.commands import Decide
from assent.core.errors import ConfigError
from assent.core.events import Kind, Progress, Scope
from assent.core.messages import Text, assistant, to_json
from assent.core.model import CallDelta, ReasoningDelta, TextDelta
from assent_magics.console import ConsoleView, Prompt

PENDING = Pending("r1.1", "r1", "analyst", "python", "execute_risky", {"code": "x = 1"}, why="It is needed.")
SCOPE = Scope(run="r1", agent="analyst", user="ana")


class Desk:
    """Takes decisions and refuses the first `refusals` of them."""

    def __init__(self, refusals: Iterable[str] = ()) -> None:
        self.refusals = list(refusals)
        self.taken: list[Decide] = []
        self.left: list[str] = []
        self.suspended: list[str] = []

    def decide(self, command: Decide) -> None:
        if self.refusals:
            raise ConfigError(self.refusals.pop(0))
        self.taken.append(command)


def asked(*typed: str, refusals: Iterable[str] = (), pending: Pending = PENDING) -> Desk:
    """What comes of a question to which a person types these lines; after them comes the end of the input."""
    desk, lines = Desk(refusals), list(typed)

    async def prompt(text: str) -> str:
        if not lines:
            raise EOFError
        return lines.pop(0)

    asyncio.run(view(desk, prompt).ask(pending))
    return desk


def view(desk: Desk, prompt: Prompt | None = None) -> ConsoleView:
    return ConsoleView(prompt, desk.decide, desk.left.append, desk.suspended.append)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["a"], Decide("r1.1", "approve")),
        ([" Yes "], Decide("r1.1", "approve")),
        (["w"], Decide("r1.1", "approve", scope="run")),
        (["r", "not needed"], Decide("r1.1", "reject", reason="not needed")),
        (["e", "x = 2"], Decide("r1.1", "approve", arguments={"code": "x = 2"})),
        (["what", "", "a"], Decide("r1.1", "approve")),
    ],
)
def test_an_answer_becomes_a_decision(typed: list[str], expected: Decide) -> None:
    assert asked(*typed).taken == [expected]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["a"], Decide("r1.1", "approve")),
        (["h", "3 rows"], Decide("r1.1", "approve", outcome="3 rows")),
        (["h", " ", "h", "3 rows"], Decide("r1.1", "approve", outcome="3 rows")),
        (["r", "ask bob"], Decide("r1.1", "reject", reason="ask bob")),
        (["e", "w", "a"], Decide("r1.1", "approve")),
    ],
)
def test_of_an_unknown_outcome_there_are_three_things_to_say(typed: list[str], expected: Decide) -> None:
    assert asked(*typed, pending=replace(PENDING, unknown=True)).taken == [expected]


def test_an_edit_that_is_no_code_alone_is_json() -> None:
    desk, lines = Desk(), ["e", "[1]", "e", '{"to": "bob"}']
    pending = Pending("r1.1", "r1", "analyst", "mail", "execute_risky", {"to": "ana"})

    async def prompt(text: str) -> str:
        return lines.pop(0)

    asyncio.run(view(desk, prompt).ask(pending))
    assert desk.taken == [Decide("r1.1", "approve", arguments={"to": "bob"})]


def test_a_refused_answer_is_told_and_asked_again(capsys: pytest.CaptureFixture[str]) -> None:
    desk = asked("a", "a", refusals=["Policy denies this."])
    assert desk.taken == [Decide("r1.1", "approve")]
    assert "Policy denies this." in capsys.readouterr().out


def test_the_end_of_the_input_leaves_the_run() -> None:
    desk = asked()
    assert (desk.taken, desk.left) == ([], ["r1"])
    assert asked("r").left == ["r1"], "also where the reason would be typed"


@pytest.mark.parametrize("unknown", [True, False])
@pytest.mark.parametrize("typed", ["", "what", "12"])
def test_a_run_that_nobody_answers_is_suspended_after_a_few_lines(
    capsys: pytest.CaptureFixture[str], typed: str, unknown: bool
) -> None:
    desk, lines = Desk(), [typed] * 50

    async def prompt(text: str) -> str:
        return lines.pop()

    asyncio.run(view(desk, prompt).ask(replace(PENDING, unknown=unknown)))
    assert (desk.taken, desk.left, desk.suspended) == ([], [], ["r1"])
    assert len(lines) == 47
    assert capsys.readouterr().out.endswith("nobody is asked here any more. %agent pending shows what waits.\n")


def test_a_prompt_that_cannot_be_shown_is_not_asked_forever() -> None:
    async def prompt(text: str) -> str:
        raise ConfigError("This front end has no prompt.")

    desk = Desk()
    asyncio.run(view(desk, prompt).ask(PENDING))
    assert desk.suspended == ["r1"]


def test_what_is_refused_is_no_sign_that_nobody_is_there() -> None:
    desk = asked(*["what", "", "e", "x = 2"] * 3, "a", refusals=["Policy denies this."] * 3)
    assert (desk.taken, desk.suspended) == ([Decide("r1.1", "approve")], [])


def test_of_a_run_that_nobody_answers_other_questions_are_only_shown(capsys: pytest.CaptureFixture[str]) -> None:
    desk, lines = Desk(), [""] * 50

    async def prompt(text: str) -> str:
        return lines.pop()

    async def both() -> None:
        console = view(desk, prompt)
        await asyncio.gather(console.ask(PENDING), console.ask(replace(PENDING, call="r1.2")))

    asyncio.run(both())
    assert (len(lines), desk.suspended) == (47, ["r1"])
    assert "%agent approve r1.2" in capsys.readouterr().out


def test_without_a_prompt_the_question_is_only_shown(capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk()
    asyncio.run(view(desk).ask(PENDING))
    assert (desk.taken, desk.left) == ([], [])
    shown = capsys.readouterr().out
    assert "x = 1" in shown
    assert "It is needed." in shown


def test_questions_come_one_at_a_time() -> None:
    desk, open_, most = Desk(), 0, 0

    async def prompt(text: str) -> str:
        nonlocal open_, most
        open_ += 1
        most = max(most, open_)
        await asyncio.sleep(0)
        open_ -= 1
        return "a"

    async def both() -> None:
        console = view(desk, prompt)
        await asyncio.gather(console.ask(PENDING), console.ask(PENDING))

    asyncio.run(both())
    assert (len(desk.taken), most) == (2, 1)


def printed(capsys: pytest.CaptureFixture[str], *items: Any) -> str:
    console = view(Desk())
    for item in items:
        console.take(item)
    return capsys.readouterr().out


def answered(text: str) -> Any:
    return SCOPE.event(Kind.MODEL_ANSWERED, step=1, body={"message": to_json(assistant(Text(text))), "stop": "stop"})


def test_words_are_printed_once_as_they_come(capsys: pytest.CaptureFixture[str]) -> None:
    deltas = [Progress("r1", 1, TextDelta(words)) for words in ("Forty", "-two.")]
    out = printed(capsys, *deltas, answered("Forty-two."))
    assert out == "Forty-two.\n"


def test_an_answer_that_did_not_stream_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, answered("Forty-two.")) == "Forty-two.\n"


def test_thoughts_and_half_written_calls_are_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    deltas = [ReasoningDelta("hm"), CallDelta(0, "sql", '{"qu')]
    assert printed(capsys, *[Progress("r1", 1, delta) for delta in deltas]) == ""


def test_calls_and_results(capsys: pytest.CaptureFixture[str]) -> None:
    columns: dict[str, Any] = {"step": 1, "call": "r1.1", "tool": "sql", "privilege": "read_only"}
    rows = {"type": "table", "columns": ["n"], "rows": [["1"], ["2"]], "total": 2}
    out = printed(
        capsys,
        SCOPE.event(Kind.CALL_DECIDED, **columns, decision="allow", body={"arguments": {"query": "SELECT n"}}),
        SCOPE.event(Kind.CALL_FINISHED, **columns, body={"text": "n\n1\n2", "error": False, "display": rows}),
    )
    assert out.index("sql") < out.index("SELECT n") < out.index("    2")


def test_what_a_tool_printed_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    columns: dict[str, Any] = {"step": 1, "call": "r1.1", "tool": "mail"}
    body = {"text": "\x1b[2J\x1b]0;title\x07gone\u202e", "error": False}
    out = printed(capsys, SCOPE.event(Kind.CALL_FINISHED, **columns, body=body))
    assert "\x1b" not in out
    assert "gone⟨U+202E⟩" in out


@pytest.mark.parametrize("kind", [Kind.RUN_FAILED, Kind.RUN_SUSPENDED, Kind.RUN_CANCELLED])
def test_an_end_without_an_answer_says_why(capsys: pytest.CaptureFixture[str], kind: Kind) -> None:
    console = view(Desk())
    console.take(SCOPE.event(kind, body={"reason": "the why", "error": "the why"}))
    console.end()
    said = [f"{kind.value.removeprefix('run_')}: the why", "%agent resume r1 goes on with it."]
    assert capsys.readouterr().out.splitlines()[:2] == said


@pytest.mark.parametrize("arguments", [{"to": "ana"}, {"query": "ana", "limit": 3}, {"code": ["a", "b"]}])
def test_arguments_that_are_no_code_are_shown_whole_as_json(
    capsys: pytest.CaptureFixture[str], arguments: dict[str, Any]
) -> None:
    columns: dict[str, Any] = {"step": 1, "call": "r1.1", "tool": "mail", "decision": "allow"}
    out = printed(capsys, SCOPE.event(Kind.CALL_DECIDED, **columns, body={"arguments": arguments}))
    assert json.loads(out.partition("mail")[2]) == arguments


@pytest.mark.parametrize("streamed", [True, False])
def test_a_pause_and_what_was_said_before_it(capsys: pytest.CaptureFixture[str], streamed: bool) -> None:
    console = view(Desk())
    console.take(SCOPE.event(Kind.STOP_REQUESTED, body={"then": "pause", "reason": "lunch"}))
    if streamed:
        console.take(Progress("r1", 1, TextDelta("There are 3")))
    console.take(SCOPE.event(Kind.RUN_PAUSED, body={"reason": "lunch", "partial": "There are 3"}))
    console.end()
    said = ["pausing: lunch", "There are 3", "paused: lunch", "%agent resume r1 goes on with it."]
    assert capsys.readouterr().out.splitlines()[:4] == said


def test_a_budget_that_stops_its_run_says_once_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    console = view(Desk())
    told = {"name": "run", "key": "run", "limits": {"calls": "1"}, "spent": {"calls": "1"}}
    body = {"reason": "Over. %agent resume r1 --budget DOLLARS goes on with more.", "budget": told}
    console.take(SCOPE.event(Kind.RUN_SUSPENDED, body=body))
    console.end()
    assert capsys.readouterr().out.count("%agent resume") == 1


def test_only_the_last_stop_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    console = view(Desk())
    for kind in (Kind.RUN_SUSPENDED, Kind.RUN_RESUMED, Kind.RUN_FINISHED):
        console.take(SCOPE.event(kind, body={"reason": "nobody answered"} if kind is Kind.RUN_SUSPENDED else {}))
    console.end()
    out = capsys.readouterr().out
    assert "nobody answered" not in out
    assert "%agent resume" not in out


def test_a_fork_says_what_it_shares(capsys: pytest.CaptureFixture[str]) -> None:
    console = view(Desk())
    console.take(SCOPE.event(Kind.MODEL_ANSWERED, step=1, body={"message": to_json(assistant(Text("Four.")))}))
    fork = {"run": "r0", "at": 1, "prompt": "And\nthen?"}
    console.take(SCOPE.event(Kind.RUN_STARTED, body={"prompt": "", "fork": fork}))
    console.take(SCOPE.event(Kind.RUN_STARTED, body={"prompt": "", "fork": {"run": "r0", "at": 0}}))
    assert capsys.readouterr().out.splitlines() == [
        "Four.", "fork of r0 after step 1.", "> And", "> then?", "fork of r0 from its beginning.",
    ]  # fmt: skip
