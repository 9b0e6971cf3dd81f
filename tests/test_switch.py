"""Another vendor takes over in the middle of a run, and gives it back: each gets what is its own, and no more."""

import asyncio
import json
from pathlib import Path
from typing import Any

from tests.support.chat_server import Received, Reply, calls, chat_server, event, says
from tests.support.vendors import vendor
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.agent import Agent
from assent.core.commands import Decide, ResumeRun
from assent.core.config import Config
from assent.models.remote import RemoteModel
from assent.tools.tool import tool

SIGNED = "c2lnbmVkIGJ5IGNsYXVkZQ=="
SEALED = "c2VhbGVkIGJ5IGdlbWluaQ=="


@tool
def note(word: str) -> str:
    """Write a word down."""
    return f"noted {word}"


def claude_calls(word: str) -> Reply:
    """A thought with its signature, and a call."""
    thought = {"type": "thinking", "thinking": "Hm.", "signature": SIGNED}
    use = {"type": "tool_use", "id": f"toolu_{word}", "name": "note", "input": {"word": word}}
    return whole({"type": "message", "content": [thought, use], "stop_reason": "tool_use", "usage": {}})


def claude_says(text: str) -> Reply:
    content = [{"type": "text", "text": text}]
    return whole({"type": "message", "content": content, "stop_reason": "end_turn", "usage": {}})


def gemini_calls(word: str) -> Reply:
    part = {"functionCall": {"name": "note", "args": {"word": word}}, "thoughtSignature": SEALED}
    return Reply([event({"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}]})])


def whole(value: Any) -> Reply:
    return Reply([json.dumps(value).encode()], content_type="application/json")


class Vendors:
    """One server in three formats; each request takes its vendor's next reply."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any]] = []
        self.replies = {
            "anthropic": [claude_calls("one"), claude_says("All three are noted.")],
            "gemini": [gemini_calls("two")],
            "openai": [calls(("note", '{"word": "three"}')), says("unused")],
        }

    def __call__(self, received: Received) -> Reply:
        places = {"/messages": "anthropic", ":streamGenerateContent": "gemini", "/chat/completions": "openai"}
        (maker,) = [name for place, name in places.items() if place in received.path]
        self.seen.append((maker, received.body))
        return self.replies[maker].pop(0)


def model(maker: str, name: str, url: str) -> RemoteModel:
    return RemoteModel(vendor(maker), name, url, "k" * 20)


def test_three_vendors_share_a_run(tmp_path: Path) -> None:
    vendors = Vendors()

    async def share(url: str) -> str:
        models = [
            model("anthropic", "claude-sonnet-4-5", url.removesuffix("/v1")),
            model("gemini", "gemini-3-flash-preview", url),
            model("openai", "gpt-5-mini", url),
        ]
        claude, gemini, gpt = [item.name for item in models]
        async with Session(prepare(tmp_path), config=Config(), models=models) as session:
            result = await session.run(Agent(name="a", tools=(note,), policy={"note": "ask"}), "Go.", model=claude)
            for other in (gemini, gpt, claude):
                assert result.status == "suspended", result.reason
                for waiting in result.pending:
                    session.decide(Decide(waiting.call, "approve"))
                result = await session.drain(ResumeRun(result.run, model=other))
            return result.text

    with chat_server(vendors) as server:
        assert asyncio.run(share(server.url)) == "All three are noted."
    (_, first), (_, second), (_, third), (_, fourth) = vendors.seen
    assert [maker for maker, _ in vendors.seen] == ["anthropic", "gemini", "openai", "anthropic"]
    assert SIGNED not in json.dumps([first, second, third])
    assert SIGNED in json.dumps(fourth)
    assert SEALED not in json.dumps([first, second, third, fourth])
    for body in (second, third, fourth):
        assert "noted one" in json.dumps(body)
    for body in (third, fourth):
        assert "noted two" in json.dumps(body)
    assert "noted three" in json.dumps(fourth)
