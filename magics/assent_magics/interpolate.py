"""`{name}` in a prompt becomes a short account of that variable; every other brace stays as it is."""

import re
from collections.abc import Mapping
from typing import Any

from assent.tools.preview import is_frame, preview

# Not glued to what stands before: \frac{x}, {{x}} and f{x} are LaTeX, a template or a call, and stay.
_NAME = re.compile(r"(?<![\w\\}{^_$])\{([^\W\d]\w*)\}(?!\})")


def interpolate(prompt: str, namespace: Mapping[str, Any]) -> str:
    """`prompt` with the variables it names told by schema and sample, or by a short repr."""

    def told(match: re.Match[str]) -> str:
        name = match[1]
        if name not in namespace:
            return match[0]
        value = namespace[name]
        return f"`{name}`\n({name}: {preview(value)})\n" if is_frame(value) else preview(value)

    return _NAME.sub(told, prompt)


def fill(line: str, namespace: Mapping[str, Any]) -> str:
    """A command's line with `{name}` replaced where the variable is a text: `%agent resume {run}`."""

    def text(match: re.Match[str]) -> str:
        value = namespace.get(match[1])
        return value if isinstance(value, str) else match[0]

    return _NAME.sub(text, line)
