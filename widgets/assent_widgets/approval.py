"""What a person is asked, as the card shows it and as static text and HTML."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from assent.core.approval import Decided, Pending
from assent.core.privilege import READ_ONLY
from assent.core.run_mode import PLAN
from assent_widgets.calls import SOURCES, source_of
from assent_widgets.escape import clip, escape, hides, plural, reveal, visible
from assent_widgets.foreseen import preview_html, preview_lines, preview_view
from assent_widgets.gets import difference
from assent_widgets.style import AMBER, FRAME, GREEN, MUTED, RED, SMALL, badge, note, pre

MIME = "application/vnd.assent.approval+json"
_SHOWN = 20_000
_ASKED = 200_000  # what a person is to approve is shown whole, as far as anybody could read it
_GETS = "The tool gets"
_LOUD = ("Asked because", _GETS, "Untrusted content")  # what to look at; limits that are kept are quiet
_FOLDERS = re.compile(r".*[/\\]")
# What a person said, by whether the outcome was unknown and by verdict.
_SAID = {
    False: {"approve": "approved by {by}", "reject": "rejected by {by}", "happened": "it did happen, says {by}"},
    True: {
        "approve": "to be run again, says {by}", "reject": "it did not happen and must not, says {by}",
        "happened": "it did happen, says {by}",
    },
}  # fmt: skip
_CLASS = "assent-approval tex2jax_ignore mathjax_ignore"


def view(pending: Pending) -> dict[str, Any]:
    """All that the card shows and edits, as plain JSON values; its words are text, not HTML."""
    source, language = source_of(pending.tool, pending.arguments)
    return {
        "call": pending.call,
        "tool": reveal(pending.tool),
        "title": reveal(title(pending)),
        "privilege": pending.privilege,
        "why": reveal(pending.why),
        "asks": reveal(_asks(pending)),
        "notes": [[reveal(label), reveal(text)] for label, text in _notes(pending)],
        "loud": list(_LOUD),
        "preview": preview_view(pending.preview) if pending.preview else None,
        "where": reveal(where(pending)),
        "language": language,
        "size": plural(source.removesuffix("\n").count("\n") + 1, "line"),
        "shown": reveal(source),
        "source": source if language != "JSON" else visible_json(pending.arguments),
        "field": SOURCES.get(pending.tool) if language != "JSON" else None,
        "hides": hides(source),
        "grantable": pending.grantable and not pending.unknown,
        "unknown": pending.unknown,
        "approvals": _approvals(pending),
        "expires": _expires(pending),
        "personal": pending.personal,
    }


def title(pending: Pending) -> str:
    """The question in a line."""
    if pending.unknown:
        return f"Outcome unknown: {pending.agent} began {pending.tool}, and nobody recorded how it ended"
    if pending.tool == PLAN and pending.privilege == READ_ONLY:
        return f"{pending.agent} lays its plan before you"
    return f"{pending.agent} wants to run {pending.tool}"


def where(pending: Pending) -> str:
    """Run, call, the notebook's file and the cell."""
    parts = [f"run {pending.run}", f"call {pending.call}"]
    parts += [_FOLDERS.sub("", pending.notebook)] if pending.notebook else []
    parts += [f"cell {pending.cell}"] if pending.cell else []
    return " · ".join(parts)


def visible_json(arguments: Mapping[str, Any]) -> str:
    """Arguments as JSON text in which hidden signs are written as JSON escapes, so that an editor shows them."""
    return visible(json.dumps(dict(arguments), indent=2, ensure_ascii=False, default=str))


def pending_bundle(pending: Pending, *, running: bool = False) -> dict[str, Any]:
    """The question in static form, by MIME type: what shows where no widget can. `running`: its cell still waits."""
    how = _three_ways(pending) if pending.unknown else [_two_ways(pending)]
    then = f"%agent resume {pending.run} then goes on with the run."
    first = ["Without buttons here: interrupt the cell if it is still running."] if running else []
    return _bundle(pending, _open_state(pending), AMBER, [*first, *how, then], _ASKED)


def question_text(pending: Pending) -> str:
    """The question alone, where the answer is typed below it."""
    return str(_bundle(pending, _open_state(pending), AMBER, [], _ASKED)["text/plain"])


