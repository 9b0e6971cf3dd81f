"""How the local model is asked."""

import json
from dataclasses import replace
from typing import Any

import pytest

from assent.core import messages
from assent.core.messages import Message, Text, ToolCall, ToolResult
from assent.core.model import OutputSchema, Request, ToolSpec
from assent.models.local import dialect


def tool(name: str, *arguments: str, **extra: Any) -> ToolSpec:
    properties = {argument: {"type": "string"} for argument in arguments}
    schema = {"type": "object", "properties": properties, "required": list(arguments)} | extra
    return ToolSpec(name, f"Use {name}.", schema)


SQL, PYTHON = tool("sql", "query"), tool("python", "code")
START = [messages.system("Be careful."), messages.user("How many?")]


def step(number: int, query: str, error: bool = False) -> list[Message]:
    call = ToolCall(f"c{number}", "sql", json.dumps({"query": query}))
    return [messages.assistant(call), messages.results([ToolResult(call.id, "sql", f"rows {number}", error)])]


def test_a_later_step_only_adds_to_what_was_rendered() -> None:
    conversation = [*START, *step(1, "SELECT 1"), *step(2, "SELEC", True), messages.assistant(Text("One."))]
    whole = dialect.render(Request(conversation, [SQL, PYTHON]))
    for length in range(2, len(conversation)):
        part = dialect.render(Request(conversation[:length], [SQL, PYTHON]))
        assert whole[: len(part)] == part
    assert whole[-5:] == [
        {"role": "assistant", "content": '{"tool": "sql", "arguments": {"query": "SELECT 1"}}'},
        {"role": "user", "content": "Result of sql:\nrows 1"},
        {"role": "assistant", "content": '{"tool": "sql", "arguments": {"query": "SELEC"}}'},
        {"role": "user", "content": "Error from sql:\nrows 2\nCorrect the call."},
        {"role": "assistant", "content": '{"answer": "One."}'},
    ]


def test_the_tools_are_told_of_and_shown() -> None:
    system, *examples = dialect.render(Request(START, [SQL, PYTHON]))[:-1]
    assert system["content"].startswith("Be careful.")
    assert 'sql: Use sql. {"tool": "sql", "arguments": {"query": string}}' in system["content"]
    shown = [json.loads(turn["content"]) for turn in examples if turn["role"] == "assistant"]
    assert {turn.get("tool") for turn in shown} == {"sql", "python", None}
    assert all(list(turn["arguments"]) == ["query"] for turn in shown if turn.get("tool") == "sql")


def test_examples_use_the_arguments_own_name_and_only_tools_that_are_there() -> None:
    examples = dialect.render(Request(START, [tool("sql", "statement"), tool("python", "code", "why")]))[1:-1]
    shown = [json.loads(turn["content"]) for turn in examples if turn["role"] == "assistant"]
    assert all(list(turn["arguments"]) == ["statement"] for turn in shown if "tool" in turn)
    assert "python" not in {turn.get("tool") for turn in shown}


@pytest.mark.parametrize("request_", [Request(START), Request(START, [SQL], tool_choice="none")])
def test_without_tools_it_is_plain_chat(request_: Request) -> None:
    assert dialect.schema(request_) is None
    assert [turn["content"] for turn in dialect.render(request_)] == ["Be careful.", "How many?"]


def test_the_tools_are_told_of_without_instructions_too() -> None:
    system, *_, question = dialect.render(Request(START[1:], [SQL]))
    assert "sql: Use sql." in system["content"]
    assert question == {"role": "user", "content": "How many?"}
    assert dialect.render(Request(START[1:])) == [question]


def test_the_answer_is_a_call_or_an_answer() -> None:
    union = dialect.schema(Request(START, [SQL, PYTHON]))
    assert union is not None
    assert [list(one["properties"]) for one in union["anyOf"]] == [["tool", "arguments"]] * 2 + [["answer"]]
    assert [one["properties"]["tool"] for one in union["anyOf"][:2]] == [{"const": "sql"}, {"const": "python"}]


def test_a_call_may_be_required() -> None:
    required = dialect.schema(Request(START, [SQL, PYTHON], tool_choice="required"))
    named = dialect.schema(Request(START, [SQL, PYTHON], tool_choice="python"))
    assert required is not None
    assert named is not None
    assert [one["properties"]["tool"]["const"] for one in required["anyOf"]] == ["sql", "python"]
    assert [one["properties"]["tool"]["const"] for one in named["anyOf"]] == ["python"]


