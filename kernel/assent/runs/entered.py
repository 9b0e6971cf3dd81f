"""What enters a conversation: of which variables it was made, and where masked columns stand in it."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from assent.core.cargo import EMPTY, Cargo, Cell, Source
from assent.core.errors import Withheld
from assent.core.mask import Mask, own
from assent.policy.layers import Layers
from assent.runs.marks import LATEST, OUTPUT, WRITTEN, Marks, is_data
from assent.runs.state import READ
from assent.store.reader import named
from assent.tools.behind import behind
from assent.tools.cells import cells, columns, columns_in
from assent.tools.held import tables
from assent.tools.local_only import is_local_only
from assent.tools.preview import is_frame
from assent.tools.sql import MODEL_ROWS, frames_in
from assent.tools.tool import Output, Tool

_WORD = re.compile(r"[^\W\d]\w*")
_BY_NAME = frozenset({"globals", "locals", "vars", "eval", "exec", "get_ipython"})  # how code finds what it is told
_SHOWN = 10  # rows of a DataFrame that the python tool shows

Names = Mapping[str, Any]


def rules_of(layers: Layers) -> tuple[Mask, ...]:
    """The masks of the policy, and those of this process."""
    return (*layers.of("mask"), *own())


@dataclass(slots=True)
class Entrance:
    """Looks at what enters the conversation of one run, by the policies and masks that hold at the time.

    `gave` is what its calls gave, `rules` are those masks that are about columns.
    """

    namespace: Callable[[], Names]
    marks: Marks
    layers: Layers
    gave: Names = field(default_factory=dict)
    masks: tuple[Mask, ...] = ()
    rules: tuple[Mask, ...] = ()

    def __post_init__(self) -> None:
        self.renew(self.layers)

    def renew(self, layers: Layers) -> None:
        """Go by these policies from now on, and by the masks of this process as they are now."""
        self.layers, self.masks = layers, rules_of(layers)
        self.rules = tuple([rule for rule in self.masks if rule.columns])

    def before(self, tool: str) -> Names:
        """The variables as a call finds them."""
        wanted = tool in ("sql", "python") or self.rules or self.marks.hold(self.layers)
        return dict(self.namespace()) if wanted else {}

    def prompt(self, text: str, sources: Sequence[Source]) -> Cargo:
        """What a question carries, of which the front end has told the sources."""
        if not sources:
            return EMPTY
        names = self.namespace()
        told = {name: names[name] for source in sources for name in source.tables if name in names}
        self.marks.notice(told)
        named = tuple([replace(source, tables=_named(source.tables, names)) for source in sources])
        return Cargo(named, self.cells(text), self._looked())

    def result(
        self, tool: Tool[Any, Any], call: str, arguments: Mapping[str, Any], output: Output, was: Names
    ) -> Cargo:
        """What a result carries. What an agent's code has made of something local only is local only from now on."""
        if tool.name == "sql":
            read = self._of_sql(str(arguments.get("query", "")), was)
        elif tool.name == "python":
            read = self._of_python(call, str(arguments.get("code", "")), output, was)
        else:
            read = self._of_function(tool, arguments)
        if is_local_only(output.value) and not self.marks.local(read, self.layers):
            read = [*read, f"{tool.name}{OUTPUT}"]  # of another module, say: no variable here tells of it
        told = tables(output.value)
        if not read and not told and not self.rules:
            return EMPTY
        now = self.namespace()
        found = [table for name in read for values in (was, now) for table in tables(values.get(name))]
        made = (_source(tool.name, read, output, [*told, *found]),) if read or told else ()
        return Cargo(made, self.cells(output.text, [*was.values(), output.value]), self._looked())

    def again(self, text: str, cargo: Cargo, rules: Sequence[Mask]) -> tuple[Cell, ...]:
        """The cells of a text, also those of rules that are younger than it: by the tables as they are now.

        `Withheld` where one of these is not there any more.
        """
        fresh = [rule for rule in rules if rule.columns and rule.key not in cargo.looked]
        if not fresh:
            return cargo.cells
        names = self.namespace()
        _check_there(cargo.sources, fresh, names, _tables((*names.values(), *self.gave.values())))
        return (*cargo.cells, *self.cells(text))

    def read(self, tool: Tool[Any, Any]) -> list[str]:
        """The variables that the function of a tool reads."""
        now = self.namespace()
        return sorted([name for name in _reads(tool, now) if is_data(now.get(name))])

    def cells(self, text: str, values: Iterable[Any] = ()) -> tuple[Cell, ...]:
        """Where in a text masked columns stand: of these values, of the notebook's tables, and of what calls gave.

        Of all of them, since a list or a sentence does not tell of which table it was made.
        """
        if not self.rules:
            return ()
        found = _tables((*self.namespace().values(), *self.gave.values(), *values))
        return cells(text, found, self._rule_of)

    def proposed(self, texts: Sequence[str], was: Names) -> list[Cargo]:
        """Where masked columns stand in the arguments of the calls that a tool proposes, one text for each."""
        return [Cargo((), self.cells(text, was.values()), self._looked()) for text in texts]

    def around(self, tool: Tool[Any, Any], forms: Sequence[Mapping[str, Any]], carried: Iterable[str]) -> Source:
        """What a run may carry that a call starts: all that the call names, and what its own run carries.

        `forms` are the call's arguments as its tool gets them, and as they were written.
        """
        words, now = set(_WORD.findall(str([dict(form) for form in forms]))), self.namespace()
        self.marks.notice({name: now[name] for name in words if name in now})
        found = {name for name in words if tables(now.get(name))} | set(self.marks.local(words, self.layers))
        return Source("variable", tool.name, tuple(sorted({*found, *carried, *self._of_function(tool, {})})), bytes=0)

    def _of_sql(self, query: str, was: Names) -> list[str]:
        frames = frames_in(was)
        found = named(query, frames)
        self.marks.notice({name: frames[name] for name in found})
        return found

    def _of_python(self, call: str, code: str, output: Output, was: Names) -> list[str]:
        now, touched = self.namespace(), output.touched or {}
        read = {name for how in READ for name in touched.get(how, ())}
        self.marks.notice({name: was[name] for name in read if name in was})
        self.marks.notice(now)
        read |= {f"{name}{OUTPUT}" for name in LATEST.findall(code) if is_local_only(was.get(name))}
        if local := self.marks.local(read, self.layers):
            written = {name for how in WRITTEN for name in touched.get(how, ())}
            self.marks.add([name for name in written if is_data(now.get(name))], f"the call {call}", local)
        return sorted({name for name in read if tables(was.get(name)) or tables(now.get(name))} | set(local))

    def _of_function(self, tool: Tool[Any, Any], arguments: Mapping[str, Any]) -> list[str]:
        now = self.namespace()
        read = _reads(tool, now)
        if not _BY_NAME.isdisjoint(read):
            read |= set(_WORD.findall(str(dict(arguments))))
        if not read:
            return []
        self.marks.notice({name: now[name] for name in read if name in now})
        return sorted({name for name in read if tables(now.get(name))} | set(self.marks.local(read, self.layers)))

    def _looked(self) -> tuple[str, ...]:
        return tuple([rule.key for rule in self.rules])

    def _rule_of(self, column: str) -> str:
        return next((rule.name for rule in self.rules if rule.covers(column)), "")


