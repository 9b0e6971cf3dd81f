"""What a run sends to models: held back where it is local only, masked where rules want it, accounted for always."""

import operator
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import Any

from assent.core.canonical import canonical
from assent.core.cargo import EMPTY, Cargo, Source
from assent.core.errors import Withheld
from assent.core.mask import Mask
from assent.core.messages import Image, Message, Part, Reasoning, Text, ToolCall, ToolResult
from assent.core.model import Destination, OutputSchema, Request, Sent, ToolSpec
from assent.models.masking.vault import Vault
from assent.runs.entered import Entrance
from assent.runs.marks import OUTPUT

Row = dict[str, Any]
Terms = tuple[Sequence[ToolSpec], OutputSchema | None]


@dataclass(slots=True)
class Route:
    """What one destination has been told of: `told` messages, `bytes` of them, and the tools."""

    told: int = 0
    bytes: int = 0
    tools: int = 0  # bytes of the tools and of the answer's type
    described: Terms | None = None


@dataclass(slots=True)
class Veil:
    """The messages of a conversation, and as one set of rules masks them; `found` is how many values, by rule."""

    vault: Vault
    told: list[Message] = field(default_factory=list)
    made: list[Message] = field(default_factory=list)
    found: Counter[str] = field(default_factory=Counter)
    terms: tuple[Terms, Terms] = (((), None), ((), None))  # the tools and the type, as they are and masked


@dataclass(slots=True)
class Outgoing:
    """Loads the requests of one run, by the masks and marks of its `entrance` at the time.

    `cargo` gives by message what its parts carry, `names` are the variables that its calls have read or written.

    What a request says of itself: `parts`, what its messages from number `begin` on are made of,
    which this destination has not been told of in this process; `bytes` of all of them and of the tools, in UTF-8,
    without what the vendor's format adds; `masked`, how many values by rule.
    """

    entrance: Entrance
    cargo: Mapping[int, tuple[Cargo, ...]]
    run: str = ""
    names: Set[str] = frozenset()
    _masks: tuple[Mask, ...] = ()  # those by which it has loaded last
    _routes: dict[Destination, Route] = field(default_factory=dict)
    _veils: dict[bool, Veil | None] = field(default_factory=dict)

    def load(self, request: Request, to: Destination) -> Sent:
        """The request as `to` may read it; `Withheld` where it must not."""
        if self._masks != self.entrance.masks:
            self._veil_anew()
        if not to.local:
            self._check(to)
        if (veil := self._veil(to.local)) is None:
            return Sent(request, self._account(request, to))
        sent = self._masked(request, veil)
        account = self._account(sent, to) | ({"masked": dict(veil.found)} if veil.found else {})
        return Sent(sent, account, veil.vault.restored, veil.vault.restores)

    def vaults(self) -> list[Vault]:
        """Those that know what was masked for some destination."""
        return [veil.vault for veil in self._veils.values() if veil is not None]

    def _check(self, to: Destination) -> None:
        """Also where no name is marked: what a cell or a tool gave may have been, and have had none."""
        if names := self.entrance.marks.local(carried(self.cargo) | self.names, self.entrance.layers):
            told = ", ".join([f"`{name}`" for name in names])
            is_local = "is local only" if len(names) == 1 else "are local only"
            raise Withheld(
                f"The model {to.model} is not on this machine and was not asked, since the run carries {told}, which "
                f"{is_local}; nothing was sent to it: go on with a model that is (%agent resume {self.run} --model "
                f"local), or {self._way_out(names[0])}."
            )

    def _way_out(self, name: str) -> str:
        if name in self.entrance.marks.names:
            return f"end the mark (%agent local_only --end {name})"
        return "begin a new run without it" if name.endswith(OUTPUT) else "change the [[local_only]] that names it"

    def _veil_anew(self) -> None:
        """By other masks all is masked and accounted for anew; what has a placeholder keeps it."""
        self._masks = self.entrance.masks
        self._routes.clear()
        before, self._veils = self._veils, {}
        for local, veil in before.items():
            if veil is not None:
                self._veils[local] = Veil(veil.vault.under(self._rules(local)))

    def _rules(self, local: bool) -> tuple[Mask, ...]:
        return tuple([rule for rule in self._masks if rule.local or not local])

    def _veil(self, local: bool) -> Veil | None:
        if local not in self._veils:
            rules = self._rules(local)
            self._veils[local] = Veil(Vault(rules)) if rules else None
        return self._veils[local]

    def _masked(self, request: Request, veil: Veil) -> Request:
        """The terms come first, always: so a resume, which goes through all of it, numbers the values as before."""
        terms = (request.tools, request.output)
        if veil.terms[0] != terms:
            veil.terms = (terms, _veiled_terms(terms, veil.vault))
        begin = len(veil.told)
        if begin > len(request.messages) or not all(map(operator.is_, veil.told, request.messages)):
            veil.told, veil.made, veil.found, begin = [], [], Counter(), 0
        for place in range(begin, len(request.messages)):
            message = request.messages[place]
            made, found = _veiled(message, self.cargo.get(place, ()), veil.vault, self.entrance)
            veil.told.append(message)
            veil.made.append(made)
            veil.found.update(found)
        tools, output = veil.terms[1]
        return replace(request, messages=veil.made.copy(), tools=tools, output=output)

    def _account(self, request: Request, to: Destination) -> Row:
        route = self._routes.get(to) or self._routes.setdefault(to, Route())
        rows: list[Row] = []
        begin, described = route.told, (request.tools, request.output)
        if route.described != described:
            rows, begin, route.bytes = _of_terms(request), 0, 0
            route.tools, route.described = sum([row["bytes"] for row in rows]), described
        route.told = len(request.messages)
        for place in range(begin, route.told):
            for row in _of_message(request.messages[place], self.cargo.get(place, ())):
                row["message"] = place
                route.bytes += row["bytes"]
                rows.append(row)
        size = route.tools + route.bytes
        return {"provider": to.provider, "host": to.host, "begin": begin, "bytes": size, "parts": rows}


