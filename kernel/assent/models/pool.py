"""Keep-alive connections to an origin: one pool for all the models there that one event loop asks."""

import asyncio
import contextlib
import socket
import threading
import urllib.request
from typing import Any
from weakref import WeakSet, WeakValueDictionary

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

Key = tuple[int, str, str, int | None, str]  # the loop, then scheme, host, port, and the proxy on the way


class Pool:
    """Open connections, closed when the last of their users lets go.

    `answered` tells that a connection may have been used before, and so may have been closed by the server meanwhile.
    """

    def __init__(self, key: Key, loop: asyncio.AbstractEventLoop) -> None:
        self.key = key
        self.loop = loop  # held, so that no other loop gets its id
        self.sockets: WeakSet[socket.socket] = WeakSet()
        self.transport = _transport(key[1] == "https", key[-1], self.sockets)
        self.answered = False
        self.users: WeakSet[Any] = WeakSet()  # one that was forgotten without closing does not count


_pools: WeakValueDictionary[Key, Pool] = WeakValueDictionary()
_changing = threading.Lock()  # loops of several threads


def join(base: httpx.URL, user: object) -> Pool:
    """The running loop's pool for the origin of `base`; `user` shares it until it leaves."""
    loop, proxy = asyncio.get_running_loop(), _proxy(base)
    key = (id(loop), base.scheme, base.host, base.port, proxy)
    with _changing:
        if (pool := _pools.get(key)) is None:
            pool = _pools[key] = Pool(key, loop)
        pool.users.add(user)
    return pool


async def leave(pool: Pool, user: object) -> None:
    """Let go of a pool; the last one to do so closes it. Await it on the pool's own loop, or when that is closed."""
    with _changing:
        pool.users.discard(user)
        if pool.users:
            return
        if _pools.get(pool.key) is pool:
            del _pools[pool.key]
    await pool.transport.aclose()
    for left in list(pool.sockets):
        with contextlib.suppress(OSError):  # a connection stays as long as its server does not read what was sent
            left.shutdown(socket.SHUT_RDWR)


def _transport(secure: bool, proxy: str, sockets: WeakSet[socket.socket]) -> AiohttpTransport:
    context = httpx.create_ssl_context() if secure else False

    def opened(address: Any) -> socket.socket:
        made = socket.socket(*address[:3])
        sockets.add(made)
        return made

    def session() -> aiohttp.ClientSession:
        # The limit is the caller's to set (a model wrapper); aiohttp's own would be 100 connections. Cookies would go
        # from one model's answers to another one's requests.
        connector = aiohttp.TCPConnector(ssl=context or True, limit=0, socket_factory=opened)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    return AiohttpTransport(verify=context, proxy=httpx.Proxy(proxy) if proxy else None, client=session)


def _proxy(base: httpx.URL) -> str:
    """The proxy that the environment names for this server, "" for none."""
    if urllib.request.proxy_bypass(base.host):
        return ""
    return urllib.request.getproxies().get(base.scheme, "")
