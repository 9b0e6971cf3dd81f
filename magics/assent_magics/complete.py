"""Completion after `%agent`: sub-commands, agents, runs, calls that wait, models, options; tables in SQL."""

import contextlib
import os
import re
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, get_origin

from IPython.core.completer import SimpleCompletion, context_matcher

from assent.core.errors import AssentError
from assent.store.schema import VIEWS
from assent.tools.preview import is_frame
from assent_magics import options
from assent_magics.commands import COMMANDS
from assent_magics.costs import BY
from assent_magics.desk import Desk

_LINE = re.compile(r".*?(%%?)agent\s+(.*)$", re.DOTALL)
_VARIABLE = re.compile(r"\{(\w*)$")
_WORD = re.compile(r"\w*$")
_SQL = re.compile(r"%%?agent\s+sql\s")
_TYPES = ("bool", "date", "datetime", "Decimal", "float", "int", "list[str]", "str")
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
_COLUMNS = "SELECT DISTINCT column_name FROM duckdb_columns() WHERE NOT internal AND contains(?, table_name)"


def matcher(desk: Desk) -> Any:
    """A matcher for IPython's completer over what this desk knows."""

    @context_matcher(identifier="assent.agent")  # type: ignore[untyped-decorator]  # IPython is typed in part
    def agent_matcher(context: Any) -> dict[str, Any]:
        line = context.line_with_cursor[: context.cursor_position]
        if _SQL.match(context.full_text):
            return _found(_WORD.findall(line)[0], _sql_words(desk, context.full_text), "table")
        if context.cursor_line and context.full_text.startswith("%%agent"):
            variable = _VARIABLE.search(line)
            return _found(variable[1], _variables(desk), "instance") if variable else {"completions": []}
        match = _LINE.match(line)
        if not match:
            return {"completions": []}
        before, _, word = match[2].rpartition(" ")
        return _found(word, _candidates(desk, match[1], before.split()), "agent")

    return agent_matcher


def _found(word: str, names: Iterable[str], kind: str) -> dict[str, Any]:
    completions = [SimpleCompletion(text=name, type=kind) for name in names if name.startswith(word)]
    return {"completions": completions, "matched_fragment": word, "suppress": bool(completions), "ordered": True}


def _variables(desk: Desk) -> list[str]:
    return [name for name in desk.namespace if not name.startswith("_") and name not in ("In", "Out")]


def _sql_words(desk: Desk, text: str) -> list[str]:
    """The tables that a query may name, and the columns of those that it names already."""
    frames = {name: value for name, value in desk.namespace.items() if is_frame(value) and not name.startswith("_")}
    columns = [str(column) for name, frame in frames.items() if name in text for column in frame.columns]
    with contextlib.suppress(AssentError):  # a workspace that cannot be opened, as below
        columns += [name for (name,) in desk.session.journal.house.select(_COLUMNS, [text])]
    return list(dict.fromkeys([*VIEWS, *frames, *columns]))


def _candidates(desk: Desk, sign: str, before: list[str]) -> Iterable[str]:
    known = options.RUN if sign == "%%" else (COMMANDS[before[0]].options if before and before[0] in COMMANDS else {})
    try:
        if before and before[-1] in known and known[before[-1]].read is not None:
            return _values(desk, before[-1], known[before[-1]].choices)
        return [*_names(desk, sign, before), *known]
    except AssentError:  # a workspace that cannot be opened must not make the Tab key fail
        return list(known)


def _values(desk: Desk, option: str, choices: Iterable[str]) -> Iterable[str]:
    match option:
        case "--model":
            return _models(desk)
        case "--tools":
            return desk.session.tools()
        case "--agent":
            return desk.session.agents()
        case "--collection":
            return [item.name for item in desk.session.memory.collections() if item.name and " " not in item.name]
        case "--as-type":
            return [*_named(desk, _is_type), *_TYPES]
        case "--replay":
            return _files((".jsonl",))
        case "--image":
            return [*_named(desk, _is_picture), *_files(_PICTURES)]
        case _:
            return choices


def _named(desk: Desk, fits: Callable[[Any], bool]) -> list[str]:
    return [name for name in _variables(desk) if fits(desk.namespace[name])]


def _is_type(value: Any) -> bool:
    columns = isinstance(value, dict) and value and all(isinstance(kind, (str, type)) for kind in value.values())
    kind = isinstance(value, type) or get_origin(value) is not None
    return bool(columns) or is_frame(value) or kind


def _is_picture(value: Any) -> bool:
    return isinstance(value, bytes) or (hasattr(value, "savefig") and not isinstance(value, (type, ModuleType)))


def _files(endings: tuple[str, ...]) -> list[str]:
    with contextlib.suppress(OSError):
        return sorted(name for name in os.listdir() if name.lower().endswith(endings) and " " not in name)
    return []


def _models(desk: Desk) -> list[str]:
    """Names one may write, without a look at any server: the Tab key must not wait."""
    from assent.models import endpoints  # 20 ms to import: not before somebody asks
    from assent.models.local import weights

    vendors = [f"{endpoint.name}:{endpoint.model}" for endpoint in endpoints.ENDPOINTS if endpoint.model]
    local = [f"local:{row.name}" for row in weights.TABLE]
    own = [name for settings in desk.config.models.values() for name in settings.get("fallback", ())]
    own += [name for name in desk.config.models if ":" in name]
    return list(dict.fromkeys(filter(None, [desk.config.model, *own, *vendors, *local])))


def _written(desk: Desk) -> list[str]:
    """Variables that the journal knows and that may be gone."""
    rows = desk.session.journal.select("SELECT DISTINCT name FROM writes WHERE how IN ('bound', 'changed') LIMIT 500")
    return [name for (name,) in rows if name not in desk.namespace]


def _of_policy(desk: Desk, before: list[str]) -> Iterable[str]:
    if not before:
        return ("explain", "test")
    return desk.session.tools() if before[0] == "explain" else _files((".toml",))


def _names(desk: Desk, sign: str, before: list[str]) -> Iterable[str]:
    if not before:
        return [*desk.session.agents(), "sql"] if sign == "%%" else COMMANDS
    if before == ["memory"] and sign == "%":
        return ("search", "add", "forget", "collections", "status")
    if before[0] == "policy" and sign == "%":
        return _of_policy(desk, before[1:])
    if sign == "%%" or (len(before) > 1 and before[0] != "compare"):
        return []
    match before[0]:
        case "blame" | "rebuild":
            return [*_variables(desk), *_written(desk)]
        case "show" | "resume" | "pause" | "stop" | "history" | "fork" | "compare" | "replay":
            rows = desk.session.journal.select("SELECT run FROM runs ORDER BY started DESC LIMIT 50")
            return [row[0] for row in rows]
        case "approve" | "reject":
            return [item.call for item in desk.session.pending()]
        case "model":
            return _models(desk)
        case "record":
            return _files((".jsonl",))
        case "help":
            return COMMANDS
        case "costs":
            return BY
        case _:
            return []
