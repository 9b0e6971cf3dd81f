"""The real local model over a real question. The 1.5B: the smaller one is wrong more often than right."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import date
from typing import Any, cast

import duckdb
import pytest

from assent.core import messages
from assent.core.agent import INSTRUCTIONS
from assent.core.errors import ModelError
from assent.core.messages import Image, Message, ToolResult
from assent.core.model import Answer, CallDelta, OutputSchema, Request, TextDelta, ToolSpec
from assent.models.local import weights
from assent.models.local.engine import CONTEXT, engine
from assent.models.local.model import LocalModel

# The first use loads 1.1 GB, and reads the whole prompt at the speed of a shared CPU.
pytestmark = [pytest.mark.local, pytest.mark.slow, pytest.mark.timeout(900)]


def tool(name: str, argument: str, description: str) -> ToolSpec:
    schema = {"type": "object", "properties": {argument: {"type": "string"}}, "required": [argument]}
    return ToolSpec(name, description, schema)


TOOLS = (
    tool("sql", "query", "Run one read-only DuckDB query over the notebook's DataFrames, by name."),
    tool("python", "code", "Run Python code in the notebook."),
)
TABLE = """DataFrame orders, 120 rows
columns: id int64, city str, units int64, price float64
first rows:
0,Bonn,1,2.5
1,Cologne,2,3.0
2,Essen,3,3.5"""
ORDERS = """CREATE TABLE orders AS SELECT range AS id, ['Bonn', 'Cologne', 'Essen'][1 + range % 3] AS city,
1 + (range * 7) % 10 + (range % 3) // 2 AS units, 2.5 + (range % 3) * 0.5 AS price FROM range(120)"""


@pytest.fixture(scope="module")
def model() -> LocalModel:
    weights.ensure()
    return LocalModel(weights.find())


async def ask(model: LocalModel, conversation: list[Message]) -> list[Any]:
    return [item async for item in model.stream(Request(conversation, TOOLS))]


async def work(model: LocalModel, question: str) -> tuple[str, list[str]]:
    """The final words, and the queries on the way there."""
    conversation = [messages.system(INSTRUCTIONS), messages.user(f"{question}\n\n{TABLE}")]
    queries: list[str] = []
    with duckdb.connect() as database:
        database.execute(ORDERS)
        for _ in range(6):
            *deltas, answer = await ask(model, conversation)
            assert isinstance(answer, Answer)
            conversation.append(answer.message)
            if not answer.message.calls:
                assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == answer.message.text
                return answer.message.text, queries
            (call,) = answer.message.calls
            assert isinstance(deltas[0], CallDelta)
            assert call.name == "sql"
            queries.append(json.loads(call.arguments)["query"])
            conversation.append(messages.results([run(database, call.id, queries[-1])]))
    raise AssertionError(f"no answer after {queries}")


def run(database: duckdb.DuckDBPyConnection, call: str, query: str) -> ToolResult:
    try:
        frame = database.execute(query).df()
    except duckdb.Error as error:
        return ToolResult(call, "sql", str(error), error=True)
    return ToolResult(call, "sql", frame.to_csv(index=False))


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("How many orders are in `orders`?", "120"),
        ("What is the average price per city in `orders`?", "3.5"),
        ("What is the largest number of units in one order in `orders`?", "11"),
        ("How many orders from Bonn in `orders` have more than 5 units?", "20"),
        ("Which city in `orders` has the highest total of units, and how many?", "Essen"),
    ],
)
def test_it_answers_from_the_data(model: LocalModel, question: str, found: str) -> None:
    text, queries = asyncio.run(work(model, question))
    assert queries
    assert found in text


CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "founded": {"$ref": "#/$defs/Day"}, "rivers": {"type": "array"}},
    "required": ["city", "founded", "rivers"],
    "$defs": {"Day": {"type": "string", "format": "date"}},
}
CITY_IN_WORDS = "The city is Bonn, founded on 1244-03-15. Its river is the Rhine. Tell its facts."


