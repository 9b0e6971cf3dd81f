"""Connections to one model server: a POST out, bytes of the answer in. What they mean is a wire format's business."""

import asyncio
import contextlib
import os
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import aiohttp
import httpx

from assent.core.errors import ConfigError, ModelError
from assent.core.secrets import hide
from assent.models import failures
from assent.models.alarm import Alarm
from assent.models.endpoints import Endpoint
from assent.models.pool import Pool, join, leave

CONNECT = 10.0  # seconds
SILENCE = 300.0  # seconds without a byte; a model may think for minutes before its first word
PATIENCE = 3  # times that long: with signs of life, but without more of the answer
ENDING = 10.0  # seconds that what belongs to a complete answer (its tokens) may come after it
LAST = 0.1  # seconds that the end of a body may come after the end of the answer in it; some servers never end it
ERROR_BODY = 64 * 1024  # bytes read of an answer that tells of a failure
ERROR_WAIT = 5.0  # seconds that it may take
LARGEST = 256_000_000  # bytes of one answer; each word of a streamed one comes in some 300 bytes of JSON
PIECE = 2**18  # bytes of a body sent at once: the loop is let go in between, and aiohttp warns of more than 2**20
CODINGS = ("gzip", "deflate")  # what every httpx can undo; by itself aiohttp would ask for more

_FAULTS = (httpx.HTTPError, aiohttp.ClientError, OSError)


