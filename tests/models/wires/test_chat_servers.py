"""Servers of the chat and Responses formats as they are met, over real HTTP."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from tests.support.chat_server import DONE, Reply, chat_server, chunk, event, says
from tests.support.vendors import vendor

from assent.core import messages
from assent.core.errors import ModelError
from assent.core.messages import Message, Reasoning, Text, ToolCall, ToolResult
from assent.core.model import Answer, OutputSchema, Request, ToolSpec
from assent.models.endpoints import CUSTOM, ENDPOINTS, Endpoint, asked
from assent.models.remote import WIRES, RemoteModel

SQL = ToolSpec("sql", "Query.", {"type": "object", "properties": {"query": {"type": "string"}}})
CITY = OutputSchema("place", {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
CHATS = [row for row in (*ENDPOINTS, CUSTOM) if row.wire == "chat"]


def ask(reply: Reply, endpoint: Endpoint = CUSTOM, *conversation: Message, **fields: Any) -> tuple[Answer, Any]:
    """The answer, and the body that the server got."""

    async def run(url: str) -> Answer:
        remote = RemoteModel(endpoint, "m", url, "k-1", 10)
        try:
            *_, answer = [item async for item in remote.stream(request)]
        finally:
            await remote.aclose()
        assert isinstance(answer, Answer)
        return answer

    request = Request(conversation or [messages.user("Hello")], **fields)
    with chat_server([reply]) as server:
        return asyncio.run(run(server.url)), server.requests[0].body


def whole(value: Any, status: int = 200) -> Reply:
    return Reply([json.dumps(value).encode()], status, "application/json")


def completion(finish: str | None = "stop", **message: Any) -> Reply:
    return whole({"choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}]})


def call(arguments: Any = "{}", id: Any = "a") -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": "sql", "arguments": arguments}}


@pytest.mark.parametrize(
    ("calls", "read"),
    [
        ([call(id="")], [("call_1_0", "{}")]),
        ([call(id=None), call(id=None)], [("call_1_0", "{}"), ("call_1_1", "{}")]),
        ([call(), call()], [("a", "{}"), ("call_1_1", "{}")]),
        ([call({"query": "é"})], [("a", '{"query": "é"}')]),
        ([call(None)], [("a", "{}")]),
        ([call("")], [("a", "{}")]),
        ([call({})], [("a", "{}")]),
        ([call("not json")], [("a", "not json")]),
    ],
)
def test_odd_calls(calls: list[Any], read: list[tuple[str, str]]) -> None:
    answer, _ = ask(completion("tool_calls", content=None, tool_calls=calls), tools=[SQL])
    assert [(one.id, one.arguments) for one in answer.message.calls] == read
    assert answer.stop == "calls"


@pytest.mark.parametrize(
    ("reply", "said", "retryable"),
    [
        (whole({"choices": []}), "without anything in it", True),
        (whole({"choices": None}), "without anything in it", True),
        (Reply([event({"choices": []}), DONE]), "without anything in it", True),
        (completion("error", content=""), "error", True),
        (whole({"choices": [{"error": {"code": 502, "message": "Gone."}}]}), "Gone", True),
        (whole({"error": {"code": 400, "message": "Too long."}}), "Too long", False),
        (Reply([chunk({"content": "Hal"}), event({"error": {"code": 503, "message": "Gone."}})]), "Gone", True),
        (whole({"choices": "none"}), "something other than a model's answer", False),
        (whole({"choices": [[]]}), "something other than a model's answer", False),
    ],
)
def test_an_answer_that_is_none_is_one_clear_error(reply: Reply, said: str, retryable: bool) -> None:
    with pytest.raises(ModelError, match=said) as error:
        ask(reply)
    assert error.value.retryable is retryable


def test_an_empty_answer_is_one() -> None:
    answer, _ = ask(completion(content=None))
    assert (answer.message.parts, answer.stop) == ((), "stop")


def test_a_call_that_groq_could_not_read_may_be_asked_for_again_streamed_or_not() -> None:
    error = {"code": "tool_use_failed", "type": "invalid_request_error", "message": "Failed to call a function."}
    for reply in (whole({"error": error}, 400), Reply([chunk({"content": ""}), event({"error": error})])):
        with pytest.raises(ModelError, match="Failed to call a function") as failed:
            ask(reply, vendor("groq"), tools=[SQL])
        assert failed.value.retryable


@pytest.mark.parametrize(
    ("endpoint", "tools", "way"),
    [
        (vendor("openai"), [SQL], "native"),
        (vendor("xai"), [SQL], "native"),
        (vendor("groq"), [SQL], "tool"),
        (vendor("mistral"), [], "tool"),
        (vendor("deepseek"), [SQL], "prompt"),
        (vendor("moonshot"), [], "prompt"),
        (vendor("ollama"), [SQL], "prompt"),
        (vendor("ollama"), [], "native"),
        (CUSTOM, [SQL], "prompt"),
        (CUSTOM, [], "native"),
    ],
)
def test_how_an_answer_is_held_to_a_schema(endpoint: Endpoint, tools: list[ToolSpec], way: str) -> None:
    _, sent = ask(says('{"city":"Bern"}'), endpoint, tools=tools, output=CITY)
    names = [tool["function"]["name"] for tool in sent.get("tools", ())]
    assert ("response_format" in sent) is (way == "native")
    assert ("final_answer" in names and sent["tool_choice"] == "required") is (way == "tool")
    assert ("JSON Schema" in str(sent["messages"])) is (way == "prompt")


RUN = [
    messages.system("Be brief."),
    messages.user("How many?"),
    messages.assistant(
        Reasoning("", {"anthropic": {"signature": "s"}}),
        Reasoning("", {"openai-responses": {"type": "reasoning", "id": "rs_1", "encrypted_content": "g"}}),
        Reasoning("Hm.", {"openrouter": {"reasoning_details": [{"type": "reasoning.text", "text": "Hm."}]}}),
        Text("Let me look.", {"openai-responses": {"id": "msg_1"}}),
        ToolCall("toolu_01A09q90qw90lq917835lq9", "sql", "{}", {"gemini": {"thoughtSignature": "t"}}),
        ToolCall("functions.sql:1", "sql", "", {"openai": {"extra_content": {"google": {"thought_signature": "u"}}}}),
    ),
    messages.results(
        [ToolResult("toolu_01A09q90qw90lq917835lq9", "sql", "1"), ToolResult("functions.sql:1", "sql", "2")]
    ),
]
SECRETS = {
    "anthropic": "signature",
    "openai-responses": "encrypted_content",
    "openrouter": "reasoning_details",
    "gemini": "thoughtSignature",
    "openai": "thought_signature",
}


@pytest.mark.parametrize("endpoint", CHATS, ids=lambda row: row.name)
def test_a_run_that_others_began_goes_on(endpoint: Endpoint) -> None:
    answer, sent = ask(says("Three."), endpoint, *RUN, tools=[SQL])
    _, _, called, *told = sent["messages"]
    assert answer.message.text == "Three."
    assert [one["tool_call_id"] for one in told] == [one["id"] for one in called["tool_calls"]]
    assert [json.loads(one["function"]["arguments"]) for one in called["tool_calls"]] == [{}, {}]
    for maker, secret in SECRETS.items():
        assert (f'"{secret}"' in json.dumps(sent)) is (maker == endpoint.name)


def test_a_run_that_others_began_goes_on_by_responses() -> None:
    done = {"type": "response.completed", "response": {"status": "completed", "output": []}}
    words = {"type": "response.output_text.delta", "output_index": 0, "delta": "Three."}
    for model in ("gpt-5-mini", "gpt-4o"):
        endpoint = vendor("openai-responses")
        with chat_server([Reply([event(words), event(done)])]) as server:
            remote = RemoteModel(endpoint, model, server.url, "k-1", 10)
            *_, answer = asyncio.run(everything(remote))
            sent = server.requests[0]
        assert answer.message.text == "Three."
        assert sent.path == "/v1/responses"
        kinds = [item.get("type", item.get("role")) for item in sent.body["input"]]
        calls = ["function_call", "function_call", "function_call_output", "function_call_output"]
        assert kinds == ["user", *(["reasoning"] if model == "gpt-5-mini" else []), "assistant", *calls]


async def everything(remote: RemoteModel) -> list[Any]:
    try:
        return [item async for item in remote.stream(Request(RUN, [SQL]))]
    finally:
        await remote.aclose()


@pytest.mark.parametrize("endpoint", [*CHATS, vendor("openai-responses")], ids=lambda row: row.name)
def test_a_run_that_was_resumed_from_the_journal_is_told_in_the_same_bytes(endpoint: Endpoint) -> None:
    wire = WIRES[endpoint.wire]
    resumed = [messages.from_json(json.loads(json.dumps(messages.to_json(message)))) for message in RUN]
    assert wire.encode(Request(resumed), "gpt-5-mini", endpoint, b"") == wire.encode(
        Request(RUN), "gpt-5-mini", endpoint, b""
    )


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("gpt-4o", "/v1/chat/completions"),
        ("gpt-5-mini", "/v1/chat/completions"),
        ("o4-mini", "/v1/chat/completions"),
        ("gpt-5.6-terra", "/v1/responses"),
        ("gpt-5-pro", "/v1/responses"),
        ("gpt-5-codex", "/v1/responses"),
        ("o3-pro", "/v1/responses"),
        ("o4-mini-deep-research", "/v1/responses"),
    ],
)
def test_openai_itself_is_asked_in_the_format_in_which_it_serves_the_model(model: str, path: str) -> None:
    done = event({"type": "response.completed", "response": {"status": "completed", "output": []}})
    chat = says("Yes.")
    replies = {"/v1/responses": Reply([done]), "/v1/chat/completions": chat}
    with chat_server(lambda received: replies[received.path]) as server:
        remote = RemoteModel(replace(vendor("openai"), base_url=server.url), model, server.url, "k-1", 10)
        asyncio.run(everything(remote))
        assert server.requests[0].path == path
    assert remote.name == f"openai:{model}"


def test_who_stands_in_between_is_asked_in_the_format_that_was_named() -> None:
    assert asked(vendor("openai"), "gpt-5.6-terra", "https://gateway.example/v1").wire == "chat"
    assert asked(vendor("openai"), "gpt-5.6-terra", "https://api.openai.com/v1").name == "openai-responses"
