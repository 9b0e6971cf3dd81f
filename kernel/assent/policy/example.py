"""Examples that a policy must decide as somebody expects: a file of `[[example]]`.

[[example]]
call = "pay"
arguments = { amount = 150, to = "acme" }
agent = "trader"                # the one that %agent uses if none is named
expect = "ask"                  # allow, ask, deny
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from assent.core.errors import ConfigError
from assent.policy.document import read
from assent.policy.entry import Entry, hint

_EXPECT = ("allow", "ask", "deny")


@dataclass(frozen=True, slots=True)
class Example:
    """One call and the decision that is expected of it."""

    entry: Entry
    call: str
    expect: str
    arguments: Mapping[str, Any]
    agent: str = ""
    user: str = ""


def examples(text: str, source: str) -> tuple[Example, ...]:
    """The examples of a file's text; `ConfigError` with the line where it has none or one makes no sense."""
    found = read(text, source, "workspace", {"example": _read}).sections.get("example", ())
    if not found:
        raise ConfigError(f'{source} has no examples: write [[example]] with call = "TOOL" and expect = "ask".')
    return found


def _read(entries: Sequence[Entry]) -> tuple[Example, ...]:
    return tuple([_one(entry) for entry in entries])


def _one(entry: Entry) -> Example:
    entry.check_keys(("call", "arguments", "agent", "user", "expect"))
    texts = {key: entry.values.get(key, "") for key in ("call", "agent", "user", "expect")}
    for key, value in texts.items():
        if not isinstance(value, str) or (key in ("call", "expect") and not value):
            raise entry.error(f"{key} is {entry.values.get(key)!r}: write a text in quotes.", key)
    if texts["expect"] not in _EXPECT:
        raise entry.error(f"expect is {texts['expect']!r}{hint(texts['expect'], _EXPECT)}", "expect")
    arguments = entry.values.get("arguments", {})
    if not isinstance(arguments, dict):
        raise entry.error("arguments are a table: arguments = { amount = 150 }.", "arguments")
    as_sent = json.loads(json.dumps(arguments, default=_plain))  # numbers as a model's JSON has them
    return Example(entry, texts["call"], texts["expect"], as_sent, texts["agent"], texts["user"])


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value)