def decided_bundle(pending: Pending, decided: Decided) -> dict[str, Any]:
    """The question with its answer in static form, by MIME type."""
    words = [_SAID[pending.unknown][decided.verdict].format(by=decided.by or "unknown")]
    words += ["with edits"] if decided.edited else []
    words += [f"for the rest of this {decided.scope}"] if decided.scope != "once" else []
    label = "Result" if decided.verdict == "happened" else "Reason"
    reason = [f"{label}: {decided.reason}"] if decided.reason else []
    bundle = _bundle(pending, ", ".join(words), RED if decided.verdict == "reject" else GREEN, reason)
    bundle[MIME]["decided"] = asdict(decided)
    return bundle


def expired_bundle(pending: Pending) -> dict[str, Any]:
    """A question that is open no more and was not answered, in static form, by MIME type."""
    return _bundle(pending, "no longer waiting", AMBER, [f"%agent show {pending.run} tells what became of the run."])


def unseen(bundle: Mapping[str, Any]) -> dict[str, Any]:
    """A bundle that programs can still read and that shows a person nothing."""
    return {**bundle, "text/plain": "", "text/html": ""}


def _bundle(pending: Pending, state: str, colour: str, notes: list[str], limit: int = _SHOWN) -> dict[str, Any]:
    source, _ = source_of(pending.tool, pending.arguments)
    shown = clip(source, limit)
    lines = [f"Why: {line}" for line in reveal(pending.why).split("\n") if line.strip()]  # none can pass for ours
    lines += [f"Asked because: {_asks(pending)}"] if pending.asks else []
    lines += [f"{label}: {text}" for label, text in _notes(pending)]
    lines += [f"Approvals: {_approvals(pending)}"] if pending.personal else []
    lines += [f"Expires: {_expires(pending)}"] if pending.until is not None else []
    foreseen = preview_lines(pending.preview) if pending.preview else []
    text = [f"[{state}] {title(pending)}", *foreseen, *lines, *_indented(shown), where(pending), *notes]
    small = f'<div style="{SMALL}">'
    body = [
        f"<div><strong>{escape(title(pending))}</strong> · {badge(escape(state), colour)}</div>",
        preview_html(pending.preview) if pending.preview else "",
        *[_line(line) for line in lines],
        pre(_escape_exact(shown)),
        *[f"{small}{escape(line)}</div>" for line in notes],
        f'{small}<span style="{MUTED}">{escape(pending.privilege)} · {escape(where(pending))}</span></div>',
    ]
    html = f'<div class="{_CLASS}" style="{FRAME}">{note("".join(body), colour)}</div>'
    value = asdict(pending) | {"arguments": json.loads(json.dumps(dict(pending.arguments), default=str))}
    return {"text/plain": reveal("\n".join(text)), "text/html": html, MIME: {"version": 1, "pending": value}}


def _line(line: str) -> str:
    shown = escape(line)
    return f"<div><strong>{shown}</strong></div>" if line.partition(":")[0] in _LOUD else f"<div>{shown}</div>"


def _asks(pending: Pending) -> str:
    return f"{pending.asks} ({pending.rule})" if pending.rule else pending.asks


def _notes(pending: Pending) -> list[tuple[str, str]]:
    """Each in one line, whatever is in it: none may pass for another line of the card."""
    gets = difference(pending.arguments, pending.gets)
    notes = [(" ".join(label.split()), " ".join(text.split())) for label, text in pending.notes]
    return [*([(_GETS, gets)] if gets else []), *notes]


def _two_ways(pending: Pending) -> str:
    name = " --as NAME" if pending.personal else ""
    return f'Answer with %agent approve {pending.call}{name}, or %agent reject {pending.call} "why".'


def _three_ways(pending: Pending) -> list[str]:
    return [
        f"Run it again: %agent approve {pending.call}",
        f'It did happen: %agent approve {pending.call} --happened "its result"',
        f'It did not and must not: %agent reject {pending.call} "what is to be done instead"',
    ]


def _open_state(pending: Pending) -> str:
    return "outcome unknown" if pending.unknown else "pending"


def _escape_exact(source: str) -> str:
    """Source as HTML, with terminal escapes written out: what would run is shown whole."""
    return escape(reveal(source))


def _approvals(pending: Pending) -> str:
    if not pending.personal:
        return ""
    by = f" ({', '.join(pending.approved_by)})" if pending.approved_by else ""
    of = f"; it must be {' or '.join(pending.who)}" if pending.who else ""
    return reveal(f"{len(pending.approved_by)} of {pending.approvers} have approved{by}{of}, each with a passphrase")


def _expires(pending: Pending) -> str:
    if pending.until is None:
        return ""
    return f"{datetime.fromtimestamp(pending.until, UTC):%Y-%m-%d %H:%M} UTC"


def _indented(text: str) -> list[str]:
    return [f"    {line}" for line in reveal(text).split("\n")]
