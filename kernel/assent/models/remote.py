"""A model behind HTTP: a wire format over connections, for whatever vendor the row of the table describes."""

import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from pydantic_core import from_json

from assent.core.errors import ModelError
from assent.core.model import Answer, Delta, Request, ToolSpec
from assent.core.secrets import alone, remember
from assent.models import failures, sse
from assent.models.endpoints import Endpoint, asked
from assent.models.http import ENDING, SILENCE, Connections, Reply, drain
from assent.models.wires import anthropic, chat, gemini, responses
from assent.models.wires.answer_form import formed
from assent.models.wires.draft import Draft, finish
from assent.models.wires.wire import Broken, Wire

WIRES: Mapping[str, Wire] = {
    "chat": chat.WIRE,
    "responses": responses.WIRE,
    "anthropic": anthropic.WIRE,
    "gemini": gemini.WIRE,
}
DONE = b"[DONE]"


class RemoteModel:
    """A model behind a server. Owns its connections: `aclose` when done."""

    def __init__(self, endpoint: Endpoint, model: str, base_url: str, key: str = "", silence: float = SILENCE) -> None:
        remember(key)
        self.name = f"{endpoint.name}:{model}"
        self._model = model
        self._endpoint = endpoint = asked(endpoint, model, base_url)
        self._key = key
        self._wire = WIRES[endpoint.wire]
        self._http = Connections(endpoint, base_url, self._wire.path(model), key, self._wire.headers(key), silence)
        self._tools: tuple[tuple[ToolSpec, ...], bytes] = ((), b"")

    async def stream(self, request: Request) -> AsyncIterator[Delta | Answer]:
        """Deltas, then the answer."""
        draft, heard, ended = Draft(), False, False
        if request.output is not None:
            request, draft.output = formed(request, request.output, self._endpoint.structured)
        try:
            async with self._http.post(self._body(request), self._model) as reply:
                async for payload in payloads(reply):
                    heard = True
                    if payload == DONE:
                        ended = True
                        continue
                    if deltas := self._absorbed(draft, payload):
                        for delta in deltas:
                            yield delta
                        reply.watch.moved = time.monotonic()  # the time that the reader took is not the server's
                    if draft.done:
                        await drain(reply)
                        break
                    if draft.stop and reply.watch.patience > ENDING:
                        reply.watch.patience, reply.watch.moved = ENDING, time.monotonic()
                self._conclude(draft, heard, ended, _whole(reply))
        except sse.TooLarge:
            raise failures.too_large(self._endpoint, sse.LARGEST) from None
        except ModelError as error:
            if not draft.stop:  # else only its tokens are unknown
                payload = b""  # some tracebacks show variables, and this may repeat the key
                raise alone(error) from None
        yield finish(draft, f"call_{len(request.messages)}", self._endpoint.name)

    @property
    def place(self) -> str:
        """Where the model answers."""
        return self._http.place

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _conclude(self, draft: Draft, heard: bool, ended: bool, whole: bool) -> None:
        """Why the draft ended, or a `ModelError` where it did not; `whole` is an answer that was not streamed."""
        if draft.pieces and ended:
            draft.stop = draft.stop or "stop"
        if draft.stop:
            return
        if not heard:
            raise failures.no_answer(self._endpoint, self._http.place)
        if ended or (whole and not draft.pieces):
            raise failures.empty(self._endpoint, self._http.place)
        raise failures.cut(self._endpoint)

    def _absorbed(self, draft: Draft, payload: bytes) -> list[Delta]:
        try:
            value = _parsed(payload)
        except (ValueError, RecursionError):
            raise failures.garbled(self._endpoint, "what came is no JSON") from None
        try:
            return list(self._wire.absorb(draft, value, self._endpoint))
        except Broken as broken:
            draft.stop = ""  # whatever it said before
            raise failures.reported(self._endpoint, broken.error, self._key) from None
        except (AttributeError, TypeError, LookupError, ValueError):  # JSON, but of another shape
            raise failures.no_answer(self._endpoint, self._http.place) from None

    def _body(self, request: Request) -> bytes:
        tools = tuple(request.tools)
        if tools != self._tools[0]:
            self._tools = (tools, self._wire.tools(tools) if tools else b"")
        return self._wire.encode(request, self._model, self._endpoint, self._tools[1])


def _parsed(payload: bytes) -> Any:
    try:
        return from_json(payload)  # five times as fast
    except ValueError:
        return json.loads(payload)  # takes what the other does not: half a surrogate pair, where a chunk ends in one


async def payloads(reply: Reply) -> AsyncIterator[bytes]:
    """The JSON texts in a reply, and `DONE`: one for each event, or one for all where the server did not stream.

    Raises `sse.TooLarge`.
    """
    if _whole(reply):
        yield await _all(reply.chunks)
    elif _kind(reply) != "text/html":
        tail = sse.Tail()
        async for chunk in reply.chunks:
            for payload in sse.split(chunk, tail):
                yield payload
                if payload == DONE:
                    await drain(reply)
                    return
        for payload in sse.rest(tail):
            yield payload


def _kind(reply: Reply) -> str:
    return reply.content_type.partition(";")[0].strip().lower()


def _whole(reply: Reply) -> bool:
    """Whether the server did not stream."""
    return _kind(reply) == "application/json"


async def _all(chunks: AsyncIterator[bytes]) -> bytes:
    pieces, size = [], 0
    async for chunk in chunks:
        pieces.append(chunk)
        size += len(chunk)
        if size > sse.LARGEST:
            raise sse.TooLarge
    return b"".join(pieces)
