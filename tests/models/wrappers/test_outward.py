"""Where a model answers, and what a stream of a masked request shows."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.calls import call

from assent.core import messages
from assent.core.mask import Mask
from assent.core.model import Answer, CallDelta, Destination, Notice, Request, Sent, TextDelta
from assent.models.masking.vault import Vault
from assent.models.scripted import ScriptedModel, Turn
from assent.models.wrappers.outward import destination, outward


def model(name: str, place: str = "") -> Any:
    return SimpleNamespace(name=name, place=place) if place else SimpleNamespace(name=name)


@pytest.mark.parametrize(
    ("name", "place", "local"),
    [
        ("local:small", "", True),
        ("scripted:script", "", True),
        ("ollama:llama3", "http://localhost:11434/v1", True),
        ("ollama:llama3", "http://127.0.0.1:11434/v1", True),
        ("ollama:llama3", "http://gpu.example.com:11434/v1", False),
        ("ollama:gpt-oss:120b-cloud", "http://localhost:11434/v1", False),
        ("custom:mine", "http://[::1]:8000/v1", True),
        ("custom:mine", "http://127.0.0.1.example.com/v1", False),
        ("openai:gpt-4o", "http://127.0.0.1:8000/v1", False),
        ("mine:own", "", False),
    ],
)
def test_only_what_answers_on_this_machine_is_local(name: str, place: str, local: bool) -> None:
    assert destination(model(name, place)).local is local


def test_a_request_without_loading_goes_as_it_is() -> None:
    items = streamed(ScriptedModel(["Yes."]), Request([messages.user("Hi")]))
    assert isinstance(items[-1], Answer)
    assert not any(isinstance(item, Notice) for item in items)


def test_a_request_is_loaded_before_it_is_sent() -> None:
    told: list[str] = []

    def loading(request: Request, to: Destination) -> Sent:
        told.append(to.provider)
        return Sent(Request([messages.user("masked")]))

    def says(request: Request) -> str:
        told.append(request.messages[0].text)
        return "Yes."

    streamed(ScriptedModel([says]), Request([messages.user("Hi")], loading=loading))
    assert told == ["local", "masked"]


@pytest.mark.parametrize("size", [1, 3, 50])
def test_values_go_back_into_what_is_shown_and_into_the_answer(size: int) -> None:
    vault = Vault([Mask(kind="email", restore=True)])

    def loading(request: Request, to: object) -> Sent:
        made = [messages.user(vault.masked(message.text)[0]) for message in request.messages]
        return Sent(Request(made), {}, vault.restored, vault.restores)

    said = (messages.Text("Ask [email_1] [or"), call("mail", to="[email_1]"))
    items = streamed(ScriptedModel([Turn(said, size=size)]), Request([messages.user("a@x.de?")], loading=loading))
    answer = items[-1]
    assert isinstance(answer, Answer)
    assert answer.message.text == "Ask a@x.de [or"
    assert answer.message.calls[0].arguments == '{"to": "a@x.de"}'
    texts = [item.text for item in items if isinstance(item, TextDelta)]
    assert "".join(texts) == "Ask a@x.de [or"
    assert "".join([item.arguments for item in items if isinstance(item, CallDelta)]) == '{"to": "a@x.de"}'


def streamed(inner: Any, request: Request) -> list[Any]:
    async def items() -> list[Any]:
        return [item async for item in outward(inner).stream(request)]

    return asyncio.run(items())