def test_a_typed_answer_fits(model: LocalModel) -> None:
    async def typed() -> list[Any]:
        request = Request([messages.user(CITY_IN_WORDS)], output=OutputSchema("City", CITY))
        return [item async for item in model.stream(request)]

    *deltas, answer = asyncio.run(typed())
    found = json.loads(answer.message.text)
    assert list(found) == ["city", "founded", "rivers"]
    assert (found["city"], date.fromisoformat(found["founded"]).year) == ("Bonn", 1244)
    assert answer.message.text.startswith("".join([delta.text for delta in deltas]))


def test_a_typed_answer_comes_after_the_calls(model: LocalModel) -> None:
    schema = {"type": "object", "properties": {"value": {"type": "integer"}}, "required": ["value"]}
    question = messages.user(f"How many orders are in `orders`?\n\n{TABLE}")
    conversation = [messages.system(INSTRUCTIONS), question]

    async def next_step() -> Answer:
        request = Request(conversation, TOOLS, output=OutputSchema("answer", schema))
        return [item async for item in model.stream(request)][-1]  # type: ignore[return-value]  # the last is the answer

    first = asyncio.run(next_step())
    assert [call.name for call in first.message.calls] == ["sql"]
    conversation += [first.message, messages.results([ToolResult(first.message.calls[0].id, "sql", "count\n120")])]
    assert json.loads(asyncio.run(next_step()).message.text) == {"value": 120}


def test_a_picture_is_refused(model: LocalModel) -> None:
    picture = messages.user("What is it?", Image("image/png", "0" * 64, b"x"))
    with pytest.raises(ModelError, match="cannot see pictures"):
        asyncio.run(ask(model, [picture]))


def test_the_second_step_reads_only_what_is_new(model: LocalModel) -> None:
    async def two_steps() -> tuple[Answer, Answer]:
        conversation = [messages.system(INSTRUCTIONS), messages.user(f"How many orders are in `orders`?\n\n{TABLE}")]
        first = (await ask(model, conversation))[-1]
        result = messages.results([ToolResult(first.message.calls[0].id, "sql", "count\n120")])
        return first, (await ask(model, [*conversation, first.message, result]))[-1]

    first, second = asyncio.run(two_steps())
    assert first.usage.input is not None
    assert second.usage.cached is not None
    assert second.usage.cached >= first.usage.input


def test_a_closed_stream_stops_the_model_soon(model: LocalModel) -> None:
    story = [messages.user("Write a long story about a penguin, at least a thousand words.")]

    async def one_delta() -> None:
        async with aclosing(cast("Any", model.stream(Request(story)))) as stream:
            async for delta in stream:
                assert isinstance(delta, TextDelta)
                break

    async def next_one() -> float:
        began = time.perf_counter()
        answer = [item async for item in model.stream(Request([messages.user("Say hi.")], max_tokens=3))][-1]
        assert answer.stop == "length"
        return time.perf_counter() - began

    asyncio.run(one_delta())
    assert asyncio.run(next_one()) < 8  # the story alone would take half a minute more


def test_runs_take_turns_and_a_cancelled_one_leaves(model: LocalModel) -> None:
    hello = Request([messages.user("Say hi.")], max_tokens=3)

    async def last(stream: AsyncIterator[Any]) -> Any:
        return [item async for item in stream][-1]

    async def together() -> list[Any]:
        tasks = [asyncio.ensure_future(last(model.stream(hello))) for _ in range(4)]
        tasks[2].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    answers = asyncio.run(together())
    assert [type(answer) for answer in answers] == [Answer, Answer, asyncio.CancelledError, Answer]


def test_a_conversation_that_is_too_long(model: LocalModel) -> None:
    with pytest.raises(ModelError, match=f"longer than the local model's context of {CONTEXT} tokens"):
        asyncio.run(ask(model, [messages.user("word " * CONTEXT)]))


def test_it_is_loaded_once(model: LocalModel) -> None:
    path = weights.ensure()
    assert engine(path) is engine(path)


def test_weights_that_are_missing_or_broken(model: LocalModel, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSENT_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match=r"fetch them once with `assent fetch qwen2\.5-coder-1\.5b`"):
        asyncio.run(ask(model, [messages.user("Hi")]))
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF nonsense")
    with pytest.raises(ModelError, match="could not be loaded"):
        engine(broken)
