"""What Gemini really sent and was sent: our request for the same conversation, and what we read in the answer.

Reads recordings in ../shared, which are not part of the repository.
"""

import asyncio
import json
from typing import Any

import pytest
from tests.support.cassettes import Exchange, exchanges
from tests.support.chat_server import chat_server

from assent.core import messages
from assent.core.messages import Message, Text, ToolResult
from assent.core.model import Answer, Request, ToolSpec, Usage
from assent.models.endpoints import ENDPOINTS
from assent.models.remote import RemoteModel

pytestmark = pytest.mark.shared

GEMINI = next(row for row in ENDPOINTS if row.name == "gemini")
NAMES = [
    "test_google.test_google_instructions_only_with_tool_calls",
    "test_google.test_google_model_iter_stream",
    "test_google.test_google_model_retry",
    "test_google.test_google_model_stream",
    "test_tool_choice_matrix.test_tool_choice_matrix.auto-google.",
    "test_tool_choice_matrix.test_tool_choice_matrix.required-google.",
    "test_openai.test_multiple_agent_tool_calls",
]


def recorded(name: str) -> list[Exchange]:
    return [one for one in exchanges(name) if "generativelanguage" in one.url]


def replay(name: str) -> list[tuple[Exchange, Any, Answer]]:
    """Every exchange of a recording with what we sent for the same conversation, and our answer.

    The model's earlier turns are our own readings of its answers, not the recorded ones.
    """
    took = recorded(name)
    assert took
    with chat_server([one.reply for one in took]) as server:
        answers: list[Answer] = []
        for one in took:
            answers.append(asyncio.run(ask(server.url, model_of(one), request_of(one.sent, answers))))
        return list(zip(took, [received.body for received in server.requests], answers, strict=True))


async def ask(url: str, model: str, request: Request) -> Answer:
    remote = RemoteModel(GEMINI, model, url, "k-1", 10)
    try:
        *_, answer = [item async for item in remote.stream(request)]
    finally:
        await remote.aclose()
    assert isinstance(answer, Answer)
    return answer


def model_of(exchange: Exchange) -> str:
    return exchange.url.rpartition("/")[2].partition(":")[0]


def request_of(sent: Any, answers: list[Answer]) -> Request:
    given = [answer.message for answer in answers]
    conversation = [messages.system(part["text"]) for part in sent.get("systemInstruction", {}).get("parts", ())]
    for turn in sent["contents"]:
        conversation += [given.pop(0)] if turn["role"] == "model" else asked(turn["parts"], conversation)
    tools = [
        ToolSpec(tool["name"], tool["description"], tool["parametersJsonSchema"])
        for group in plain(sent).get("tools", ())
        for tool in group["functionDeclarations"]
    ]
    mode = sent.get("toolConfig", {}).get("functionCallingConfig", {}).get("mode", "AUTO")
    choice = {"AUTO": "auto", "NONE": "none", "ANY": "required"}[mode]
    temperature = sent.get("generationConfig", {}).get("temperature")
    return Request(conversation, tools, temperature=temperature, tool_choice=choice)


def asked(parts: list[Any], before: list[Message]) -> list[Message]:
    """What a user's turn says: results of the calls just before it, then words."""
    results = [part["functionResponse"] for part in parts if "functionResponse" in part]
    calls = before[-1].calls if results else []
    found = [
        ToolResult(call.id, result["name"], next(iter(result["response"].values())), "error" in result["response"])
        for call, result in zip(calls, results, strict=True)
    ]
    words = [messages.user(part["text"]) for part in parts if "text" in part]
    return [*([messages.results(found)] if found else []), *words]


def plain(sent: Any) -> Any:
    """A request without differences that do not matter: spelling of names, defaults that are said, made-up ids."""
    sent = json.loads(json.dumps(sent).replace("parameters_json_schema", "parametersJsonSchema"))
    config = {key: value for key, value in sent.get("generationConfig", {}).items() if key != "responseModalities"}
    tools = sent.get("tools", [])
    made: dict[str, Any] = {
        "contents": [{**turn, "parts": [part_of(part) for part in turn["parts"]]} for turn in sent["contents"]]
    }
    if system := sent.get("systemInstruction"):
        made["systemInstruction"] = {"parts": system["parts"]}
    if config:
        made["generationConfig"] = config
    if tools:
        groups = tools if isinstance(tools, list) else [tools]
        declared = [group.get("functionDeclarations") or group["function_declarations"] for group in groups]
        made["tools"] = [{"functionDeclarations": [declaration(tool) for tool in group]} for group in declared]
        names = [tool["name"] for group in declared for tool in group]
        choice = sent.get("toolConfig", {}).get("functionCallingConfig", {"mode": "AUTO"})
        if choice["mode"] != "AUTO":
            chosen = choice.get("allowedFunctionNames", names)
            made["toolConfig"] = {"mode": choice["mode"], "names": chosen}
    return made


