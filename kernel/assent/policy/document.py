"""A policy file as values: each section read by its owner, everything else refused with its line."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from assent.core.canonical import digest
from assent.core.errors import ConfigError
from assent.policy.asking import read_asking
from assent.policy.budgets import budgets
from assent.policy.ceiling import read_ceilings
from assent.policy.entry import Entry, Layer, Reader, hint
from assent.policy.layers import Document
from assent.policy.masks import read_local_only, read_masks
from assent.policy.risk import read_limits
from assent.policy.rule import read_rules
from assent.policy.trust import read_trust
from assent.policy.waive import waivers

# Each section's owner: one line each.
SECTIONS: Mapping[str, Reader] = {
    "rule": read_rules,
    "agents": read_ceilings,
    "ask": read_asking,
    "budget": budgets,
    "risk": read_limits,
    "mask": read_masks,
    "local_only": read_local_only,
    "trust": read_trust,
    "waiver": waivers,
}
_ONE = frozenset({"ask"})  # written [ask]
_NAMED = frozenset({"agents"})  # written [agents.NAME]; every other is written [[rule]]

_APART = frozenset({"budget", "waiver"})  # what an approval means does not hang on these: raising one voids none

_QUOTED = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?!")|\'\'\'.*?\'\'\'(?!\')|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*', re.DOTALL
)
_SYNTAX = re.compile(r"^(.*) \(at line (\d+), column \d+\)$", re.DOTALL)


def read(text: str, source: str, layer: Layer, sections: Mapping[str, Reader] | None = None) -> Document:
    """What a file says; `ConfigError` with the line where it is no policy."""
    text = text.replace("\r\n", "\n")
    try:
        values = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        said = _SYNTAX.match(str(error))
        last = text.count("\n") + 1
        where, what = (f"{source}:{said[2]}", said[1]) if said else (f"{source}:{last}", str(error))
        raise ConfigError(f"{where}: {what}; this is not TOML.") from None
    return _made(list(_entries(text, values, source, layer)), source, layer, sections)


def from_values(
    values: Mapping[str, Any],
    source: str,
    layer: Layer,
    sections: Mapping[str, Reader] | None = None,
    first: int = 1,
) -> Document:
    """What is said from Python, in the shape of the file; an entry's number, from `first` on, stands for its line."""
    if not isinstance(values, Mapping):
        raise ConfigError(f'{source}: a policy is a mapping such as {{"rule": [{{"tool": "pay", "mode": "ask"}}]}}.')
    found: list[tuple[str, Entry]] = []
    for section, given in values.items():
        if section in _NAMED and isinstance(given, Mapping):
            named = enumerate(given.items(), first + len(found))
            found += [(section, Entry(item, line, source, layer, str(name))) for line, (name, item) in named]
        else:
            items = [given] if section in _ONE else given
            if not isinstance(items, list | tuple):
                raise ConfigError(f"{source}: {section} must be a list of mappings, not {given!r}.")
            numbered = enumerate(items, first + len(found))
            found += [(section, Entry(item, line, source, layer)) for line, item in numbered]
    for section, entry in found:
        if not isinstance(entry.values, Mapping):
            raise entry.error(f"an entry of {section} must be a mapping, not {entry.values!r}.")
    return _made(found, source, layer, sections)


def _made(found: list[tuple[str, Entry]], source: str, layer: Layer, sections: Mapping[str, Reader] | None) -> Document:
    known = SECTIONS if sections is None else sections
    entries: dict[str, list[Entry]] = {}
    for section, entry in found:
        if section not in known:
            raise entry.error(f"unknown section {section!r}{hint(section, known)}")
        entries.setdefault(section, []).append(entry)
    told = [[section, entry.name, dict(entry.values)] for section, entry in found if section not in _APART]
    read_by_owners = {section: known[section](group) for section, group in entries.items()}
    tools = [(entry, name) for _, entry in found if isinstance(name := entry.values.get("tool"), str) and name]
    return Document(layer, source, read_by_owners, digest(told), tuple(tools))


def _entries(text: str, values: Mapping[str, Any], source: str, layer: Layer) -> Iterator[tuple[str, Entry]]:
    """Each section's entries in the order in which they are written."""
    seen: dict[str, int] = {}
    for line, path, lists, keys in _tables(text):
        at = Entry({}, line, source, layer)
        if not path:
            first = min(keys, key=keys.__getitem__)
            raise ConfigError(f"{source}:{keys[first]}: {first!r} is in no section: write [[rule]] above it.")
        section = path[0]
        if (lists, len(path)) != _shape(section):
            raise at.error(f"this is no section of a policy: write {_written(section)}.")
        found = values[section]
        if section in _NAMED:
            yield section, Entry(found[path[1]], line, source, layer, path[1], keys)
        elif section in _ONE:
            yield section, Entry(found, line, source, layer, "", keys)
        else:
            number = seen[section] = seen.get(section, -1) + 1
            yield section, Entry(found[number], line, source, layer, "", keys)


def _shape(section: str) -> tuple[bool, int]:
    return section not in _NAMED | _ONE, 2 if section in _NAMED else 1


def _written(section: str) -> str:
    if section in _NAMED:
        return f"[{section}.NAME]"
    return f"[{section}]" if section in _ONE else f"[[{section}]]"


def _tables(text: str) -> Iterator[tuple[int, list[str], bool, dict[str, int]]]:
    """Of each table of a TOML text: its line, its path, whether it is one of a list, and the lines of its keys.

    What comes before the first header has no path. `tomllib` keeps no lines, so they are looked for here; the text
    is TOML, and quotes, comments and what is within brackets are passed over.
    """
    bare = _QUOTED.sub(lambda found: re.sub(r"[^\n]", " " if found[0][0] == "#" else "_", found[0]), text)
    table: tuple[int, list[str], bool, dict[str, int]] = (1, [], False, {})
    depth = 0
    for number, (line, written) in enumerate(zip(bare.split("\n"), text.split("\n"), strict=True), 1):
        if depth == 0 and line.lstrip().startswith("["):
            if table[1] or table[3]:
                yield table
            table = (number, _path(tomllib.loads(written)), line.lstrip().startswith("[["), {})
            continue
        if depth == 0 and "=" in line:
            [key, *_] = tomllib.loads(f"{written[: line.index('=')]}=0")
            table[3].setdefault(key, number)
        depth += sum(map(line.count, "[{")) - sum(map(line.count, "]}"))
    if table[1] or table[3]:
        yield table


def _path(header: Any) -> list[str]:
    path: list[str] = []
    while table := header[0] if isinstance(header, list) else header:
        [(name, header)] = table.items()
        path.append(name)
    return path
