"""The scripted model."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from assent.core import messages
from assent.core.errors import ModelError
from assent.core.messages import Message, Reasoning, Text, ToolCall
from assent.core.model import CallDelta, ReasoningDelta, Request, TextDelta, Usage
from assent.models.scripted import ScriptedModel, Turn, from_file


def ask(model: ScriptedModel, conversation: list[Message]) -> list[Any]:
    async def run() -> list[Any]:
        return [item async for item in model.stream(Request(conversation))]

    return asyncio.run(run())


def test_text_comes_in_small_pieces() -> None:
    *deltas, answer = ask(ScriptedModel(["A rather long answer."]), [messages.user("?")])
    assert deltas == [TextDelta("A rather lon"), TextDelta("g answer.")]
    assert answer.message == messages.assistant(Text("A rather long answer."))
    assert (answer.stop, answer.model) == ("stop", "scripted:script")


def test_parts_calls_and_usage() -> None:
    call = ToolCall("c", "sql", "{}")
    turn = Turn([Reasoning("Hm"), call, call], usage=Usage(1, 2))
    *deltas, answer = ask(ScriptedModel([turn]), [messages.user("?")])
    assert deltas == [ReasoningDelta("Hm"), CallDelta(0, "sql", "{}"), CallDelta(1, "sql", "{}")]
    assert (answer.stop, answer.usage) == ("calls", Usage(1, 2))


def test_the_turn_is_told_by_the_conversation() -> None:
    model = ScriptedModel(["first", "second", lambda request: f"{len(request.messages)} messages"])
    one = [messages.user("?"), messages.assistant(Text("first"))]
    assert ask(model, one)[-1].message.text == "second"
    assert ask(model, one)[-1].message.text == "second"
    assert ask(model, [*one, messages.assistant(Text("x"))])[-1].message.text == "3 messages"
    assert ask(model, one[:1])[-1].message.text == "first"


def test_an_exception_is_raised_and_the_end_is_an_error() -> None:
    with pytest.raises(ModelError, match="gone"):
        ask(ScriptedModel([ModelError("gone")]), [messages.user("?")])
    with pytest.raises(ModelError, match="asked for one more"):
        ask(ScriptedModel([]), [messages.user("?")])


def script(folder: Path, value: Any) -> ScriptedModel:
    path = folder / "script.json"
    path.write_text(json.dumps(value), "utf-8")
    return from_file(path)


def test_a_file_holds_turns(tmp_path: Path) -> None:
    call = {"kind": "call", "id": "c", "name": "sql", "arguments": "{}"}
    model = script(tmp_path, [[call], "Done."])
    question = messages.user("?")
    first = ask(model, [question])[-1].message
    assert first.calls == [ToolCall("c", "sql", "{}")]
    assert ask(model, [question, first])[-1].message.text == "Done."


def test_a_file_holds_conversations_told_by_the_prompt(tmp_path: Path) -> None:
    model = script(tmp_path, {"mean mass": ["5076"], "mass": ["yes", "really"]})
    heavy, vague = messages.user("The mean mass?"), messages.user("Is there mass?")
    assert ask(model, [heavy])[-1].message.text == "5076"
    assert ask(model, [vague])[-1].message.text == "yes"
    assert ask(model, [vague, messages.assistant(Text("yes"))])[-1].message.text == "really"
    for conversation in ([heavy, messages.assistant(Text("5076"))], [messages.user("Colour?")]):
        with pytest.raises(ModelError, match="no turn"):
            ask(model, conversation)


def test_a_file_that_is_no_script_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        script(tmp_path, [[{"kind": "riddle"}]])
    with pytest.raises(ModelError, match="cannot be read"):
        from_file(tmp_path / "none.json")


def test_many_runs_share_one_script() -> None:
    model = ScriptedModel([Turn(lambda request: request.messages[0].text, delay=0.05)])

    async def run() -> list[str]:
        async def one(text: str) -> str:
            return [item async for item in model.stream(Request([messages.user(text)]))][-1].message.text

        return await asyncio.gather(*[one(str(number)) for number in range(200)])

    began = time.perf_counter()
    assert asyncio.run(run()) == [str(number) for number in range(200)]
    assert time.perf_counter() - began < 5  # one after the other they would take 10 s
