"""A fake OpenAI-compatible server on loopback, in a process of its own: `python -m bench.server`.

The model `steps-N` calls the tool until the conversation has N assistant messages, then answers, so that the server
keeps no state.
"""

import asyncio
import contextlib
import functools
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from bench.process import ROOT
from bench.task import ANSWER, ARGUMENTS, TOOL

USAGE = {"prompt_tokens": 120, "completion_tokens": 20}


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """The base URL of a started server."""
    command = [sys.executable, "-m", "bench.server"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        process.terminate()


async def main() -> None:
    server = await asyncio.start_server(_connection, "127.0.0.1", 0, limit=2**22)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)  # whoever started the server is gone once its end is read


async def _connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            writer.write(_reply(json.loads(await reader.readexactly(length))))
            await writer.drain()
    writer.close()


def _reply(request: dict[str, Any]) -> bytes:
    said = sum([message["role"] == "assistant" for message in request["messages"]])
    return _made(said, said < int(request["model"].removeprefix("steps-")), bool(request.get("stream")))


@functools.cache
def _made(said: int, calls: bool, streamed: bool) -> bytes:
    if streamed:
        return _streamed(_call_deltas(f"c{said}") if calls else [{"content": ANSWER}], calls)
    message: dict[str, Any] = {"role": "assistant", "content": None if calls else ANSWER}
    if calls:
        message["tool_calls"] = [
            {"id": f"c{said}", "type": "function", "function": {"name": TOOL, "arguments": ARGUMENTS}}
        ]
    body = json.dumps({"choices": [{"index": 0, "message": message}], "usage": USAGE}).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


def _streamed(deltas: list[dict[str, Any]], calls: bool) -> bytes:
    finish = "tool_calls" if calls else "stop"
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    chunks: list[dict[str, Any]] = [{"choices": [choice]} for choice in choices]
    chunks += [{"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}, {"choices": [], "usage": USAGE}]
    body = b"".join([b"data: %s\n\n" % json.dumps(chunk).encode() for chunk in chunks]) + b"data: [DONE]\n\n"
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


def _call_deltas(name: str) -> list[dict[str, Any]]:
    first = {"index": 0, "id": name, "type": "function", "function": {"name": TOOL, "arguments": ""}}
    pieces = [ARGUMENTS[at : at + 10] for at in range(0, len(ARGUMENTS), 10)]
    return [
        {"tool_calls": [first]},
        *({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in pieces),
    ]


if __name__ == "__main__":
    asyncio.run(main())
