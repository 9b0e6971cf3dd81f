"""Saying what leaves before it does: of each attempt to ask a model, which is masked where rules want it."""

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address
from urllib.parse import urlsplit

from assent.core.messages import Message, Part, Text, ToolCall
from assent.core.model import Answer, CallDelta, Delta, Destination, Model, Request, Sent, TextDelta
from assent.models.endpoints import CUSTOM, find
from assent.models.masking.unbroken import Unbroken
from assent.models.wrappers.wrapped import Stream, Wrapped, asked

_INSIDE = frozenset({"local", "scripted"})  # providers that answer in this process


def outward(model: Model) -> Wrapped:
    """`model`, each of whose requests goes through its `loading`, right before it is sent.

    The innermost wrapper: so every attempt tells of itself, and a fallback is its own destination.
    """
    to = destination(model)

    def stream(request: Request) -> Stream:
        if request.loading is None:
            return model.stream(request)
        sent = request.loading(request, to)
        return _restoring(model, sent) if sent.restores else model.stream(sent.request)

    return Wrapped(model.name, stream, (model,))


async def _restoring(model: Model, sent: Sent) -> Stream:
    held: dict[int, Unbroken] = {}
    names: dict[int, str] = {}
    async with asked(model, sent.request) as items:
        async for item in items:
            if type(item) is Answer:
                for late in _late(held, names, sent):
                    yield late
                item = replace(item, message=_restored(item.message, sent))
            yield _shown(item, held, names, sent)


def destination(model: Model) -> Destination:
    """Where a model answers. What does not say so is not on this machine; nor is a vendor's row, wherever it answers,
    or a model that Ollama passes on to its cloud.
    """
    provider = model.name.partition(":")[0]
    if provider in _INSIDE:
        return Destination(model.name, "local", "", True)
    host = urlsplit(getattr(model, "place", "")).hostname or ""
    row = find(provider)
    own = provider == CUSTOM.name or (row is not None and row.own_machine)
    return Destination(model.name, provider, host, own and _is_here(host) and not model.name.endswith("cloud"))


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # a name, which may be anybody's
        return False


_TEXT = -1  # where the words of an answer are held back; calls by their number


def _shown(item: Delta | Answer, held: dict[int, Unbroken], names: dict[int, str], sent: Sent) -> Delta | Answer:
    """A delta with what may be put back of it; a placeholder that is not whole yet waits for the next."""
    if isinstance(item, TextDelta):
        return TextDelta(sent.restored(held.setdefault(_TEXT, Unbroken()).take(item.text), False))
    if isinstance(item, CallDelta):
        names[item.index] = item.name
        whole = held.setdefault(item.index, Unbroken()).take(item.arguments)
        return replace(item, arguments=sent.restored(whole, True))
    return item


def _late(held: Mapping[int, Unbroken], names: Mapping[int, str], sent: Sent) -> list[Delta]:
    """What was held back to the end."""
    late: list[Delta] = []
    for index, whole in held.items():
        if rest := whole.rest():
            late.append(TextDelta(rest) if index == _TEXT else CallDelta(index, names[index], rest))
    return late


def _restored(message: Message, sent: Sent) -> Message:
    """Its words and its calls' arguments; not its thinking, which its vendor wants back unchanged."""
    return replace(message, parts=tuple([_part(part, sent) for part in message.parts]), encoded={})


def _part(part: Part, sent: Sent) -> Part:
    if isinstance(part, Text):
        return replace(part, text=sent.restored(part.text, False))
    if isinstance(part, ToolCall):
        return replace(part, arguments=sent.restored(part.arguments, True))
    return part
