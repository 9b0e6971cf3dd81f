"""What a model writes in the JSON dialect, read while it is being written."""

import json
import re
from dataclasses import dataclass

from assent.core.messages import Message, Text, ToolCall, assistant
from assent.core.model import CallDelta, Delta, TextDelta

_ANSWER = re.compile(r'\s*\{\s*"answer"\s*:\s*"')
_OBJECT = re.compile(r'\s*\{\s*"answer"\s*:\s*(?=\{)')
_CALL = re.compile(r'\s*\{\s*"tool"\s*:\s*"([^"\\]*)"\s*,\s*"arguments"\s*:\s*')
_WHOLE = re.compile(r'(?:[^"\\]|\\u[0-9a-fA-F]{4}|\\[^u])*')  # signs of a JSON string, no half escape at its end
_HALF_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\Z")
_DECODER = json.JSONDecoder(strict=False)


@dataclass(slots=True)
class Written:
    """The text so far and how far into it the deltas have come."""

    text: str = ""
    at: int = 0


def advance(written: Written, piece: str) -> list[Delta]:
    """Take in more of the text; what of the answer or the call is new."""
    written.text += piece
    if start := _ANSWER.match(written.text):
        return _more_answer(written, start.end())
    if start := _CALL.match(written.text):
        return _more_call(written, start.end(), start[1])
    if start := _OBJECT.match(written.text):
        body = _more_object(written, start.end())
        return [TextDelta(body)] if body else []
    return []


def finish(written: Written, call_id: str) -> Message:
    """The message that the text is: an answer, text or object, a call (complete or cut off), or else the bare text."""
    if start := _ANSWER.match(written.text):
        body = _WHOLE.match(written.text, start.end())
        return assistant(Text(_unescaped(body[0] if body else "")))
    if start := _CALL.match(written.text):
        return assistant(ToolCall(call_id, start[1], _object(written.text, start.end())))
    if start := _OBJECT.match(written.text):
        return assistant(Text(_object(written.text, start.end())))
    return assistant(Text(written.text))


def _more_answer(written: Written, start: int) -> list[Delta]:
    at = max(written.at, start)
    found = _WHOLE.match(written.text, at)
    body = _HALF_PAIR.sub("", found[0] if found else "")
    written.at = at + len(body)
    return [TextDelta(_unescaped(body))] if body else []


def _more_call(written: Written, start: int, name: str) -> list[Delta]:
    first = written.at == 0
    body = _more_object(written, start)
    return [CallDelta(0, name if first else "", body)] if body or first else []


def _more_object(written: Written, start: int) -> str:
    """An object's text as it grows; closing braces wait, since the last one ends what it stands in, not itself."""
    at = max(written.at, start)
    end = max(at, len(written.text.rstrip(" \n\t}")))
    written.at = end
    return written.text[at:end]


def _object(text: str, start: int) -> str:
    try:
        _, end = _DECODER.raw_decode(text, start)
    except ValueError:
        return text[start:]
    return text[start:end]


def _unescaped(body: str) -> str:
    decoded = str(_DECODER.decode(f'"{body}"'))
    return decoded.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
