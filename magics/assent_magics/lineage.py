"""`%agent blame` and `%agent rebuild`: who wrote a variable or a file, and how to have one back after a restart."""

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from assent.core.errors import ConfigError, NotFound
from assent.core.ids import KERNEL
from assent.jupyter import frontend
from assent.tools.looks import is_variable
from assent_magics import options
from assent_magics.desk import Desk
from assent_widgets.escape import plural

if TYPE_CHECKING:
    from assent.history.blame import Writer
    from assent.history.pieces import Piece
    from assent.history.rebuild import Plan

_VERBS = {"bound": "made", "changed": "last written", "deleted": "deleted", "saved": "last saved", "removed": "removed"}
_WIDE = 80  # signs of a line of code or of a question
_MANY = 12  # variables that a sentence names


def blame(desk: Desk, rest: str) -> Any:
    """Who wrote a variable or a file: a sentence on the latest, and all of them as a table, newest first."""
    from assent.history import blame as blaming  # imports duckdb
    from assent.history.pieces import places

    words, _ = options.split(rest, options.NONE)
    if len(words) != 1:
        raise ConfigError("Give one variable or file: %agent blame df, or %agent blame out/report.csv.")
    name, journal = words[0], desk.session.journal
    place = _place(desk)
    found = blaming.blame_variable(journal, name, place, KERNEL) if name.isidentifier() else []
    if not found:
        found = blaming.blame_file(journal, name)
        if not found:
            raise NotFound(
                _nobody(desk, name, blaming.near(journal, name, [item for item in desk.namespace if is_variable(item)]))
            )
        at = blaming.changed_since(os.path.abspath(name), found[0])
        since = f"\nIt was changed since, on {_at(at)}, by something that Assent did not see." if at else ""
        print(_sentence(name, found[0]) + since)
    else:
        print(_sentence(name, found[0]) + _elsewhere(desk, name, found[0], [place, *places(journal, place)]))
    return _table([_row(name, writer) for writer in found])


def rebuild(desk: Desk, rest: str) -> Any:
    """Which variables of the last kernel are gone, and what to run, in order, to have them back; it runs nothing."""
    from assent.history.rebuild import plan  # imports duckdb

    words, _ = options.split(rest, options.NONE)
    place = _place(desk)
    there = {name for name in desk.namespace if is_variable(name)}
    found = plan(desk.session.journal, place, KERNEL, there, words)
    if found is None:
        print("The journal knows of no earlier kernel of this notebook. Cells are kept once a workspace is open.")
        return None
    print(_account(found, there))
    return _table([_step(*item) for item in zip(found.steps, found.makes, _notes(found), strict=True)])


def _place(desk: Desk) -> str | None:
    """Where this notebook is; by its id, which is told to the journal first, its earlier places are found."""
    return frontend.provenance().notebook if desk.notebook else None


def _sentence(name: str, writer: "Writer") -> str:
    at, code = _at(writer.at), f": {_line(writer.code, name)}" if writer.code else "."
    if writer.by == "cell":
        number = f" [{writer.count}]" if writer.count else ""
        of = f" of {os.path.basename(writer.notebook)}" if writer.notebook else ""
        return f"{name} was {_VERBS[writer.how]} on {at} by your cell{number}{of}{code}"
    asked = f', asked "{_short(writer.prompt)}"' if writer.prompt else ""
    if writer.by == "answer":
        return f"{name} is the answer of the agent {writer.agent} (run {writer.run}){asked}, bound on {at}."
    let = f"approved by {writer.approved_by}" if writer.approved_by else "not asked about"
    by = f"the agent {writer.agent} (run {writer.run}, step {writer.step}, call {writer.call}){asked}, {let}"
    return f"{name} was {_VERBS[writer.how]} on {at} by {by}{code}"


