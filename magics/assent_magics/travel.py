"""`%agent history`, `fork` and `compare`: back to a step of a run, another way from there, two ways side by side."""

import json
from typing import Any

from assent.core.commands import ForkRun
from assent.core.errors import ConfigError
from assent_magics import options
from assent_magics.desk import Desk
from assent_magics.interpolate import fill, interpolated
from assent_widgets.calls import SOURCES

_EDIT = '%agent fork RUN --edit CALL \'{"query": "SELECT …"}\', or the SQL or code itself in quotes.'
_COUNTS = ("step", "input_tokens", "output_tokens")


def history(desk: Desk, rest: str) -> Any:
    """What a run did, step by step, as a table."""
    import pandas  # takes 0.3 s to import: not before there is a table to show

    from assent.history import history as past  # imports duckdb

    words, _ = options.split(rest, options.NONE)
    rows = past.history(desk.session.journal, desk.session.find(options.one_run(words, "history")))
    names = [name for name in past.Row.__slots__ if name != "shared_with" or any(row.shared_with for row in rows)]
    frame = pandas.DataFrame([[getattr(row, name) for name in names] for row in rows], columns=names)
    frame = frame.astype(dict.fromkeys(_COUNTS, "Int64") | {"cost": float, "seconds": float})
    frame["seconds"] = frame["seconds"].round(3)
    at = pandas.to_datetime(frame.pop("at"), unit="s").dt.floor("s")
    frame.insert(1, "time (UTC)", at)
    return frame


def compare(desk: Desk, rest: str) -> Any:
    """Runs side by side, as a table; how their answers differ is printed."""
    import pandas  # takes 0.3 s to import: not before there is a table to show

    from assent.history import compare as comparing  # imports duckdb

    words, _ = options.split(rest, options.NONE)
    found = comparing.compare(desk.session.journal, [desk.session.find(word) for word in words])
    if found.difference:
        print(found.difference)
    return pandas.DataFrame.from_dict(dict(found.aspects), orient="index", columns=list(found.runs), dtype=object)


def forking(desk: Desk, rest: str) -> tuple[ForkRun, str]:
    """The command that a line behind `%agent fork` means, and the variable that its result is bound to."""
    from assent.history.fork import call_of  # imports duckdb and pydantic

    words, given = options.split(rest, options.FORK)
    into, edit = given.pop("into", ""), fill(given.pop("edit", ""), desk.namespace)
    if len(words) != (2 if edit else 1):
        raise ConfigError(f"An edit is a call and its new arguments: {_EDIT}" if edit else _usage(words))
    run = desk.session.find(fill(words[0], desk.namespace))
    if "prompt" in given:
        with desk.session.unparted():
            given["prompt"], given["told"] = interpolated(given["prompt"], desk.namespace)
    if edit:
        _, proposed = call_of(desk.session.events(run), edit)
        given |= {"call": edit, "arguments": _arguments(words[1], proposed.name)}
    return desk.forking(run, **given), into


def _usage(words: list[str]) -> str:
    if words:
        return f'Give one run, and a prompt in quotes: %agent fork {words[0]} --at STEP --prompt "…".'
    return "Give a run: %agent fork RUN --at STEP. %agent runs lists the runs, %agent history RUN their steps."


def _arguments(text: str, tool: str) -> dict[str, Any]:
    if not text.lstrip().startswith("{") and tool in SOURCES:
        return {SOURCES[tool]: text}
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"The new arguments are no JSON: {error}. {_EDIT}") from None
    if not isinstance(value, dict):
        raise ConfigError(f"The new arguments must be one JSON object. {_EDIT}")
    return value
