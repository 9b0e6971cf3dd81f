"""The text of a file's bytes: UTF-8, UTF-16, UTF-32, Latin-1 (as Windows has it), or UTF-8 with some of that in it."""

import codecs
import re

from assent.core.errors import Unreadable

_MARKS = {  # the longer first: UTF-32's begins as UTF-16's
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_SAMPLE = 1 << 16  # bytes by which UTF-16 without a mark is known
_NO_UTF8 = re.compile("[\udc80-\udcff]")  # as which `surrogateescape` passes a byte on
_CONTROLS = re.compile("[\x00-\x07\x0e-\x1a\x1c-\x1f\ufffe\uffff]")
_FEW = 8  # of them say nothing yet
_LATIN = [bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256)]


def decoded(name: str, data: bytes) -> str:
    """The text, its lines ended by a line feed each. `Unreadable` where the bytes are none."""
    encoding = next((known for mark, known in _MARKS.items() if data.startswith(mark)), None) or _wide(data)
    if encoding is None or encoding == "utf-8-sig":
        text = data.decode(encoding or "utf-8", "surrogateescape")
        odd = len(text) - len(data.decode(encoding or "utf-8", "ignore"))
        readable = odd <= _allowed(text, 3)
        text = _NO_UTF8.sub(lambda byte: _LATIN[ord(byte[0]) - 0xDC00], text) if readable and odd else text
    else:
        text = data.decode(encoding, "replace")
        readable = text.count("\ufffd") <= _allowed(text, 100)
    if not readable or len(_CONTROLS.findall(text)) > _allowed(text, 20):
        raise Unreadable(
            f"{name} is not text in UTF-8, UTF-16 or Latin-1: leave it out, or save it as UTF-8 if it is text."
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _allowed(text: str, share: int) -> int:
    return _FEW + len(text) // share


def _wide(data: bytes) -> str | None:
    """UTF-16 whose mark is missing: every other byte of it is zero, as far as it is written in Latin letters."""
    half = min(len(data), _SAMPLE) // 2
    even, odd = (data[at:_SAMPLE:2].count(0) for at in (0, 1))
    if half < 2 or abs(even - odd) < half * 0.6:
        return None
    return "utf-16-be" if even > odd else "utf-16-le"
