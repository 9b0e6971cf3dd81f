"""Connections that the models of one origin share."""

import asyncio
import gc
import threading
from typing import Any

import httpx
import pytest
from tests.support.chat_server import Reply, chat_server, says
from tests.support.faults import Exchange, answers, faulty, whole

from assent.core import messages
from assent.core.errors import ModelError
from assent.core.model import Request
from assent.models import pool
from assent.models.endpoints import CUSTOM, ENDPOINTS
from assent.models.pool import join, leave
from assent.models.remote import RemoteModel

ASK = Request([messages.user("How many?")])
WELL = answers(whole(b"".join(says("ok").pieces)), keep=True)


class User:
    """Somebody who shares a pool."""


async def ask(model: RemoteModel) -> str:
    items: list[Any] = [item async for item in model.stream(ASK)]
    return str(items[-1].message.text)


def test_models_of_one_origin_share_a_connection_until_the_last_is_closed() -> None:
    async def run(url: str) -> None:
        first, second = RemoteModel(CUSTOM, "m", url, "a-key"), RemoteModel(ENDPOINTS[0], "n", f"{url}/other", "b-key")
        assert [await ask(first), await ask(second), await ask(first)] == ["ok"] * 3
        await first.aclose()
        assert await ask(second) == "ok"
        await second.aclose()
        assert not pool._pools
        assert await ask(first) == "ok"  # opened anew
        await first.aclose()
        assert not pool._pools

    with faulty(WELL) as server:
        asyncio.run(run(server.url))
        assert server.connections == 2
        assert [b"Bearer a-key" in request for request in server.requests] == [True, False, True, False, True]


def test_closing_ends_what_is_under_way() -> None:
    arrived = threading.Event()

    def holds(exchange: Exchange) -> None:
        arrived.set()
        exchange.gone()

    async def run(url: str) -> None:
        model = RemoteModel(CUSTOM, "m", url)
        assert await ask(model) == "ok"
        task = asyncio.ensure_future(ask(model))
        assert await asyncio.to_thread(arrived.wait, 5)
        await model.aclose()
        with pytest.raises(ModelError, match="closed the connection without an answer"):
            await task

    with faulty(WELL, holds) as server:
        asyncio.run(run(server.url))
        assert len(server.requests) == 2


def test_each_event_loop_has_its_own() -> None:
    with faulty(WELL) as server:
        model = RemoteModel(CUSTOM, "m", server.url)

        async def run() -> str:
            text = await ask(model)
            await model.aclose()
            return text

        assert [asyncio.run(run()), asyncio.run(run())] == ["ok", "ok"]
        assert server.connections == 2


def test_other_origins_have_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        user, urls = User(), ["http://a/v1", "http://a:8080/v1", "https://a/v1", "http://b/v1"]
        pools = [join(httpx.URL(url), user) for url in urls]
        assert len(set(pools)) == 4
        assert join(httpx.URL("http://name:word@a/v2"), user) is pools[0]
        monkeypatch.setenv("http_proxy", "http://proxy:1")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        pools.append(join(httpx.URL("http://a/v1"), user))
        assert len(set(pools)) == 5
        for item in pools:
            await leave(item, user)

    asyncio.run(run())


def test_one_that_was_forgotten_keeps_nothing_open() -> None:
    async def run() -> None:
        url, stays, forgotten = httpx.URL("http://a"), User(), User()
        shared = join(url, stays)
        assert join(url, forgotten) is shared
        del forgotten
        gc.collect()
        await leave(shared, stays)
        assert not pool._pools

    asyncio.run(run())


def test_what_a_loop_left_open_is_let_go_in_the_next_one(caplog: pytest.LogCaptureFixture) -> None:
    def script(received: Any) -> Reply:
        return Reply(says("ok").pieces, headers={"Connection": "close"})

    with chat_server(script) as server:
        model = RemoteModel(CUSTOM, "m", server.url)
        assert [asyncio.run(ask(model)) for _ in range(3)] == ["ok"] * 3
        gc.collect()
        asyncio.run(model.aclose())
        assert not pool._pools
        del model
        gc.collect()
    assert "Unclosed" not in caplog.text


def test_no_cookie_goes_from_one_answer_to_another_request() -> None:
    async def run(url: str) -> None:
        models = RemoteModel(CUSTOM, "m", url), RemoteModel(CUSTOM, "n", url)
        for model in models:
            await ask(model)
        for model in models:
            await model.aclose()

    baked = answers(whole(b"".join(says("ok").pieces), Set_Cookie="who=first"), keep=True)
    with faulty(baked) as server:
        asyncio.run(run(server.url.replace("127.0.0.1", "localhost")))
        assert not any(b"cookie" in request.lower() for request in server.requests)
