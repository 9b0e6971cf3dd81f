"""From the report of a rehearsal to what a person reads of it.

The report is the word of a process in which the agent's code ran: whatever it holds is taken as text and numbers only.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from assent.core.preview import Preview, Table

_FEW = 8  # names in a sentence
_PRINTED = 1500  # characters

Report = Mapping[str, Any]


def foretold(report: Report, way: str) -> Preview:
    """The preview that a rehearsal's report makes; `ValueError` where it has not the form of one."""
    try:
        return _foretold(report, way)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"the report has not its form: {type(error).__name__}") from None


def _foretold(report: Report, way: str) -> Preview:
    frames = {str(name): frame for name, frame in report["frames"].items()}
    attempts = report["attempts"]
    outside = [*_files(attempts), *_others(attempts)]
    changes = [f"{name}: {_frame(frame)}" for name, frame in frames.items()]
    new = {str(name): table for name, table in report["tables"].items()}
    values = [_value(str(name), a, b, bound=name in report["bound"]) for name, (a, b) in report["values"].items()]
    deleted = [f"{_names(report['deleted'])} deleted"] if report["deleted"] else []
    raised, stopped = str(report["raised"]), bool(attempts["stopped"])
    where = f" (line {int(report['line'])})" if report["line"] else ""
    fails = [f"raises {raised}{where}"] if raised and not stopped else []
    tables = [_table(name, table) for name, frame in frames.items() for table in frame["tables"]]
    tables += [_table(f"{name} (new)", table | {"title": "its first rows"}) for name, table in new.items()]
    effects = [*fails, *outside, *changes, *deleted, *values]
    return Preview(
        "copy",
        way,
        tuple(effects) or ("no variable, file or host is touched",),
        tuple(_gaps(report, frames, raised)),
        tuple(tables),
        str(report["printed"])[:_PRINTED],
    )


def _frame(frame: Report) -> str:
    before, after = [int(count) for count in frame["rows"]]
    counted = [(int(frame[kind]), kind) for kind in ("removed", "added")]
    parts = [f"{count:,} {_plural(count, 'row')} {kind}" for count, kind in counted if count]
    if parts:
        parts[-1] += f" ({before:,} → {after:,})"
    parts += ["rows in another order"] if frame["moved"] else []
    parts += [f"{_columns(frame['gone'])} removed"] if frame["gone"] else []
    parts += [f"{_columns(frame['new'])} added"] if frame["new"] else []
    parts += [f"column {old} renamed to {new}" for old, new in list(frame["renamed"].items())[:_FEW]]
    parts += [f"column {name} from {a} to {b}" for name, (a, b) in list(frame["dtypes"].items())[:_FEW]]
    parts += _nulls(frame["nulls"])
    parts += [
        f"{int(count):,} {_plural(count, 'value')} of {name} changed"
        for name, count in list(frame["values"].items())[:_FEW]
        if name not in frame["nulls"] or abs(frame["nulls"][name][1] - frame["nulls"][name][0]) != count
    ]
    return ", ".join(parts) or (
        "set again" if frame["counted"] or frame["unseen"] else "set again, without a difference"
    )


def _nulls(nulls: Mapping[Any, Any]) -> list[str]:
    """The columns with the same change in one part."""
    alike: dict[int, list[Any]] = {}
    for name, (before, after) in nulls.items():
        alike.setdefault(int(after) - int(before), []).append(name)
    return [
        f"{abs(more):,} {'more' if more > 0 else 'fewer'} {_plural(abs(more), 'null')} in {_names(names)}"
        for more, names in list(alike.items())[:_FEW]
    ]


def _value(name: str, before: Any, after: Any, *, bound: bool) -> str:
    if bound:
        return f"{name} is new: {after}"
    return f"{name}: {before} → {after}" if before != after else f"{name} is changed: {after}"


def _files(attempts: Report) -> list[str]:
    where = {"over": ", over the one that is there", "end": ", at the end of the one that is there"}
    return [f"writes the file {path}{where.get(str(how), '')}" for path, how in attempts["writes"]]


def _others(attempts: Report) -> list[str]:
    lines = [f"tries to {act}" for act in attempts["acts"]]
    lines += [f"connects to {host}" for host in attempts["hosts"]]
    lines += [f"starts a process: {command}" for command in attempts["processes"]]
    return lines + ([f"runs native code: {_names(attempts['native'])}"] if attempts["native"] else [])


def _gaps(report: Report, frames: Mapping[str, Report], raised: str) -> Iterable[str]:
    stopped, offline = bool(report["attempts"]["stopped"]), bool(report["attempts"]["offline"])
    if stopped and raised and offline:  # what a library says of a network that is not there fills lines
        yield "The copy may not reach the network and went no further: what comes after is not known."
    elif stopped and raised:
        yield f"The copy may not do that and went no further ({raised}): what comes after is not shown."
    elif stopped:
        yield "The copy may not do that, so what depends on it may turn out otherwise."
    if report["attempts"]["native"]:
        yield "What native code does is not seen: it may write files, reach hosts, or change anything here."
    for name, frame in frames.items():
        if frame["counted"]:
            yield f"{name}: its rows were counted, not compared one by one."
        if frame["unseen"]:
            yield f"{name}: there was no time to compare the values of {_names(frame['unseen'])}."
    for name, problem in report["unlike"].items():
        yield f"{name} could not be compared ({problem})."


def _table(name: str, table: Report) -> Table:
    rows = [tuple([None if cell is None else str(cell) for cell in row]) for row in table["rows"]]
    columns = tuple([str(column) for column in table["columns"]])
    return Table(f"{name}: {table['title']}", columns, tuple(rows), int(table["total"]))


def _columns(names: Iterable[Any]) -> str:
    found = list(names)
    return f"{_plural(len(found), 'column')} {_names(found)}"


def _names(names: Iterable[Any]) -> str:
    found = [str(name) for name in names]
    return ", ".join(found[:_FEW]) + (f" and {len(found) - _FEW} more" if len(found) > _FEW else "")


def _plural(count: Any, noun: str) -> str:
    return noun if int(count) == 1 else f"{noun}s"
