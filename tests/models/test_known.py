"""The table of models: what each needs and costs, and whether its server answers."""

import json
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from tests.support.chat_server import ChatServer, Reply, chat_server, lists
from tests.support.vendors import vendor

from assent.core.agent import Agent
from assent.core.config import Config
from assent.core.secrets import remember
from assent.models import keys, listing
from assent.models.endpoints import ENDPOINTS
from assent.models.known import Known, known_models
from assent.models.listing import Found, ask
from assent.models.local import weights

KEY = "sk-known-0123456789abcdef"

pytestmark = pytest.mark.usefixtures("bare")


def answer(body: Any, status: int = 200) -> Reply:
    return Reply([json.dumps(body).encode()], status, "application/json")


@pytest.fixture
def openai(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    """A server in OpenAI's place, and the key for it."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with chat_server(lambda received: lists("gpt-5-mini-2025-08-07", "o3")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        yield server


def table(config: Config | None = None, **options: Any) -> dict[str, Known]:
    return {row.name: row for row in known_models(config or Config(), **options)}


def found(reply: Reply, name: str = "openai") -> tuple[Found, ChatServer]:
    """What comes of asking a server that answers so, and the server that was asked."""
    with chat_server([reply]) as server:
        return ask([(vendor(name), keys.Access(server.url, KEY))])[name], server


def test_vendors_are_asked_with_their_key(openai: ChatServer) -> None:
    row = table()["openai:gpt-5-mini"]
    assert (row.kind, row.ready, row.reachable, row.needs) == ("key", True, True, "")
    assert {received.path for received in openai.requests} == {"/v1/models"}
    assert {received.headers["authorization"] for received in openai.requests} == {f"Bearer {KEY}"}


def test_a_vendor_without_a_key_is_not_asked() -> None:
    row = table()["groq:openai/gpt-oss-120b"]
    assert (row.kind, row.ready, row.reachable, row.needs) == ("key", False, None, "set GROQ_API_KEY")
    gemini = next(row for row in table().values() if row.name.startswith("gemini:"))
    assert gemini.needs == "set GEMINI_API_KEY or GOOGLE_API_KEY"


def test_prices_are_dollars_for_a_million_tokens(ollama: ChatServer) -> None:
    rows = table(Config(model="custom:mine", base_url=ollama.url))
    assert (rows["openai:gpt-5-mini"].input, rows["openai:gpt-5-mini"].output) == (Decimal("0.25"), Decimal(2))
    assert [rows["ollama:qwen3:8b"].input, rows["ollama:qwen3:8b"].output] == [0, 0]
    assert [rows["local:qwen2.5-coder-1.5b"].input, rows["custom:mine"].input] == [0, None]


def test_what_the_settings_name_comes_first(openai: ChatServer, tmp_path: Path) -> None:
    (tmp_path / "script.json").write_text("[]")
    config = Config(
        model="openai:o3",
        agents=(Agent(name="a", model="groq:x"), Agent(name="b")),
        models={"default": {"fallback": ("local",)}, "openai:o9": {"fallback": ("groq:x", "nobody:x")}, "xai": {}},
    )
    rows = list(table(config, named=["scripted:script.json", "scripted:no.json"]).values())
    first = [row for row in rows if row.kind == "configured"]
    assert rows[: len(first)] == first
    assert [(row.name, row.ready, row.reachable) for row in first] == [
        ("openai:o3", True, True),
        ("scripted:script.json", True, None),
        ("scripted:no.json", False, None),
        ("groq:x", False, None),
        ("openai:o9", True, True),
        ("local", False, None),
        ("nobody:x", False, None),
    ]
    assert "not among the 2 models" in first[4].needs
    assert first[5].needs.startswith("assent fetch")
    assert "Write provider:model, with one of the providers openai" in first[6].needs


def test_a_name_is_listed_once(openai: ChatServer) -> None:
    names = [row.name for row in known_models(Config(model="openai:gpt-5-mini"))]
    assert len(names) == len(set(names))
    assert names[0] == "openai:gpt-5-mini"


def test_a_server_of_ones_own(ollama: ChatServer) -> None:
    rows = table(Config(base_url=ollama.url))
    assert rows["custom:llama3.2"].ready
    assert "custom:nomic-embed-text" not in rows
    assert table(Config(model="mine", base_url=ollama.url))["mine"].reachable


def test_ollama_has_what_it_serves(ollama: ChatServer) -> None:
    row = table()["ollama:llama3.2"]
    assert (row.kind, row.ready, row.reachable, row.needs) == ("server", True, True, "")


def test_a_server_that_is_down_is_known_as_down() -> None:
    row = table()["ollama:"]
    assert (row.ready, row.reachable) == (False, False)
    assert "start it" in row.needs


def test_weights_that_are_here_are_ready(tmp_path: Path) -> None:
    small = weights.find("qwen2.5-coder-0.5b")
    file = tmp_path / "models" / small.file
    file.parent.mkdir()
    with file.open("wb") as out:
        out.truncate(small.size)  # a hole: no bytes are written
    rows = table()
    assert rows["local:qwen2.5-coder-0.5b"].ready
    assert rows["local:qwen2.5-coder-1.5b"].needs == "assent fetch qwen2.5-coder-1.5b (1.1 GB)"


@pytest.mark.parametrize(
    ("name", "path", "header"),
    [
        ("openai", "/v1/models", ("authorization", f"Bearer {KEY}")),
        ("openai-responses", "/v1/models", ("authorization", f"Bearer {KEY}")),
        ("anthropic", "/v1/v1/models?limit=1000", ("x-api-key", KEY)),
        ("gemini", "/v1/models?pageSize=1000", ("x-goog-api-key", KEY)),
    ],
)
def test_each_format_has_its_list(name: str, path: str, header: tuple[str, str]) -> None:
    _, server = found(lists("a"), name)
    (received,) = server.requests
    assert received.path == path
    assert received.headers[header[0]] == header[1]
    if name == "anthropic":
        assert received.headers["anthropic-version"]


def test_lists_are_read_whichever_way_they_are_written() -> None:
    assert found(lists("a", "b"))[0].names == ("a", "b")
    assert found(answer({"models": [{"name": "models/g-1"}]}), "gemini")[0].names == ("g-1",)
    shapes: list[Any] = [[1], {"data": 7}, {"data": [7]}, {"data": [{}]}, {}, "x"]
    assert [found(answer(shape))[0] for shape in shapes] == [Found(True, True)] * len(shapes)


@pytest.mark.parametrize(
    ("status", "ready", "says"),
    [
        (401, False, "OpenAI refused the key (HTTP 401): put a valid one in OPENAI_API_KEY."),
        (403, False, "does not allow this"),
        (429, False, "limiting requests"),
        (500, False, "a fault of its own"),
        (302, False, "redirects elsewhere"),
        (404, True, ""),
    ],
)
def test_a_refusal_is_told(status: int, ready: bool, says: str) -> None:
    row, server = found(answer({"error": {"message": f"wrong key {KEY}"}}, status))
    assert (row.ready, row.reachable, len(server.requests)) == (ready, True, 1)
    assert says in row.needs
    assert bool(says) == bool(row.needs)
    assert KEY not in row.needs


def test_a_server_that_lists_our_key_as_a_model_does_not_make_us_show_it() -> None:
    remember(KEY)
    assert found(lists(KEY, "a"))[0].names == ("[key]", "a")


def test_gemini_says_400_of_a_wrong_key() -> None:
    row, _ = found(answer({"error": {"message": "API key not valid."}}, 400), "gemini")
    assert (row.ready, row.reachable) == (False, True)
    assert "API key not valid" in row.needs


def test_a_key_that_cannot_be_sent_is_not() -> None:
    openai = ENDPOINTS[0]
    row = ask([(openai, keys.Access("http://127.0.0.1:1", "schlüssel-0123"))])["openai"]
    assert (row.ready, row.reachable) == (False, None)
    assert "OPENAI_API_KEY holds characters" in row.needs


def test_an_address_that_is_none_cannot_be_reached() -> None:
    for url in ("nowhere", "http://[::1", "http://127.0.0.1:1", "https://127.0.0.1:1/x"):
        assert ask([(ENDPOINTS[0], keys.Access(url, KEY))])["openai"].reachable is False


def test_a_login_in_the_address_is_sent_and_not_shown() -> None:
    with chat_server([lists("a")]) as server:
        at = server.url.replace("http://", "http://me:geheim-123@")
        assert ask([(ENDPOINTS[0], keys.Access(at))])["openai"].names == ("a",)
        assert server.requests[0].headers["authorization"].startswith("Basic ")
    row = ask([(ENDPOINTS[0], keys.Access("http://me:geheim-123@127.0.0.1:1/v1"))])["openai"]
    assert "geheim" not in row.needs


def test_silent_servers_are_waited_for_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LIMIT", 0.3)
    release = Event()
    reply = Reply([b"{", b"}"], content_type="application/json", hold=release)
    with chat_server(lambda received: reply) as server:
        asked = [(endpoint, keys.Access(server.url, KEY)) for endpoint in ENDPOINTS[:6]]
        began = time.monotonic()
        answers = ask(asked)
        took = time.monotonic() - began
        release.set()
    assert [row.reachable for row in answers.values()] == [False] * 6
    assert "no answer within" in answers["openai"].needs
    assert took < 1.5


def test_a_file_that_wants_a_key_of_ours_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    (tmp_path / ".env").write_text("OPENAI_BASE_URL=http://127.0.0.1:1/v1\n")
    row = table()["openai:gpt-5-mini"]
    assert (row.ready, row.reachable) == (False, None)
    assert "put OPENAI_BASE_URL and OPENAI_API_KEY in the same place" in row.needs


def test_no_key_is_in_the_table(openai: ChatServer) -> None:
    assert KEY not in repr(known_models(Config(model="openai")))
