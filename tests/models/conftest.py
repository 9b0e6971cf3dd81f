"""What tests of models by their names start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.chat_server import ChatServer, chat_server, lists

from assent.models import keys, served
from assent.models.endpoints import CUSTOM, ENDPOINTS


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment that names no model and no key, with an empty cache and nobody at Ollama's address."""
    for name in [name for row in (*ENDPOINTS, CUSTOM) for name in (*row.keys, *row.bases)]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    monkeypatch.setenv("ASSENT_CACHE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(keys, "_from_keyring", {name: "" for row in ENDPOINTS for name in row.keys})
    monkeypatch.setattr(served, "_answers", {})


@pytest.fixture
def ollama(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    """A server in Ollama's place, with two models to talk to and one that only embeds."""
    with chat_server(lambda received: lists("nomic-embed-text", "qwen3:8b", "llama3.2")) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url.removesuffix("/v1"))
        yield server
