"""Server-sent events: bytes in pieces of any size, whole payloads out.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from dataclasses import dataclass, field

BOM = b"\xef\xbb\xbf"
LARGEST = 64_000_000  # bytes of one event


class TooLarge(Exception):
    """An event is larger than `LARGEST`."""


@dataclass(slots=True)
class Tail:
    """What has come of an event that is not complete: its data lines, then the pieces of a line that has not ended.

    `cr` is a CR at the very end, which ends a line only once it is known that no LF belongs to it. `size` bytes, or
    fewer, wait here. `begun` says that a line has been read: a byte order mark may stand before the first.
    """

    data: list[bytes] = field(default_factory=list)
    line: list[bytes] = field(default_factory=list)
    cr: bytes = b""
    size: int = 0
    begun: bool = False


def split(chunk: bytes, tail: Tail) -> list[bytes]:
    """The payloads of the events that `chunk` completes; what is left waits in `tail`. Each byte is looked at once.

    An event ends at an empty line; its `data` lines are joined by a newline. Comments and other fields are dropped.
    Raises `TooLarge`.
    """
    chunk = tail.cr + chunk if tail.cr else chunk
    tail.cr = b"\r" if chunk.endswith(b"\r") else b""
    chunk = chunk[:-1] if tail.cr else chunk
    lines = chunk.splitlines()
    unended = b"" if chunk.endswith((b"\n", b"\r")) or not lines else lines.pop()
    if lines and tail.line:
        lines[0] = b"".join([*tail.line, lines[0]])
        tail.line.clear()
    if lines and not tail.begun:
        tail.begun, lines[0] = True, lines[0].removeprefix(BOM)
    if unended:
        tail.line.append(unended)
    payloads = _payloads(lines, tail)
    tail.size = len(chunk) + (0 if payloads else tail.size) if tail.line or tail.data else 0
    if tail.size > LARGEST:
        raise TooLarge
    return payloads


def rest(tail: Tail) -> list[bytes]:
    """The payloads in what `split` left at the end of a stream: senders forget the last empty line."""
    return split(b"\n\n", tail)


def _payloads(lines: list[bytes], tail: Tail) -> list[bytes]:
    payloads: list[bytes] = []
    for line in lines:
        if line.startswith(b"data:"):
            tail.data.append(line[6:] if line.startswith(b"data: ") else line[5:])
        elif not line and tail.data:
            if payload := b"\n".join(tail.data):
                payloads.append(payload)
            tail.data.clear()
    return payloads
