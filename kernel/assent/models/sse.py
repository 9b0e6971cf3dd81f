"""Server-sent events: bytes in pieces of any size, whole payloads out."""


def split(buffer: bytes) -> tuple[list[bytes], bytes]:
    """The payloads of the complete events in `buffer`, and the rest that waits for more bytes.

    An event ends at an empty line; its `data` lines are joined by a newline. Comments and other fields are dropped.
    """
    payloads: list[bytes] = []
    data: list[bytes] = []
    done = at = 0
    for line in _complete(buffer):
        at += len(line)
        content = line.rstrip(b"\r\n")
        if content.startswith(b"data:"):
            data.append(content[5:].removeprefix(b" "))
        elif not content:
            if data:
                payloads.append(b"\n".join(data))
                data = []
            done = at
    return payloads, buffer[done:]


def rest(buffer: bytes) -> list[bytes]:
    """The payloads in what `split` left at the end of a stream: senders forget the last empty line."""
    return split(buffer + b"\n\n")[0] if buffer.strip() else []


def _complete(buffer: bytes) -> list[bytes]:
    """The lines that have ended. A CR at the very end has not: an LF may belong to it."""
    lines = buffer.splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        lines.pop()
    return lines