def _elsewhere(desk: Desk, name: str, latest: "Writer", here: Sequence[str | None]) -> str:
    if latest.kernel != KERNEL and latest.notebook not in here:
        return f"\nNobody has written {name} in this notebook."
    if name not in desk.namespace and latest.how != "deleted":
        return f"\nThis kernel does not have it: %agent rebuild {name}"
    return ""


def _nobody(desk: Desk, name: str, near: Sequence[str]) -> str:
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    if name in desk.namespace:
        return f"{name} is here, but nobody has recorded who wrote it: before Assent was loaded, or with lineage off."
    if os.path.exists(name):
        return f"No agent is known to have written {name}, and what your own cells do to files is not recorded.{meant}"
    return f"Nobody has written a variable or file {name!r}.{meant} SELECT * FROM writes shows all."


def _row(name: str, writer: "Writer") -> dict[str, Any]:
    return {
        "time (UTC)": _utc(writer.at).replace(tzinfo=None), "how": writer.how, "by": writer.by,
        "notebook": writer.notebook, "cell": writer.cell, "number": writer.count, "run": writer.run,
        "agent": writer.agent, "step": writer.step, "call": writer.call, "approved by": writer.approved_by or None,
        "asked": _short(writer.prompt) or None, "code": _line(writer.code, name) or None,
    }  # fmt: skip


def _account(plan: "Plan", there: set[str]) -> str:
    """What `rebuild` says above its table."""
    had = f"The last kernel ended after {_at(plan.ended)} with {plural(len(plan.had), 'variable')}"
    if not plan.gone:
        return f"{had}; all of them are here."
    lines = [f"{had}; to be made again: {_listed(plan.gone)}."]
    if lost := [name for name in plan.missing if name not in there]:
        lines.append(f"Missing: {_listed(lost)}. No recorded cell made them; make them first.")
    if used := [name for name in plan.missing if name in there]:
        lines.append(f"Used as they are here now: {_listed(used)}.")
    if plan.files:
        lines.append(f"Files that are not there: {_listed(plan.files)}.")
    for step in plan.steps:
        if step.call:
            lines.append(f"\n# {step.call}, by the agent {step.agent}\n{step.code}")
    steps = plural(len(plan.steps), "step")
    return "\n".join([*lines, f"\nNothing was run. {steps}, in this order:" if plan.steps else ""])


def _step(step: "Piece", makes: Sequence[str], note: str) -> dict[str, Any]:
    return {
        "run": step.kind, "number": step.count, "cell": step.cell, "run id": step.run, "call": step.call,
        "makes": ", ".join(makes), "code": _line(step.code) or None, "note": note or None,
    }  # fmt: skip


def _notes(plan: "Plan") -> list[str]:
    return [_note(step, plan) for step in plan.steps]


def _note(step: "Piece", plan: "Plan") -> str:
    if step.kind == "answer":
        return f"the answer of the run {step.run}: %agent show {step.run}"
    if step.digest in plan.again:
        return "ran in this kernel already"
    return "ended with an error" if step.failed else ""


def _table(rows: list[dict[str, Any]]) -> Any:
    """The rows, without the columns that none of them fills."""
    import pandas  # takes 0.3 s to import: not before there is a table to show

    frame = pandas.DataFrame(rows).dropna(axis="columns", how="all")
    numbers = [name for name in ("number", "step") if name in frame]
    return frame.astype(dict.fromkeys(numbers, "Int64"))


def _utc(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC).replace(microsecond=0)


def _at(at: float) -> str:
    return f"{_utc(at):%Y-%m-%d %H:%M} UTC"


def _line(code: str, name: str = "") -> str:
    """The first line that begins with that name, else the first that says something."""
    from assent.history.pieces import first_line  # imports duckdb

    about = re.search(rf"^\s*{re.escape(name)}\b.*", code, re.MULTILINE) if name else None
    return _short(about[0] if about else first_line(code))


def _short(text: str) -> str:
    line = text.strip().partition("\n")[0]
    return line if len(line) <= _WIDE else line[: _WIDE - 1] + "…"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
    return ", ".join(names[:_MANY]) + more