def carried(cargo: Mapping[int, tuple[Cargo, ...]]) -> set[str]:
    """The variables that a conversation was made of."""
    return {
        name for parts in cargo.values() for item in parts for source in item.sources for name in source.tables
    }  # fmt: skip


# Masking a message


def _veiled(message: Message, cargo: Sequence[Cargo], vault: Vault, entrance: Entrance) -> tuple[Message, Counter[str]]:
    parts, total = list[Part](), Counter[str]()
    for part, own in _with_cargo(message, cargo):
        made, found = _veiled_part(part, own, vault, entrance)
        parts.append(made)
        total += found
    return (replace(message, parts=tuple(parts), encoded={}) if total else message), total


def _veiled_part(part: Part, cargo: Cargo, vault: Vault, entrance: Entrance) -> tuple[Part, Counter[str]]:
    """Not a picture, in which nothing can be found; nor thinking that its vendor has signed: it has placeholders."""
    match part:
        case Text() | ToolResult():
            written = isinstance(part, Text) and not cargo.sources  # by a person, or the model: as it is
            cells = cargo.cells if written else entrance.again(part.text, cargo, vault.rules)
            text, found = vault.masked(part.text, cells)
            return (replace(part, text=text) if found else part), found
        case ToolCall():
            text, found = vault.masked(part.arguments)
            return (replace(part, arguments=text) if found else part), found
        case Reasoning(extra=None):
            text, found = vault.masked(part.text)
            return (replace(part, text=text) if found else part), found
    return part, Counter()


def _with_cargo(message: Message, cargo: Sequence[Cargo]) -> Iterable[tuple[Part, Cargo]]:
    """Each part with what it carries: of a question its words do, of results each one."""
    if not cargo:
        return zip(message.parts, repeat(EMPTY))
    several = message.role == "tool"
    found: list[tuple[Part, Cargo]] = []
    for place, part in enumerate(message.parts):
        own = place if several else 0
        fits = isinstance(part, Text | ToolResult) and own < len(cargo)
        found.append((part, cargo[own] if fits else EMPTY))
    return found


def _veiled_terms(terms: Terms, vault: Vault) -> Terms:
    tools = [ToolSpec(t.name, vault.masked(t.description)[0], _within(t.schema, vault)) for t in terms[0]]
    output = terms[1]
    return tools, None if output is None else OutputSchema(output.name, _within(output.schema, vault))


def _within(value: Any, vault: Vault) -> Any:
    """The texts in JSON values masked, but not the names of their keys."""
    if isinstance(value, str):
        return vault.masked(value)[0]
    if isinstance(value, Mapping):
        return {name: _within(item, vault) for name, item in value.items()}
    return [_within(item, vault) for item in value] if isinstance(value, list | tuple) else value


# Accounting for it


def _of_terms(request: Request) -> list[Row]:
    """The tools with their schemas, and the type of the answer."""
    rows: list[Row] = []
    for tool in request.tools:
        size = _size(tool.name) + _size(tool.description) + _size(canonical(tool.schema))
        rows.append({"what": "tool", "name": tool.name, "bytes": size})
    if (output := request.output) is not None:
        rows.append({"what": "answer type", "name": output.name, "columns": _columns(output.schema),
                     "bytes": _size(canonical(output.schema))})  # fmt: skip
    return rows


def _columns(schema: Any) -> list[str]:
    """The names of the fields of a schema, at any depth."""
    found: dict[str, None] = {}
    todo = [schema]
    while todo:
        item = todo.pop()
        if isinstance(item, Mapping):
            found |= dict.fromkeys(item["properties"]) if isinstance(item.get("properties"), Mapping) else {}
            todo += item.values()
        elif isinstance(item, list | tuple):
            todo += item
    return list(found)


def _of_message(message: Message, cargo: Sequence[Cargo]) -> Iterator[Row]:
    images = [source for item in cargo for source in item.sources if source.what == "image"] if cargo else []
    for part, own in _with_cargo(message, cargo):
        if isinstance(part, ToolCall):  # twice as quick as `match`, and this is done at every step
            yield {"what": "call", "name": part.name, "bytes": _size(part.arguments)}
        elif isinstance(part, ToolResult):
            source = own.sources[0].to_json() if own.sources else {"what": "result", "name": part.name}
            yield source | {"bytes": _size(part.text)}
        elif isinstance(part, Text):
            yield from _of_text(message.role, _size(part.text), own)
        elif isinstance(part, Image):
            yield (images.pop(0) if images else Source("image")).to_json() | {"bytes": len(part.data)}
        else:
            yield {"what": "thinking", "bytes": _size(part.text)}


_WORDS = {"system": "instructions", "user": "prompt", "assistant": "answer", "tool": "result"}


def _of_text(role: str, size: int, cargo: Cargo) -> Iterator[Row]:
    for source in cargo.sources:
        if source.bytes is not None:
            yield source.to_json()
            size -= source.bytes
    yield {"what": _WORDS[role], "bytes": max(size, 0)}


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
