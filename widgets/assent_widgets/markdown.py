"""The little Markdown that models write, as HTML. Everything is escaped first; links and images stay as typed."""

import re
from collections import deque
from collections.abc import Callable

from assent_widgets.escape import escape
from assent_widgets.style import PRE, pre

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r"^ {0,3}#{1,6}\s+(?=\S)")
_RULE = re.compile(r"^ {0,3}(?:-{3,}|\*{3,}|_{3,})\s*$")
_ITEM = re.compile(r"^(\s*)(?:([-*+])|(\d{1,9})[.)])\s+(.*)$")
_CODE = re.compile(r"(?<!`)(`++)([^`]+)\1(?!`)")
_BOLD = re.compile(r"\*\*(?=\S)([^*]+)(?<=\S)\*\*|(?<!\w)__(?=\S)([^_]+)(?<=\S)__(?!\w)")
_ITALIC = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*]+)(?<=[^\s*])\*(?![\w*])|(?<!\w)_(?=\S)([^_]+)(?<=\S)_(?!\w)")
_CELL = "padding:3px 10px;text-align:left;border-bottom:1px solid rgba(127, 127, 127, 0.3)"
_TABLE = "border-collapse:collapse;margin:6px 0;font-size:95%"

_DEEPEST = 8  # a list nested deeper goes on at this depth, so no input exhausts the stack

Lines = deque[str]


def markdown_html(text: str) -> str:
    """`text` as HTML: paragraphs, emphasis, code, lists, tables, headings (bold), quotes."""
    lines = deque(text.splitlines())
    out: list[str] = []
    while lines:
        if lines[0].strip():
            out.append(next(block for begins, block in _BLOCKS if begins(lines))(lines))
        else:
            lines.popleft()
    return "".join(out)


def _inline_html(text: str) -> str:
    """One line: code, bold, italic."""
    out, at = [], 0
    for found in _CODE.finditer(text):
        out += [_emphasis(text[at : found.start()]), f"<code>{escape(found[2].strip())}</code>"]
        at = found.end()
    return "".join([*out, _emphasis(text[at:])])


def _emphasis(text: str) -> str:
    bold = _BOLD.sub(lambda found: f"<strong>{found[1] or found[2]}</strong>", escape(text))
    return _ITALIC.sub(lambda found: f"<em>{found[1] or found[2]}</em>", bold)


def _fence(lines: Lines) -> str:
    mark = (_FENCE.match(lines.popleft()) or [""])[0].strip()
    body = []
    while lines:
        line = lines.popleft()
        if line.strip().startswith(mark) and not line.strip().strip(mark[0]):
            break
        body.append(line)
    return pre(escape("\n".join(body)), PRE)


def _heading(lines: Lines) -> str:
    words = lines.popleft().strip().strip("#").strip()
    return f"<p><strong>{_inline_html(words)}</strong></p>"


def _rule(lines: Lines) -> str:
    lines.popleft()
    return "<hr>"


def _quote(lines: Lines) -> str:
    body = []
    while lines and lines[0].lstrip().startswith(">"):
        body.append(_inline_html(lines.popleft().lstrip()[1:].strip()))
    return f"<blockquote>{'<br>'.join(body)}</blockquote>"


def _is_dashes(line: str) -> bool:
    """Whether a line is what stands between a table's head and body."""
    return "-" in line and "|" in line and not line.strip(" \t|:-")


def _table(lines: Lines) -> str:
    head = _cells(lines.popleft(), "th")
    lines.popleft()
    rows = []
    while lines and "|" in lines[0]:
        rows.append(f"<tr>{_cells(lines.popleft(), 'td')}</tr>")
    return f'<table style="{_TABLE}"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _cells(line: str, tag: str) -> str:
    cells = line.strip().removeprefix("|").removesuffix("|").split("|")
    return "".join([f'<{tag} style="{_CELL}">{_inline_html(cell.strip())}</{tag}>' for cell in cells])


def _list(lines: Lines, level: int = 1) -> str:
    """Items of one depth; deeper ones become a list inside the item before them."""
    first = _ITEM.match(lines[0])
    assert first is not None  # _BLOCKS asks first
    depth, ordered = len(first[1]), first[3]
    items: list[str] = []
    while lines and (found := _ITEM.match(lines[0])):
        if len(found[1]) > depth + 1 and items and level < _DEEPEST:
            items[-1] += _list(lines, level + 1)
        elif len(found[1]) < depth or bool(found[3]) != bool(ordered):
            break
        else:
            lines.popleft()
            items.append(_inline_html(found[4]) + _continuation(lines))
        _skip_gap(lines)
    tag = f'ol start="{int(ordered)}"' if ordered else "ul"
    return f"<{tag}>{''.join([f'<li>{item}</li>' for item in items])}</{tag[:2]}>"


def _continuation(lines: Lines) -> str:
    """Lines that go on with an item: indented, and no item themselves."""
    more = []
    while lines and lines[0].startswith(" ") and lines[0].strip() and not _ITEM.match(lines[0]):
        more.append(" " + _inline_html(lines.popleft().strip()))
    return "".join(more)


def _skip_gap(lines: Lines) -> None:
    """A blank line between two items does not end their list."""
    if len(lines) > 1 and not lines[0].strip() and _ITEM.match(lines[1]):
        lines.popleft()


def _paragraph(lines: Lines) -> str:
    body = [lines.popleft()]
    while lines and lines[0].strip() and not any(begins(lines) for begins, _ in _BLOCKS[:-1]):
        body.append(lines.popleft())
    return f"<p>{'<br>'.join([_inline_html(line.strip()) for line in body])}</p>"


_BLOCKS: tuple[tuple[Callable[[Lines], object], Callable[[Lines], str]], ...] = (
    (lambda lines: _FENCE.match(lines[0]), _fence),
    (lambda lines: _HEADING.match(lines[0]), _heading),
    (lambda lines: _RULE.match(lines[0]), _rule),
    (lambda lines: lines[0].lstrip().startswith(">"), _quote),
    (lambda lines: "|" in lines[0] and len(lines) > 1 and _is_dashes(lines[1]), _table),
    (lambda lines: _ITEM.match(lines[0]), _list),
    (lambda lines: True, _paragraph),
)
