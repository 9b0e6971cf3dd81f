"""A chat-completions server on loopback that answers what a test tells it to."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reply:
    """One answer: its body in pieces, each sent on its own.

    `cut` closes the connection without an end; `hold` waits before the last piece until the event is set or the
    client goes away.
    """

    pieces: Sequence[bytes] = ()
    status: int = 200
    content_type: str = "text/event-stream"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    hold: threading.Event | None = None


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


Script = Callable[[Received], Reply] | Iterable[Reply]


class ChatServer:
    """Answers requests by its script, in a thread of its own. `left` is set once a held client has gone."""

    def __init__(self, script: Script) -> None:
        replies = iter(()) if callable(script) else iter(script)
        self._reply = script if callable(script) else lambda received: next(replies)
        self.requests: list[Received] = []
        self.left = threading.Event()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._main())

    async def _main(self) -> None:
        self._stopping = asyncio.Event()
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopping.wait()
        server.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
        received = Received(head[0].split()[1], headers, raw)
        self.requests.append(received)
        reply = self._reply(received)
        fields = {"Content-Type": reply.content_type, "Transfer-Encoding": "chunked"} | reply.headers
        lines = [f"HTTP/1.1 {reply.status} Scripted", *(f"{name}: {value}" for name, value in fields.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        for number, piece in enumerate(reply.pieces):
            if reply.hold and number == len(reply.pieces) - 1 and not await self._held(reply.hold, reader):
                return False
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
            await asyncio.sleep(0)
        if reply.cut:
            return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _held(self, hold: threading.Event, reader: asyncio.StreamReader) -> bool:
        """Wait for `hold`; False if the client went away first."""
        gone = asyncio.ensure_future(reader.read(1))
        released = asyncio.ensure_future(asyncio.to_thread(hold.wait, 15))
        try:
            await asyncio.wait([gone, released], return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                self.left.set()
            return not gone.done()
        finally:  # cancelled or not, the thread that waits must not outlive the server
            hold.set()
            gone.cancel()


@contextmanager
def chat_server(script: Script) -> Iterator[ChatServer]:
    """A started server, stopped at the end of the block."""
    server = ChatServer(script)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def event(value: Any) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **fields: Any) -> bytes:
    """One chunk of a chat stream, as an event."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return event({"id": "x", "object": "chat.completion.chunk", "model": "test-1", "choices": choices} | fields)


def says(text: str, usage: tuple[int, int] = (7, 3)) -> Reply:
    """An answer of plain text, streamed in a few pieces."""
    words = [chunk({"content": text[at : at + 9]}) for at in range(0, len(text), 9)]
    tokens = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
    return Reply([*words, chunk({}, "stop"), chunk(usage=tokens), DONE])


def lists(*names: str) -> Reply:
    """The list of the models that a server has."""
    body = json.dumps({"object": "list", "data": [{"id": name} for name in names]}).encode()
    return Reply([body], content_type="application/json")


def calls(*wanted: tuple[str, str]) -> Reply:
    """An answer that proposes calls: names and the JSON text of their arguments."""
    pieces = []
    for index, (name, arguments) in enumerate(wanted):
        half = len(arguments) // 2
        head = {"index": index, "id": f"c{index}", "type": "function", "function": {"name": name, "arguments": ""}}
        pieces.append(chunk({"tool_calls": [head]}))
        for part in (arguments[:half], arguments[half:]):
            pieces.append(chunk({"tool_calls": [{"index": index, "function": {"arguments": part}}]}))
    return Reply([*pieces, chunk({}, "tool_calls"), DONE])
