"""The embedded local model: llama.cpp in this process, weights by pinned hash.

An `Engine` is loaded once per process and file and serves every run, one request at a time. Its answers are held to
the JSON dialect (see `dialect`), so that a small model's tool calls are always well formed.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Any

from assent.core.errors import ModelError
from assent.core.messages import Image, Message, Text, assistant
from assent.core.model import Answer, Delta, Request, TextDelta, Usage
from assent.models.local import dialect, written
from assent.models.local.engine import CONTEXT, Chunk, Engine, engine
from assent.models.local.weights import Weights, cached

MAX_TOKENS = 700


class LocalModel:
    """A model of the `weights` table, answered in this process."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self.name = f"local:{weights.name}"

    async def stream(self, request: Request) -> AsyncIterator[Delta | Answer]:
        """Deltas, then the answer. Closing the stream stops the model within about a second."""
        if any(isinstance(part, Image) for message in request.messages for part in message.parts):
            raise ModelError(f"{self.name} cannot see pictures: ask without them, or choose a model that can see.")
        path = cached(self._weights)
        if path is None:
            raise ModelError(
                f"The weights of {self.name} ({self._weights.size / 1e9:.1f} GB) are not on this machine yet: "
                f"fetch them once with `assent fetch {self._weights.name}`, "
                "or choose another model: %agent models lists them."
            )
        loaded = await asyncio.to_thread(engine, path)
        form = dialect.schema(request)
        text, usage, stop = written.Written(), Usage(), ""
        async with aclosing(_chunks(loaded, _body(request, form))) as chunks:
            async for chunk in chunks:
                usage = _usage(chunk) or usage
                for choice in chunk.get("choices") or ():
                    stop = choice.get("finish_reason") or stop
                    for delta in _take(text, choice["delta"].get("content") or "", form is not None):
                        yield delta
        message = _message(text, request, form is not None)
        yield Answer(message, usage, _stop(stop, message), self.name)


def _take(text: written.Written, piece: str, formed: bool) -> list[Delta]:
    if formed:
        return written.advance(text, piece)
    text.text += piece
    return [TextDelta(piece)] if piece else []


def _message(text: written.Written, request: Request, formed: bool) -> Message:
    if formed:
        return written.finish(text, f"call_{len(request.messages)}")
    return assistant(Text(text.text))


def _stop(reason: str, message: Message) -> str:
    return "length" if reason == "length" else "calls" if message.calls else "stop"


def _body(request: Request, form: dict[str, Any] | None) -> Chunk:
    body: Chunk = {
        "messages": dialect.render(request),
        "temperature": dialect.temperature(request),
        "seed": len(request.messages),  # a retry draws otherwise than the call that failed
        "max_tokens": request.max_tokens or MAX_TOKENS,
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,  # a chunk for each batch of the prompt, so that its reading can be cancelled
    }
    if form is not None:
        body["response_format"] = {"type": "json_schema", "json_schema": {"schema": form}}
    return body


async def _chunks(loaded: Engine, body: Chunk) -> AsyncGenerator[Chunk]:
    """The engine's chunks, from a thread of its own; a daemon, so that no answer holds up the process's end."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Chunk | BaseException | None] = asyncio.Queue()
    stopped = threading.Event()

    def put(item: Chunk | BaseException | None) -> bool:
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            loop.call_soon_threadsafe(queue.put_nowait, item)
        return stopped.is_set()

    def ask() -> None:
        try:
            loaded.ask(body, put, stopped)
        except Exception as error:
            put(error)
        else:
            put(None)

    threading.Thread(target=ask, name="assent-local-model", daemon=True).start()
    try:
        while (item := await queue.get()) is not None:
            if isinstance(item, BaseException):
                raise _failure(str(item)) from item
            if "error" in item:
                raise _failure(str(item["error"].get("message", item["error"])))
            yield item
    finally:
        stopped.set()


def _failure(reason: str) -> ModelError:
    if "context" in reason:
        return ModelError(
            f"The conversation is longer than the local model's context of {CONTEXT} tokens: "
            "start a new run, show it less data, or use a larger model."
        )
    return ModelError(f"The local model failed: {reason}.")


def _usage(chunk: Chunk) -> Usage | None:
    if not (usage := chunk.get("usage")):
        return None
    details = usage.get("prompt_tokens_details") or {}
    return Usage(usage.get("prompt_tokens"), usage.get("completion_tokens"), details.get("cached_tokens"))
