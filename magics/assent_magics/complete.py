"""Completion after `%agent`: sub-commands, agents, runs, calls that wait, models, options."""

import re
from collections.abc import Iterable
from typing import Any

from IPython.core.completer import SimpleCompletion, context_matcher

from assent.core.errors import AssentError
from assent_magics import options
from assent_magics.desk import Desk
from assent_magics.manage import COMMANDS

_LINE = re.compile(r".*?(%%?)agent\s+(.*)$", re.DOTALL)


def matcher(desk: Desk) -> Any:
    """A matcher for IPython's completer over what this desk knows."""

    @context_matcher(identifier="assent.agent")  # type: ignore[untyped-decorator]  # IPython is typed in part
    def agent_matcher(context: Any) -> dict[str, Any]:
        match = _LINE.match(context.line_with_cursor[: context.cursor_position])
        if not match:
            return {"completions": []}
        before, _, word = match[2].rpartition(" ")
        found = [name for name in _candidates(desk, match[1], before.split()) if name.startswith(word)]
        completions = [SimpleCompletion(text=name, type="agent") for name in found]
        return {"completions": completions, "matched_fragment": word, "suppress": bool(found), "ordered": True}

    return agent_matcher


def _candidates(desk: Desk, sign: str, before: list[str]) -> Iterable[str]:
    known = options.RUN if sign == "%%" else (COMMANDS[before[0]].options if before and before[0] in COMMANDS else {})
    if before and before[-1] in known:
        return known[before[-1]].choices
    try:
        return [*_names(desk, sign, before), *known]
    except AssentError:  # a workspace that cannot be opened must not make the Tab key fail
        return list(known)


def _names(desk: Desk, sign: str, before: list[str]) -> Iterable[str]:
    if not before:
        return [*desk.session.agents(), "sql"] if sign == "%%" else COMMANDS
    if sign == "%%" or len(before) > 1:
        return []
    match before[0]:
        case "show" | "resume" | "stop":
            return [
                row[0] for row in desk.session.journal.select("SELECT run FROM runs ORDER BY started DESC LIMIT 50")
            ]
        case "approve" | "reject":
            return [item.call for item in desk.session.pending()]
        case "help":
            return COMMANDS
        case _:
            return []
