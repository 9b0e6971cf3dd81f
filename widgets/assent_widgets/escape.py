"""Words from an agent, a model, a tool or data, made safe to show: nothing in them is markup, nothing is hidden."""

import html
import json
import re

_ANSI = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC: window titles, links
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movements
    r"|\x1b[ -/]*[0-Z\\^_`a-z]"  # two-sign sequences
)
# Signs that change how text reads without being seen: controls, direction marks, lone surrogates, blank letters and
# all else that Unicode lets a font ignore. Joiners and emoji selectors belong to writing, but not after ASCII (where
# only a keycap needs one) nor in rows, in which they could spell a message of their own.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    "|(?<![^\x00-\x7f\u200c\u200d])[\u200c\u200d]"
    "|(?<![^\x00-\x7f\u200c\u200d\ufe0e\ufe0f])[\ufe0e\ufe0f](?!\u20e3)"
)


def reveal(text: str) -> str:
    """`text` with line ends as `\\n` and every hidden sign written out as ⟨U+202E⟩."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _HIDDEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", lines)


def hides(text: str) -> bool:
    """Whether `text` holds signs that a reader would not see."""
    return _HIDDEN.search(text.replace("\r\n", "\n").replace("\r", "\n")) is not None


def visible(text: str) -> str:
    """JSON in which hidden signs are written as its own escapes."""
    return "".join([json.dumps(sign)[1:-1] if sign != "\n" and hides(sign) else sign for sign in text])


def clean(text: str) -> str:
    """Output of a program as plain text: no terminal escapes, hidden signs written out."""
    return reveal(_ANSI.sub("", text))


def escape(text: str) -> str:
    """`clean` text as HTML."""
    return html.escape(clean(text))


def clip(text: str, limit: int = 4000) -> str:
    """At most about `limit` signs of `text`: its beginning, what is left out, its end."""
    if len(text) <= limit:
        return text
    head, tail = limit * 2 // 3, limit // 3
    return f"{text[:head]}\n… {len(text) - head - tail:,} characters left out …\n{text[-tail:]}"


def plural(count: int, noun: str) -> str:
    """`1 row`, `1,234 rows`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
