"""The variables of the notebook that a call has read, as sources: what they carry is known to who ran the call."""

import re
from collections.abc import Iterable

from assent.core.taint import Source, Sources
from assent.tools.touched import Begun, Touched

VARIABLE = "variable"  # the kind of such a source
ANY = "*"  # the name that means all of them
_MANY = 500  # names, as many as `tools.touched` keeps
_WORD = re.compile(r"[^\W\d]\w*")
# What names a table by more than its name: a text, an escaped identifier, a list of all that there are.
_INDIRECT = re.compile(
    r"\bquery\s*\(|query_table|u&\s*\"|\bduckdb_|\bshow\b|\bpragma|information_schema", re.IGNORECASE
)
_OUTPUTS = re.compile(r"Out|_oh|get_ipython|_{1,3}|_\d+")


def variables(begun: Begun, names: Touched) -> Sources:
    """Those that a piece of code has read; any of them, where it may have read what has no name of its own."""
    if any(map(_is_output, begun.names.loaded)) or len(names.read) >= _MANY:
        return (Source(VARIABLE, ANY),)
    return tuple([Source(VARIABLE, name) for name in names.read])


def _is_output(name: str) -> bool:
    """Whether a name means what IPython keeps of all cells."""
    return _OUTPUTS.fullmatch(name) is not None


def tables_read(query: str, tables: Iterable[str]) -> Sources:
    """The tables that a statement may read: DuckDB takes no notice of capitals."""
    if _INDIRECT.search(query):
        return tuple([Source(VARIABLE, name) for name in tables])
    words = {word.lower() for word in _WORD.findall(query)}
    return tuple([Source(VARIABLE, name) for name in tables if name.lower() in words])