def _reads(tool: Tool[Any, Any], names: Names) -> frozenset[str]:
    """The names that the function of a tool reads, also through a decorator or an instance of the notebook's."""
    return behind(tool.function, names).reads


def _tables(values: Iterable[Any]) -> list[Any]:
    """All tables that these values are or hold, each once."""
    return list({id(table): table for value in values for table in tables(value)}.values())


def _check_there(sources: Sequence[Source], fresh: Sequence[Mask], names: Names, frames: Sequence[Any]) -> None:
    """`Withheld` where values that are masked now cannot be looked for, since their table is gone."""
    there = {column for frame in frames for column in columns(frame)} if sources else set()
    for source in sources:
        masked = [name for name in source.columns if any(rule.covers(name) for rule in fresh)]
        gone = [name for name in source.tables if name not in names] + [name for name in masked if name not in there]
        if gone:
            raise Withheld(
                f"Nothing was sent, since the run carries what `{gone[0]}` told before the mask {fresh[0].name!r} was "
                "written, and it is not here any more to find its values by: run the cell that makes it, then resume "
                "the run, or begin a new one."
            )


def _named(told: Sequence[str], names: Names) -> tuple[str, ...]:
    hidden = [name for name in told if LATEST.fullmatch(name) and is_local_only(names.get(name))]
    return tuple([f"{name}{OUTPUT}" if name in hidden else name for name in told])


def pictured(images: Any, names: Names) -> list[Source]:
    """The pictures of a question, in their order, with the variables that they are in."""
    several = images if isinstance(images, list | tuple) else [images]
    known = [(item,) if isinstance(item, str) and item in names else () for item in several]
    return [Source("image", tables=name) for name in known] if any(known) else []


def _source(tool: str, read: Sequence[str], output: Output, found: Iterable[Any]) -> Source:
    """Of a DataFrame all columns; of anything else those of the tables in it, or read for it, that the text names."""
    frame, most = output.value, _SHOWN if tool == "python" else MODEL_ROWS
    if not is_frame(frame):
        return Source("result", tool, tuple(read), columns_in(output.text, found))
    told = tuple([str(column) for column in frame.columns])
    return Source("result", tool, tuple(read), told, min(len(frame), most), len(frame))
