"""Evaluating a piece of code in a namespace: its statements, the value of its last expression, what it prints."""

import ast
import inspect
import io
from collections.abc import MutableMapping
from types import CodeType
from typing import Any

from assent.core.cut import fore

FILE = "<agent>"
_STREAM_LIMIT = 5_000_000  # characters kept of what a piece of code prints
_BEYOND = 4_000  # characters more, in which what is to be masked may end


async def evaluate(code: str, namespace: MutableMapping[str, Any]) -> Any:
    """Execute `code`, which may await, and give the value of its last expression."""
    value: Any = None
    for part, mode in _parts(code):
        value = eval(_compiled(part, mode), namespace)  # type: ignore[arg-type]  # any mapping serves as globals
        if inspect.iscoroutine(value):
            value = await value
    return value


class Capture(io.TextIOBase):
    """Keeps what is printed, up to a limit, so that a flood cannot fill the memory."""

    def __init__(self, limit: int = _STREAM_LIMIT) -> None:
        self._parts: list[str] = []
        self._limit, self._room = limit, limit + _BEYOND
        self._lost = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        kept = text[: max(self._room, 0)]
        self._room -= len(kept)
        self._lost += len(text) - len(kept)
        if kept:
            self._parts.append(kept)
        return len(text)

    def text(self) -> str:
        kept = "".join(self._parts)
        if len(kept) <= self._limit:
            return kept
        end = fore(kept, self._limit)
        return f"{kept[:end]}\n… {self._lost + len(kept) - end:,} more characters were printed …"


def _parts(code: str) -> list[tuple[ast.AST, str]]:
    body = ast.parse(code, FILE).body
    if body and isinstance(body[-1], ast.Expr):
        head: list[tuple[ast.AST, str]] = [(ast.Module(body[:-1], []), "exec")] if body[:-1] else []
        return [*head, (ast.Expression(body[-1].value), "eval")]
    return [(ast.Module(body, []), "exec")]


def _compiled(part: ast.AST, mode: str) -> CodeType:
    code = compile(part, FILE, mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)  # type: ignore[call-overload]  # mode is exec or eval
    assert isinstance(code, CodeType)
    return code
