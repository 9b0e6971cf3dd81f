"""From names to models, and the choice when nobody named one."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.chat_server import ChatServer, Reply, chat_server, lists, says
from tests.support.hearing import heard

from assent.core import messages
from assent.core.config import Config
from assent.core.errors import ConfigError, NoModel, NotFound
from assent.core.model import Request
from assent.models import keys, served
from assent.models.resolve import check_tables, default_model, resolve

pytestmark = pytest.mark.usefixtures("bare")


def first_words(model: Any) -> str:
    return str(heard(model, Request([messages.user("Hi")]))[-1].message.text)


def test_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    names = ["openai:gpt-5-mini", "openai", "ollama:qwen2.5:7b", "local", "local:qwen2.5-coder-0.5b"]
    assert [resolve(name, Config()).name for name in names] == [
        "openai:gpt-5-mini",
        "openai:gpt-5-mini",
        "ollama:qwen2.5:7b",
        "local:qwen2.5-coder-1.5b",
        "local:qwen2.5-coder-0.5b",
    ]


@pytest.mark.parametrize("name", ["gpt-5-mini", "nobody:x", "openai:", ""])
def test_names_of_nothing(name: str) -> None:
    with pytest.raises(NotFound, match="Write provider:model"):
        resolve(name, Config())


def test_an_unknown_local_model() -> None:
    with pytest.raises(NotFound, match=r"there are qwen2\.5-coder-1\.5b, qwen2\.5-coder-0\.5b"):
        resolve("local:llama", Config())


def test_a_vendor_without_its_key() -> None:
    with pytest.raises(NoModel, match="Groq needs a key: set GROQ_API_KEY"):
        resolve("groq:x", Config())


def test_a_server_of_ones_own_gets_its_key_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-vendor")
    with chat_server([says("a"), says("b")]) as server:
        config = Config(base_url=server.url)
        assert first_words(resolve("qwen2.5:7b", config)) == "a"
        monkeypatch.setenv("ASSENT_API_KEY", "own")
        model = resolve("my-model", config)
        assert (model.name, first_words(model)) == ("custom:my-model", "b")
        assert [received.headers.get("authorization") for received in server.requests] == [None, "Bearer own"]
        assert server.requests[0].body["model"] == "qwen2.5:7b"


def test_openai_base_url_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with chat_server([says("hello")]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert first_words(resolve("openai:any", Config())) == "hello"


def test_the_default_is_the_first_of_setting_key_ollama_local(
    monkeypatch: pytest.MonkeyPatch, ollama: ChatServer
) -> None:
    monkeypatch.setenv("MISTRAL_API_KEY", "k")
    assert default_model(Config(model="xai:grok")) == "xai:grok"
    assert default_model(Config()) == "mistral:mistral-medium-latest"
    monkeypatch.delenv("MISTRAL_API_KEY")
    assert default_model(Config()) == "ollama:qwen3:8b"
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    assert default_model(Config()) == "local:qwen2.5-coder-1.5b"


def test_a_key_beside_the_code_comes_before_one_in_the_keyring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(keys._from_keyring, "OPENAI_API_KEY", "sk-from-the-keyring")
    assert default_model(Config()) == "openai:gpt-5-mini"
    (tmp_path / ".env").write_text("MISTRAL_API_KEY=k\n")
    assert default_model(Config()) == "mistral:mistral-medium-latest"
    assert default_model(Config(), tmp_path / "elsewhere" / ".assent") == "mistral:mistral-medium-latest"


def test_a_servers_models_are_asked_for_once_in_a_while(monkeypatch: pytest.MonkeyPatch, ollama: ChatServer) -> None:
    assert [default_model(Config()) for _ in range(3)] == ["ollama:qwen3:8b"] * 3
    assert len(ollama.requests) == 1
    monkeypatch.setattr(served, "FRESH", -1.0)
    served._answers.clear()
    assert [default_model(Config()) for _ in range(2)] == ["ollama:qwen3:8b"] * 2
    assert len(ollama.requests) == 3


def test_a_silent_server_is_left_alone_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def refuse(access: keys.Access) -> None:
        asked.append(access.base_url)
        raise ConnectionRefusedError

    monkeypatch.setattr(served, "_get", refuse)
    for _ in range(3):
        with pytest.raises(NoModel, match="No model server answers at http://127"):
            default_model(Config(base_url="http://127.0.0.1:1/v1"))
    assert asked == ["http://127.0.0.1:1/v1"]


def test_ollama_alone_takes_what_it_serves(ollama: ChatServer) -> None:
    assert resolve("ollama", Config()).name == "ollama:qwen3:8b"


def test_the_default_of_a_server_is_what_it_serves() -> None:
    with chat_server([lists("m-1", "m-2")]) as server:
        assert default_model(Config(base_url=server.url)) == "custom:m-1"


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        (lists(), "has no model yet"),
        (Reply([b"<html>"], content_type="text/html"), "does not list its models"),
        (Reply([b"{}"], 404, "application/json"), "does not list its models"),
    ],
)
def test_a_server_without_models(reply: Reply, what: str) -> None:
    with chat_server([reply]) as server, pytest.raises(NoModel, match=what):
        default_model(Config(base_url=server.url))


def test_nothing_at_all_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NoModel) as caught:
        default_model(Config())
    for advice in ("OPENAI_API_KEY", "Ollama", "assent fetch", "config.toml"):
        assert advice in str(caught.value)
    with pytest.raises(NoModel, match="pip install xllamacpp"):
        resolve("local", Config())


def test_importing_it_is_light() -> None:
    heavy = ("httpx", "aiohttp", "xllamacpp", "genai_prices", "pandas", "pydantic")
    code = f"import sys, assent.models.resolve, assent.models.prices; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("table", ["opnai", "gpt-5-mini", "opnai:gpt-5-mini"])
def test_settings_for_a_provider_that_is_none(table: str) -> None:
    with pytest.raises(ConfigError, match=rf"The settings of '{table}' are for no provider that there is: .*openai"):
        check_tables(Config(models={table: {"attempts": 2}}))


def test_settings_for_what_there_is() -> None:
    tables = {name: {"attempts": 2} for name in ("default", "openai", "custom:m", "local", "scripted:x.json", "mine:m")}
    check_tables(Config(models=tables), ["mine:m"])


def test_the_server_of_the_settings_alone_means_its_first_model() -> None:
    with chat_server(lambda received: lists("embed-small", "m-1", "m-2")) as server:
        assert resolve("custom", Config(base_url=server.url)).name == "custom:m-1"
