"""The pieces of a transcript, calls and words, as static HTML and as plain text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assent_widgets.calls import Call
from assent_widgets.escape import clean, clip, escape, reveal
from assent_widgets.markdown import markdown_html
from assent_widgets.style import (
    AMBER,
    ANSWER,
    BLUE,
    ERROR_PRE,
    GREEN,
    MUTED,
    OUTPUT,
    REASONING,
    RED,
    SMALL,
    STEP,
    badge,
    note,
    pre,
)
from assent_widgets.tables import table_html, table_text
from assent_widgets.typed import typed_html, typed_text

_SOURCE = 12_000
_OUTPUT = 3_000
_SAID = 1_000
_WORDS = 40_000
_DONE = ("done", "failed")
_COLOURS = {
    "being written": BLUE, "proposed": BLUE, "running": BLUE, "waiting for approval": AMBER, "interrupted": AMBER,
    "not performed": AMBER,
    "approved": GREEN, "done": GREEN, "failed": RED, "denied": RED, "rejected": RED,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """A complete text. `kind`: prompt, thought, said (beside calls), answer, typed; note, error or quiet about the run.

    A typed one is JSON.
    """

    text: str
    kind: str
    title: str = ""


def words_html(words: Words) -> str:
    """Words as static HTML; none for no words."""
    text = clip(words.text, _WORDS)
    if not text.strip() and not words.title:
        return ""
    title = f"<strong>{escape(words.title)}</strong> " if words.title else ""
    match words.kind:
        case "thought":
            return thought_html(escape(text))
        case "answer":
            return f'<div style="{ANSWER}">{markdown_html(text)}</div>'
        case "typed":
            return typed_html(words.text)
        case "said":
            return f"<div>{markdown_html(text)}</div>"
        case "note" | "error":
            return note(f"{title}{_lines(text)}", RED if words.kind == "error" else AMBER)
        case _:
            return f'<div style="{SMALL}">{title}{_lines(text)}</div>'


def words_text(words: Words) -> str:
    """Words as plain text."""
    text = clean(clip(words.text, _WORDS)).strip()
    match words.kind:
        case "thought":
            return f"(thinking) {clip(text, _SAID)}" if text else ""
        case "typed":
            return typed_text(words.text)
        case "prompt":
            return "\n".join([f"> {line}" for line in text.splitlines()])
        case _:
            return f"{clean(words.title)} {text}".strip()


def thought_html(body: str, *, open_: bool = False) -> str:
    """A model's reasoning, folded away unless it is just being written. `body` is escaped."""
    fold = "<details open>" if open_ else "<details>"
    inner = f'<div class="assent-body" style="{REASONING}">{body}</div>'
    return f'{fold}<summary style="{SMALL}">Reasoning</summary>{inner}</details>'


def call_html(call: Call) -> str:
    """A call as static HTML."""
    if call.on_card:
        return f'<div style="{STEP}">{_title_html(call)}</div>'
    out = [_title_html(call)]
    if call.source:
        out.append(pre(escape(reveal(clip(call.source, _SOURCE)))))
    out += [f'<div style="{SMALL}">{escape(clip(said, _SAID))}</div>' for said in call.said]
    if call.state in _DONE:
        out.append(_outcome_html(call))
    return f'<div style="{STEP}">{"".join(out)}</div>'


def call_text(call: Call) -> str:
    """A call as plain text."""
    title = clean(" · ".join([call.tool or "…", *_title(call)]))
    if call.on_card:
        return title
    out = [title, _indented(reveal(clip(call.source, _SOURCE)))]
    out += [_indented(clean(clip(said, _SAID)), "  * ") for said in call.said]
    if call.state in _DONE:
        out.append(_indented(_outcome_text(call)))
    return "\n".join([part for part in out if part.strip()])


def _title(call: Call) -> list[str]:
    seconds = [] if call.duration is None else [f"{call.duration:.2f} s"]
    return [call.state, *([call.privilege] if call.privilege else []), *seconds]


def _title_html(call: Call) -> str:
    state, *rest = [escape(item) for item in _title(call)]
    word = badge(state, _COLOURS[call.state]) if call.state in _COLOURS else state
    details = f'<span style="{MUTED}">{"".join([f" · {item}" for item in rest])}</span>'
    return f'<div style="font-size:90%"><strong>{escape(call.tool or "…")}</strong> · {word}{details}</div>'


def _outcome_html(call: Call) -> str:
    display = call.display
    match display.get("type"):
        case "table":
            return table_html(display["columns"], display["rows"], display.get("total"))
        case "python":
            names = _names(display)
            blocks = [pre(escape(text), style) for text, style in _python_parts(display)]
            if table := display.get("table"):
                blocks.append(table_html(table["columns"], table["rows"], table.get("total")))
            return "".join(blocks) + (f'<div style="{SMALL}">{escape(names)}</div>' if names else "")
        case _:
            style = ERROR_PRE if call.state == "failed" else OUTPUT
            return pre(escape(clip(call.text, _OUTPUT)), style) if call.text else ""


def _outcome_text(call: Call) -> str:
    display = call.display
    match display.get("type"):
        case "table":
            return table_text(display["columns"], display["rows"], display.get("total"))
        case "python":
            parts = [clean(text) for text, _ in _python_parts(display)]
            if table := display.get("table"):
                parts.append(table_text(table["columns"], table["rows"], table.get("total")))
            return "\n".join([*parts, clean(_names(display))])
        case _:
            return clean(clip(call.text, _OUTPUT))


def _python_parts(display: Mapping[str, Any]) -> list[tuple[str, str]]:
    """stdout, result and traceback, as far as there are any, each with its style."""
    parts = [(display.get("stdout"), OUTPUT), (display.get("result"), OUTPUT), (display.get("traceback"), ERROR_PRE)]
    return [(clip(text.rstrip("\n"), _OUTPUT), style) for text, style in parts if text]


def _names(display: Mapping[str, Any]) -> str:
    """Which variables it bound, changed, deleted."""
    found = [(word, display.get(word)) for word in ("bound", "changed", "deleted")]
    return "; ".join([f"{word} {', '.join(map(str, names))}" for word, names in found if names])


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _indented(text: str, by: str = "    ") -> str:
    return "\n".join([by + line for line in text.splitlines()])
