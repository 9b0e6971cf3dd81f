"""Connections to one model server: a POST out, bytes of the answer in. What they mean is a wire format's business."""

import asyncio
import contextlib
import os
import ssl
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from assent.core.errors import ConfigError, ModelError
from assent.models import failures
from assent.models.endpoints import Endpoint

CONNECT = 10.0  # seconds
SILENCE = 300.0  # seconds without a byte; a model may think for minutes before its first word
LAST = 0.1  # seconds that the end of a body may come after the end of the answer in it; some servers never end it
ERROR_BODY = 64 * 1024  # bytes read of an answer that tells of a failure


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with status 200, its body still to come."""

    content_type: str
    chunks: AsyncIterator[bytes]


async def drain(reply: Reply) -> None:
    """Read what follows a complete answer, so that its connection can be used again; nothing in it matters."""
    with contextlib.suppress(TimeoutError, OSError, httpx.HTTPError, aiohttp.ClientError):
        async with asyncio.timeout(LAST):
            async for _ in reply.chunks:
                pass


class Connections:
    """Keep-alive connections to one origin, opened as needed: one pool for each event loop that asks.

    `path` is what is asked below `base_url`; `headers` say who asks, "" for the key where the server wants none.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        base_url: str,
        path: str,
        key: str,
        headers: Mapping[str, str],
        silence: float = SILENCE,
    ) -> None:
        self._endpoint = endpoint
        self._base = _url(base_url)
        self._key = key
        self._silence = silence
        self._timeout = {"timeout": {"connect": CONNECT, "read": silence, "write": silence, "pool": None}}
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, AiohttpTransport] = WeakKeyDictionary()
        if not key.isprintable() or not key.isascii():
            raise failures.bad_key(endpoint)
        common = {"content-type": "application/json", "accept": "text/event-stream", "user-agent": "assent"}
        self._headers = httpx.Headers({**common, **headers})
        url = httpx.URL(f"{str(self._base).rstrip('/')}{path}")
        # A name and password in the URL stand in for the key; both at once cannot be sent.
        self._url = url.copy_with(username=None, password=None) if key else url

    @asynccontextmanager
    async def post(self, body: bytes, model: str) -> AsyncIterator[Reply]:
        """Send `body`; the reply's chunks come until the block ends. Every failure is a `ModelError`."""
        try:
            response = await self._send(body)
            try:
                if response.status_code != 200:
                    raise await self._refused(response, model)
                yield Reply(response.headers.get("content-type", ""), response.aiter_bytes())
            finally:
                await response.aclose()
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:
            raise self._failure(error) from error

    async def aclose(self) -> None:
        """Close this event loop's connections."""
        if pool := self._pools.pop(asyncio.get_running_loop(), None):
            await pool.aclose()

    async def _send(self, body: bytes) -> httpx.Response:
        """Past httpx's client, whose redirects, cookies and event hooks cost more than the rest of a step."""
        request = httpx.Request("POST", self._url, headers=self._headers, content=body, extensions=self._timeout)
        return await self._pool().handle_async_request(request)

    def _pool(self) -> AiohttpTransport:
        loop = asyncio.get_running_loop()
        if (pool := self._pools.get(loop)) is None:
            pool = self._pools[loop] = _transport(self._base)
        return pool

    async def _refused(self, response: httpx.Response, model: str) -> ModelError:
        body = b""
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > ERROR_BODY:
                break
        after = response.headers.get("retry-after", "")
        return failures.refused(self._endpoint, model, response.status_code, body, after, self._key)

    def _failure(self, error: Exception) -> ModelError:
        cause = error.__cause__ if isinstance(error, httpx.HTTPError) and error.__cause__ else error
        if isinstance(cause, aiohttp.ConnectionTimeoutError):
            return failures.unreachable(self._endpoint, self.place, f"no connection within {CONNECT:g} seconds")
        if isinstance(cause, (aiohttp.ServerTimeoutError, httpx.TimeoutException)):
            return failures.silent(self._endpoint, self._silence)
        if isinstance(cause, aiohttp.ClientConnectorCertificateError | ssl.SSLError):
            return failures.unreachable(self._endpoint, self.place, "its certificate is not trusted")
        if isinstance(cause, aiohttp.ClientConnectorError):
            return failures.unreachable(self._endpoint, self.place, _reason(cause.os_error))
        if isinstance(cause, aiohttp.InvalidURL | httpx.UnsupportedProtocol):
            return failures.no_answer(self._endpoint, self.place)
        return failures.cut(self._endpoint)

    @property
    def place(self) -> str:
        """Where the server is, without a password that the URL may hold."""
        return str(self._base.copy_with(username=None, password=None, query=None))


def _url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigError(f"{text!r} is no base URL: write it like http://localhost:8000/v1.")
    return url


def _reason(error: OSError) -> str:
    """The system's own words; asyncio puts an address in their place."""
    number = error.errno or 0
    return (os.strerror(number) if number > 0 else error.strerror or "no connection").lower()


def _transport(base: httpx.URL) -> AiohttpTransport:
    proxy = _proxy(base)
    context = httpx.create_ssl_context() if base.scheme == "https" else False

    def session() -> aiohttp.ClientSession:
        # The limit is the caller's to set (a model wrapper); aiohttp's own would be 100 connections.
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context or True, limit=0))

    return AiohttpTransport(verify=context, proxy=httpx.Proxy(proxy) if proxy else None, client=session)


def _proxy(base: httpx.URL) -> str:
    """The proxy that the environment names for this server, "" for none."""
    if urllib.request.proxy_bypass(base.host):
        return ""
    return urllib.request.getproxies().get(base.scheme, "")