def test_definitions_are_where_references_look_for_them() -> None:
    point = {"type": "object", "properties": {"x": {"type": "integer"}}}
    union = dialect.schema(Request(START, [tool("move", **{"$defs": {"Point": point}})]))
    assert union is not None
    assert union["$defs"] == {"Point": point}
    assert "$defs" not in union["anyOf"][0]["properties"]["arguments"]


def test_going_round_in_circles_leaves_only_the_answer() -> None:
    once = [*START, *step(1, "SELECT 1"), *step(2, "SELECT 2")]
    again = [*once, *step(3, "SELECT 1")]
    assert not dialect.goes_round(once)
    assert dialect.goes_round(again)
    assert dialect.schema(Request(again, [SQL])) == {
        "type": "object",
        "properties": {"answer": {"type": "string"}},
        "required": ["answer"],
        "additionalProperties": False,
    }
    assert not dialect.goes_round([*again, messages.user("And now?"), *step(4, "SELECT 1")])
    assert not dialect.goes_round([*START, *step(1, "SELEC", True), *step(2, "SELEC", True)])


def test_a_failure_raises_the_temperature() -> None:
    failed = Request([*START, *step(1, "SELEC", True)])
    assert dialect.temperature(Request(START)) == 0
    assert dialect.temperature(Request([*START, *step(1, "SELECT 1")])) == 0
    assert dialect.temperature(failed) == dialect.RETRY_TEMPERATURE
    assert dialect.temperature(replace(failed, temperature=1.2)) == 1.2


def test_a_long_result_is_cut() -> None:
    conversation = [*START, messages.results([ToolResult("c", "sql", "x" * 5000)])]
    last = dialect.render(Request(conversation, [SQL]))[-1]["content"]
    assert last.endswith("x\n(3000 more characters)")
    assert len(last) < 2100


CITY = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
OUTPUT = OutputSchema(
    "City",
    {"type": "object", "properties": {"city": {"$ref": "#/$defs/City"}}, "required": ["city"], "$defs": {"City": CITY}},
)


@pytest.mark.parametrize(
    "request_", [Request(START, output=OUTPUT), Request(START, [SQL], tool_choice="none", output=OUTPUT)]
)
def test_a_typed_answer_without_tools(request_: Request) -> None:
    form = dialect.schema(request_)
    assert form is not None
    assert form["properties"]["answer"]["properties"] == {"city": {"$ref": "#/$defs/City"}}
    assert form["$defs"] == {"City": CITY | {"additionalProperties": False}}
    system, question = dialect.render(request_)
    assert system["content"].startswith("Be careful.")
    assert '"#/$defs/City"' in system["content"]
    assert question["content"] == "How many?"


def test_a_typed_answer_beside_tools() -> None:
    point = {"type": "object", "properties": {"x": {"type": "integer"}}}
    union = dialect.schema(Request(START, [SQL, tool("move", **{"$defs": {"Point": point}})], output=OUTPUT))
    assert union is not None
    *calls, final = union["anyOf"]
    assert [one["properties"]["tool"]["const"] for one in calls] == ["sql", "move"]
    assert final["properties"]["answer"]["type"] == "object"
    assert "$defs" not in final["properties"]["answer"]
    assert set(union["$defs"]) == {"Point", "City"}


def test_going_round_leaves_only_the_typed_answer() -> None:
    again = Request([*START, *step(1, "SELECT 1"), *step(2, "SELECT 1")], [SQL], output=OUTPUT)
    form = dialect.schema(again)
    assert form is not None
    assert list(form["properties"]) == ["answer"]
    assert "City" in form["$defs"]


def test_a_refused_answer_is_rendered_as_it_was_written() -> None:
    refused = [*START, messages.assistant(Text('{"city": 1}')), messages.user("No.")]
    turns = dialect.render(Request(refused, [SQL], output=OUTPUT))
    assert [turn["content"] for turn in turns[-2:]] == ['{"answer": {"city": 1}}', "No."]
    assert dialect.render(Request([*START, *step(1, "S")], [SQL], output=OUTPUT))[:-3] == turns[:-3]
