"""What a tool declares of itself beyond its privilege: what it brings in, and whether it acts outside."""

import re
import string
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from assent.core.errors import ConfigError
from assent.core.privilege import READ_ONLY
from assent.core.taint import Source, Sources

Acts = Literal["", "inside", "outside"]
NOTHING = "none"  # as a source: what the tool gives is its own
_SOURCE = re.compile(r"[a-z][a-z_-]*(:.+)?", re.DOTALL)
_EMPTY = re.compile(r"(done|null|none|true|false|[-+]?\d[\d_]*(\.\d+)?([eE][-+]?\d+)?)?", re.IGNORECASE)


def check(source: str, acts: str, privilege: str, parameters: Iterable[str]) -> None:
    """`ConfigError` where a declaration makes no sense: KIND or KIND:NAME, in which {parameter} may stand."""
    if source and not _SOURCE.fullmatch(source):
        raise ConfigError(f'{source!r} is no source: write "mail", "file:{{path}}", "web:{{url}}", or "none".')
    if unknown := set(_fields(source)) - set(parameters):
        raise ConfigError(f"The source {source!r} names {sorted(unknown)[0]!r}, which is no parameter of the tool.")
    if acts not in ("", "inside", "outside"):
        raise ConfigError(f'acts is {acts!r}; it must be "inside" or "outside".')
    if acts == "outside" and privilege == READ_ONLY:
        raise ConfigError("A tool that acts outside is not read_only: give it execute_safe, or what fits it.")


def brought(tool: str, source: str, arguments: Mapping[str, Any], text: str, sources: Sources | None) -> Sources:
    """Where what a call gave came from, by what its tool declares and by what it said itself of this call.

    One that says nothing brings in what only it knows, so that counts, under its own name; not where it gave no text.
    """
    said = sources or ()
    if source == NOTHING:
        return said
    if not source:
        return said if sources is not None or _EMPTY.fullmatch(text.strip()) else (Source("tool", tool),)
    kind, _, name = source.partition(":")
    filled = _filled(name, arguments) if name else tool
    return (Source(kind, filled), *said)


def _fields(source: str) -> list[str]:
    try:
        return [name for _, name, _, _ in string.Formatter().parse(source) if name is not None]
    except ValueError as error:
        raise ConfigError(f"The source {source!r} cannot be read: {error}.") from None


def _filled(name: str, arguments: Mapping[str, Any]) -> str:
    parts = string.Formatter().parse(name)
    return "".join([text + ("" if field is None else str(arguments.get(field, ""))) for text, field, _, _ in parts])
