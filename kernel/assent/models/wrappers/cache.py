"""Giving an answer again to the very same request, from files in the workspace."""

import contextlib
import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from assent.core.canonical import canonical, digest
from assent.core.events import Kind
from assent.core.messages import Message, Reasoning, Text, ToolCall, from_json, to_json
from assent.core.model import (
    Answer,
    CallDelta,
    Delta,
    Model,
    Notice,
    ReasoningDelta,
    Request,
    TextDelta,
    ToolSpec,
    Usage,
)
from assent.core.secrets import hide
from assent.models.prices import cost
from assent.models.wrappers.wrapped import Stream, Wrapped, asked

FREE = Usage(0, 0, 0, 0, Decimal(0), 0)
_SLOT = "digest"  # where a message keeps its digest
_OURS = re.compile(r"[a-z2-9]{10}\.(\d+)")  # core.ids.call_id: a new run counts the same calls under another name


def cache(
    model: Model, folder: Path, seconds: float, *, place: str = "", clock: Callable[[], float] = time.time
) -> Wrapped:
    """`model`, whose answers are kept in `folder` and given again to the very same request for `seconds`.

    The same is: the model's name and `place`, messages, tools and settings of the answer; not who asks, so all who
    share the workspace share the answers, and nobody else does. Only what this model itself ended properly is kept.
    A given answer has no tokens and costs nothing. A file that is damaged, or a folder that cannot be written, is as
    good as none. `folder` may be removed at any time. `place` is where the model answers, `clock` gives seconds since
    the epoch.
    """
    latest: tuple[tuple[ToolSpec, ...], str] = ((), digest([]))

    def key(request: Request) -> str:
        nonlocal latest
        tools = tuple(request.tools)
        seen = latest
        if seen[0] != tools:
            seen = latest = (tools, _digest_of_tools(tools))
        return _key(request, [model.name, place, seen[1]])

    async def stream(request: Request) -> Stream:
        name = key(request)
        path = folder / name[:2] / f"{name[2:]}.json"
        if kept := _read(path, clock() - seconds, model.name):
            for item in kept:
                yield item
            return
        async with asked(model, request) as items:
            async for item in items:
                if type(item) is Answer and item.stop in ("stop", "calls") and not item.by:
                    _write(path, _kept(item, model.name, clock()))
                yield item

    return Wrapped(model.name, stream, (model,))


def _key(request: Request, asked_of: list[str]) -> str:
    """sha256 of all that may make a difference to an answer; each message is written down once, whoever asks."""
    output = request.output
    settings = [
        asked_of, request.tool_choice, request.temperature, request.max_tokens, request.effort,
        None if output is None else [output.name, output.schema],
    ]  # fmt: skip
    total = hashlib.sha256(digest(settings).encode())
    for message in request.messages:
        total.update(message.encoded.get(_SLOT) or _digest_of(message))
    return total.hexdigest()


def _digest_of(message: Message) -> bytes:
    value = to_json(message)
    for part in value["parts"]:
        if "id" in part:
            part["id"] = _same_in_every_run(part["id"])
    kept = message.encoded[_SLOT] = hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).digest()
    return kept


def _same_in_every_run(call: str) -> str:
    ours = _OURS.fullmatch(call)
    return ours[1] if ours else call


def _digest_of_tools(tools: Sequence[ToolSpec]) -> str:
    return digest([[tool.name, tool.description, tool.schema] for tool in tools])


# A file: the answer, when it was given, and a digest of both, which tells a damaged or foreign file.


def _kept(answer: Answer, name: str, at: float) -> dict[str, Any]:
    price = cost(name, answer.usage)
    return {
        "at": at, "message": to_json(answer.message), "stop": answer.stop, "model": answer.model,
        "cost": None if price is None else str(price),
    }  # fmt: skip


def _write(path: Path, kept: dict[str, Any]) -> None:
    text = canonical({"kept": kept, "digest": digest(kept)})
    if hide(text) != text:
        return  # the answer repeats a key, which belongs in no file
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode("utf-8", "surrogatepass"))
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise


def _read(path: Path, oldest: float, name: str) -> list[Delta | Answer]:
    """What a stream gives for a file: nothing if it is missing, too old, damaged or somebody else's."""
    try:
        value = json.loads(path.read_bytes().decode("utf-8", "surrogatepass"))
        kept = value["kept"]
        fits = digest(kept) == value["digest"] and kept["at"] > oldest and _is_answer(kept)
        return list(_replayed(kept, name)) if fits else []
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError):
        return []


def _is_answer(kept: Mapping[str, Any]) -> bool:
    texts = [kept["model"], kept["cost"] or ""]
    fits = kept["stop"] in ("stop", "calls") and all(isinstance(text, str) for text in texts)
    return fits and sayable(from_json(kept["message"]))


def sayable(message: Message) -> bool:
    """Whether a message that was read from a file is what a model may say: the file can come from somebody else."""
    texts: list[Any] = []
    for part in message.parts:
        if not isinstance(part, Text | Reasoning | ToolCall):
            return False
        texts += [part.id, part.name, part.arguments] if isinstance(part, ToolCall) else [part.text]
        if not all(isinstance(own, dict) for own in (part.extra or {}).values()):
            return False
    return message.role == "assistant" and all(isinstance(text, str) for text in texts)


def _replayed(kept: Mapping[str, Any], name: str) -> Iterator[Delta | Answer]:
    details = {} if kept["cost"] is None else {"saved": kept["cost"]}
    since = time.strftime("%Y-%m-%d %H:%M", time.localtime(kept["at"]))
    yield Notice(Kind.MODEL_CACHED, name, f"The same was asked at {since}.", details=details)
    message = from_json(kept["message"])
    yield from spoken(message)
    yield Answer(message, FREE, kept["stop"], kept["model"])


def spoken(message: Message) -> Iterator[Delta]:
    """The deltas of an answer that is there already, each part in one."""
    calls = 0
    for part in message.parts:
        if isinstance(part, Text):
            yield TextDelta(part.text)
        elif isinstance(part, Reasoning) and part.text:
            yield ReasoningDelta(part.text)
        elif isinstance(part, ToolCall):
            yield CallDelta(calls, part.name, part.arguments)
            calls += 1