@dataclass(slots=True)
class Watch:
    """When the answer last went on, by `time.monotonic`, and how many seconds it may stand still from then.

    Whoever reads it sets both; bytes alone change nothing.
    """

    patience: float = PATIENCE * SILENCE
    moved: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with status 200, its body still to come."""

    content_type: str
    chunks: AsyncIterator[bytes]
    watch: Watch = field(default_factory=Watch)


async def drain(reply: Reply) -> None:
    """Read what follows a complete answer, so that its connection can be used again; nothing in it matters."""
    reply.watch.patience, reply.watch.moved = LAST, time.monotonic()
    with contextlib.suppress(ModelError, *_FAULTS):
        async for _ in reply.chunks:
            pass


class Connections:
    """Who asks what of one origin, over the pool that all who ask there from the same event loop share.

    `path` is what is asked below `base_url`; `headers` say who asks, "" for the key where the server wants none;
    `silence` is in seconds.
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
        self._timeout = {"timeout": {"connect": CONNECT, "read": None, "write": None, "pool": None}}
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, Pool] = WeakKeyDictionary()
        if not key.isprintable() or not key.isascii():
            raise failures.bad_key(endpoint)
        common = {"content-type": "application/json", "accept": "text/event-stream", "user-agent": "assent"}
        named = httpx.Headers({**common, "accept-encoding": ", ".join(CODINGS), **headers})
        self._headers: Callable[[], httpx.Headers] = lambda: named  # whose repr would show a key
        url = httpx.URL(f"{str(self._base).rstrip('/')}{path}")
        # A name and password in the URL stand in for the key; both at once cannot be sent.
        self._url = url.copy_with(username=None, password=None) if key else url

    @asynccontextmanager
    async def post(self, body: bytes, model: str) -> AsyncIterator[Reply]:
        """Send `body`; the reply's chunks come until the block ends. Every failure is a `ModelError`."""
        began, alarm = False, Alarm()
        try:
            pool = self._pools.get(asyncio.get_running_loop()) or await self._pool()
            response = await alarm.wait(self._answered(pool, body), self._silence)
            began = True
            try:
                if response.status_code != 200:
                    raise await self._refused(response, model)
                coding = response.headers.get("content-encoding", "identity")
                if coding not in (*CODINGS, "identity"):
                    raise failures.garbled(self._endpoint, f"in the encoding {coding[:20]!r}, which was not asked for")
                plain: Any = response.stream  # past httpx's decoders where there is nothing to undo
                source = aiter(plain) if coding == "identity" else response.aiter_bytes()
                watch = Watch(PATIENCE * self._silence)
                yield Reply(response.headers.get("content-type", ""), self._chunks(source, alarm, watch), watch)
            finally:
                await response.aclose()
        except _FAULTS as error:
            raise self._failure(error, began) from error
        finally:
            alarm.stop()

    async def aclose(self) -> None:
        """Let go of this event loop's connections, and of those whose loop is closed."""
        here = asyncio.get_running_loop()
        for loop in [loop for loop in self._pools if loop is here or loop.is_closed()]:
            await leave(self._pools.pop(loop), self)

    async def _answered(self, pool: Pool, body: bytes) -> httpx.Response:
        """The response to `body` as soon as its head is there.

        A server may close an idle connection at the moment, or long before the moment, at which an event loop that was
        busy with other things uses it again: what was not answered at all is sent once more.
        """
        try:
            response = await self._send(pool, body)
        except _FAULTS as error:
            if not (pool.answered and self in pool.users and _hung_up(_cause(error))):
                raise
            response = await self._send(pool, body)
        pool.answered = True
        return response

    async def _send(self, pool: Pool, body: bytes) -> httpx.Response:
        """Past httpx's client, whose redirects, cookies and event hooks cost more than the rest of a step."""
        headers = self._headers()
        if len(body) <= PIECE:
            stream = httpx.ByteStream(body)  # given so, httpx does not look at it; aiohttp tells its length
            request = httpx.Request("POST", self._url, headers=headers, stream=stream, extensions=self._timeout)
            request.read()
        else:
            named = {**headers, "content-length": str(len(body))}
            content = _pieces(body)
            request = httpx.Request("POST", self._url, headers=named, content=content, extensions=self._timeout)
        response = await pool.transport.handle_async_request(request)
        response.headers.encoding = "iso-8859-1"  # or httpx tries others on each of them first
        return response

    async def _pool(self) -> Pool:
        """The pool of an event loop that asks for the first time. The connections of loops that ended are let go."""
        for loop in [loop for loop in self._pools if loop.is_closed()]:
            await leave(self._pools.pop(loop), self)
        try:
            pool = self._pools[asyncio.get_running_loop()] = join(self._base, self)
        except (httpx.InvalidURL, ValueError):  # their words may be a part of its password
            reason = "its proxy in the environment is no URL"
            raise failures.unreachable(self._endpoint, self.place, reason, passes=False) from None
        return pool

    async def _chunks(self, source: AsyncIterator[bytes], alarm: Alarm, watch: Watch) -> AsyncIterator[bytes]:
        size = 0
        while size <= LARGEST:
            left = watch.moved + watch.patience - time.monotonic()
            try:
                # aiohttp's own timeout is lost where it stumbles over the framing of a body: it would wait for ever.
                chunk = await alarm.wait(anext(source), min(self._silence, left))
            except StopAsyncIteration:
                return
            except TimeoutError:
                if left < self._silence:
                    raise failures.stalled(self._endpoint, watch.patience) from None
                raise
            yield chunk
            size += len(chunk)
        raise failures.too_large(self._endpoint, LARGEST)

    async def _refused(self, response: httpx.Response, model: str) -> ModelError:
        """The error for a status; its words are read as far as they come."""
        body = b""
        with contextlib.suppress(TimeoutError, *_FAULTS):
            async with asyncio.timeout(ERROR_WAIT):
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > ERROR_BODY:
                        break
        return failures.refused(self._endpoint, model, response.status_code, body, response.headers, self._key)

    def _failure(self, error: Exception, began: bool) -> ModelError:
        cause, endpoint = _cause(error), self._endpoint
        if isinstance(error, httpx.DecodingError):
            return failures.garbled(endpoint, "its compression cannot be undone")
        if isinstance(cause, aiohttp.ConnectionTimeoutError):
            return failures.unreachable(endpoint, self.place, f"no connection within {CONNECT:g} seconds")
        if isinstance(cause, TimeoutError):
            return failures.silent(endpoint, self._silence)
        if isinstance(cause, aiohttp.ClientConnectorCertificateError):
            return failures.unreachable(endpoint, self.place, "its certificate is not trusted", passes=False)
        if isinstance(cause, aiohttp.ClientSSLError | ssl.SSLError):
            reason = "it does not speak TLS, should its URL begin with http?"
            return failures.unreachable(endpoint, self.place, reason, passes=False)
        if isinstance(cause, aiohttp.ClientProxyConnectionError):
            return failures.unreachable(endpoint, self.place, f"its proxy: {_reason(cause.os_error)}")
        if isinstance(cause, aiohttp.ClientHttpProxyError):
            return failures.unreachable(endpoint, self.place, f"its proxy answers HTTP {cause.status}")
        if isinstance(cause, aiohttp.ClientConnectorError):
            return failures.unreachable(endpoint, self.place, _reason(cause.os_error))
        if began:
            return failures.cut(endpoint)
        if isinstance(cause, aiohttp.InvalidURL | httpx.UnsupportedProtocol | aiohttp.ClientResponseError):
            return failures.no_answer(endpoint, self.place)
        return failures.hung_up(endpoint)

    @property
    def place(self) -> str:
        """Where the server is, without a password that the URL may hold."""
        return str(self._base.copy_with(username=None, password=None, query=None))


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(body), PIECE):
        yield body[at : at + PIECE]


def _hung_up(cause: BaseException) -> bool:
    """Whether a connection was there and ended."""
    lost = isinstance(cause, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError | ConnectionError)
    return lost and not isinstance(cause, aiohttp.ClientConnectorError)


def _cause(error: Exception) -> BaseException:
    """What aiohttp raised, under what httpx calls it."""
    return error.__cause__ if isinstance(error, httpx.HTTPError) and error.__cause__ else error


def _url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigError(f"{hide(text)!r} is no base URL: write it like http://localhost:8000/v1.")
    return url


def _reason(error: OSError) -> str:
    """The system's own words; asyncio puts an address in their place."""
    number = error.errno or 0
    return (os.strerror(number) if number > 0 else error.strerror or "no connection").lower()
