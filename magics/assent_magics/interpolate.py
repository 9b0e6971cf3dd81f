"""`{name}` in a prompt tells the model that variable in short; every other brace stays as it is."""

import json
import os
import re
from collections.abc import Mapping
from numbers import Integral, Number
from typing import Any

from assent.core.cargo import Source
from assent.core.errors import ConfigError
from assent.tools.cells import columns_in
from assent.tools.held import tables
from assent.tools.preview import COLUMNS, ROWS, is_frame, preview

# Not glued to what stands before: \frac{x}, {{x}} and f{x} are LaTeX, a template or a call, and stay.
_NAME = re.compile(r"(?<![\w\\}{^_$])\{([^\W\d]\w*)\}(?!\})")


_SECRET = re.compile(r"(?:^|_)(?:api_?key|key|secret|token|password|passwd|credentials?)$", re.IGNORECASE)
_LENGTH = 12  # characters; shorter ones are words


def interpolate(prompt: str, namespace: Mapping[str, Any]) -> str:
    """`prompt` with the variables it names: a short repr in place, a DataFrame by name with its account at the end."""
    return interpolated(prompt, namespace)[0]


def interpolated(prompt: str, namespace: Mapping[str, Any]) -> tuple[str, tuple[Source, ...]]:
    """`interpolate`, and the sources of what it has put in."""
    frames: dict[str, Any] = {}
    sources: list[Source] = []

    def told(match: re.Match[str]) -> str:
        name = match[1]
        if name not in namespace:
            return match[0]
        value = namespace[name]
        if not is_frame(value):
            text = _harmless(name, value)
            sources.append(Source("variable", name, (name,), columns_in(text, tables(value)), bytes=_size(text)))
            return text
        frames[name] = value
        return f"`{name}`"

    text = _NAME.sub(told, prompt)  # the sentence stays whole: people read it in SQL, models in their context
    accounts = {name: f"{name}: {preview(value)}" for name, value in frames.items()}
    for name, value in frames.items():
        columns = tuple([str(column) for column in value.columns[:COLUMNS]])
        rows, size = min(len(value), ROWS), _size(accounts[name])
        sources.append(Source("variable", name, (name,), columns, rows, len(value), size))
    return "\n\n".join([text, *accounts.values()]), tuple(sources)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _harmless(name: str, value: Any) -> str:
    """The variable in short, unless a secret of the environment is in it, or its name says that it is one."""
    text = preview(value)
    secrets = [kept for key, kept in os.environ.items() if _SECRET.search(key) and len(kept) >= _LENGTH]
    named = isinstance(value, str) and _SECRET.search(name) and len(value) >= _LENGTH and not re.search(r"\s", value)
    if named or any(secret in text for secret in secrets):
        raise ConfigError(
            f"{{{name}}} seems to hold a secret, which the model would read and the journal would keep. "
            "Nothing was sent. Take it out of the question; if it is none, give the variable another name."
        )
    return text


def fill(line: str, namespace: Mapping[str, Any]) -> str:
    """A command's line with `{name}` replaced where the variable is a text: `%agent resume {run}`."""
    return filled(line, namespace)[0]


def filled(line: str, namespace: Mapping[str, Any]) -> tuple[str, list[str]]:
    """`fill`, and the names of the variables that it has put in."""
    names: list[str] = []

    def text(match: re.Match[str]) -> str:
        value = namespace.get(match[1])
        if not isinstance(value, str):
            return match[0]
        names.append(match[1])
        return value

    return _NAME.sub(text, line), names


def whole(text: str) -> str:
    """The name, where a text is `{name}` and nothing else; "" where it is not."""
    found = _NAME.fullmatch(text)
    return found[1] if found else ""


def variable(name: str, namespace: Mapping[str, Any]) -> Any:
    """The value of the variable that `{name}` stands for, as a model's JSON would have it."""
    if name not in namespace:
        raise ConfigError(f"{{{name}}} stands for a variable, and there is none of that name: bind it first.")
    try:
        return json.loads(json.dumps(namespace[name], default=_number))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{{{name}}} cannot stand in a call, whose arguments are JSON: {error}.") from None


def _number(value: Any) -> Any:
    """What is a number and no int or float: a Decimal, numpy's."""
    if isinstance(value, Number):
        return int(value) if isinstance(value, Integral) else float(str(value))
    raise TypeError(f"it holds {type(value).__name__}")