def declaration(tool: Any) -> Any:
    schema = tool.get("parametersJsonSchema") or tool["parameters"]
    text = json.dumps(schema).replace('"OBJECT"', '"object"').replace('"STRING"', '"string"')
    return {"name": tool["name"], "description": tool["description"], "parametersJsonSchema": json.loads(text)}


def part_of(part: Any) -> Any:
    made = json.loads(json.dumps(part))
    if signature := made.get("thoughtSignature"):  # pydantic-ai writes base64 in its other alphabet
        made["thoughtSignature"] = signature.replace("-", "+").replace("_", "/")
    for kind in ("functionCall", "functionResponse"):
        if made.get(kind, {}).get("id", "").startswith("pyd_ai_"):
            del made[kind]["id"]
    if response := made.get("functionResponse", {}).get("response"):
        made["functionResponse"]["response"] = {
            "output" if key == "return_value" else key: value for key, value in response.items()
        }
    return made


def chunks(exchange: Exchange) -> list[Any]:
    lines = exchange.body.decode().splitlines()
    events = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
    return events or [json.loads(exchange.body)]


@pytest.mark.parametrize("name", NAMES)
def test_we_send_what_was_sent(name: str) -> None:
    for exchange, sent, _ in replay(name):
        assert plain(sent) == plain(exchange.sent)


@pytest.mark.parametrize("name", NAMES)
def test_we_read_what_was_answered(name: str) -> None:
    for exchange, _, answer in replay(name):
        parts = [part for chunk in chunks(exchange) for part in chunk["candidates"][0]["content"]["parts"]]
        usage = chunks(exchange)[-1]["usageMetadata"]
        calls = [part["functionCall"] for part in parts if "functionCall" in part]
        assert answer.message.text == "".join([part.get("text", "") for part in parts])
        assert [(call.name, json.loads(call.arguments)) for call in answer.message.calls] == [
            (call["name"], call["args"]) for call in calls
        ]
        ids = [call.id for call in answer.message.calls]
        assert len(set(ids)) == len(ids)
        assert all(ids)
        thoughts = usage.get("thoughtsTokenCount")
        assert answer.usage == Usage(
            usage["promptTokenCount"], usage["candidatesTokenCount"] + (thoughts or 0), reasoning=thoughts
        )
        assert answer.stop == ("calls" if calls else "stop")
        assert answer.model == model_of(exchange)


def test_a_streamed_answer() -> None:
    ((_, _, answer),) = replay("test_google.test_google_model_stream")
    assert answer.message.parts == (Text("The capital of France is Paris.\n"),)
    assert (answer.usage, answer.stop, answer.model) == (Usage(13, 8), "stop", "gemini-2.0-flash-exp")


def test_signatures_survive_the_journal() -> None:
    *_, (_, _, answer) = replay("test_google.test_google_model_retry")
    assert answer.message.text == "Paris"
    assert messages.from_json(json.loads(json.dumps(messages.to_json(answer.message)))) == answer.message
    (part,) = answer.message.parts
    assert isinstance(part, Text)
    assert part.extra
    assert part.extra["gemini"]["thoughtSignature"].startswith("CqQDAXLI2n")


def test_of_three_parallel_calls_the_first_is_signed() -> None:
    (_, _, first), (_, sent, _), *_ = replay("test_google.test_google_instructions_only_with_tool_calls")
    assert [call.extra is None for call in first.message.calls] == [False, True, True]
    asked, answered = sent["contents"][1:]
    assert ["thoughtSignature" in part for part in asked["parts"]] == [True, False, False]
    assert [part["functionResponse"]["response"] for part in answered["parts"]] == [
        {"output": "cars"},
        {"output": "penguins"},
        {"output": "cars"},
    ]
