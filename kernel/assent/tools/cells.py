"""Where in a text the values of a table's columns stand, as previews, results and printed tables write them."""

import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from assent.core.cargo import Cell

_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"-?(?<![\w.])\d+(?:\.\d+)?(?:e[+-]\d+)?(?!\w|\.\d)")
_GROUPED = re.compile(r"-?(?<![\w.])\d{1,3}(?:,\d{3})+(?!\d|,\d)(?:\.\d+)?(?!\w|\.\d)")  # f"{pay:,.2f}"
_NAMES = 1_000  # of a table's columns that are looked for
_SHORT = 3  # signs; a shorter value is only one where it stands like a cell of a table
_CUT = 12  # signs that are left of a value at least where it was cut
_DOTS = ("…", "...", "\n…")
_BEFORE = re.compile(r"(?:^|[,|\t(\[{\"':]|  |, |\| |: )\Z", re.MULTILINE)
_AFTER = re.compile(r"(?:$|[,|\t)\]}\"'…]|  | \|)", re.MULTILINE)


def cells(text: str, frames: Iterable[Any], rule_of: Callable[[str], str]) -> tuple[Cell, ...]:
    """The places in `text` of the values of those columns, and labels, that `rule_of` names a rule for.

    `frames` are DataFrames and Series.

    A number is found however many digits it is rounded to, a text also where its end was cut off, a date as most write
    it. What was made of a value (by `upper()`, say) is not the value any more and is not found.
    """
    ruled = [found for frame in frames for found in _columns(frame, rule_of)]
    if not ruled:
        return ()
    words: dict[str, list[int]] = {}
    for match in _WORD.finditer(text):
        words.setdefault(match[0][:_CUT], []).append(match.start())
        if match[0][0] in "nrt" and text[match.start() - 1 : match.start()] == "\\":  # a line break as JSON has it
            words.setdefault(match[0][1 : _CUT + 1], []).append(match.start() + 1)
    found: set[Cell] = set()
    for rule, column in ruled:
        if column.dtype.kind in "iuf":
            found.update([(begin, end, rule) for begin, end in _numbers(column, text)])
        else:
            found.update([(begin, end, rule) for begin, end in _texts(column, text, words)])
    return tuple(sorted(found))


def columns(frame: Any) -> list[str]:
    """The names of a table's columns, or a Series' own, and of the labels of its rows."""
    own = [frame.name] if frame.ndim == 1 else frame.columns
    return [_label(name) for name in (*own, *frame.index.names) if name is not None]


def columns_in(text: str, frames: Iterable[Any]) -> tuple[str, ...]:
    """Those of the names of some tables' columns that stand in a text."""
    names = dict.fromkeys([name for frame in frames for name in columns(frame)[:_NAMES]])
    return tuple([name for name in names if name in text and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)])


def _label(name: Any) -> str:
    return " ".join(map(str, name)) if isinstance(name, tuple) else str(name)


def _columns(frame: Any, rule_of: Callable[[str], str]) -> Iterator[tuple[str, Any]]:
    for place, name in enumerate([frame.name] if frame.ndim == 1 else frame.columns):
        if rule := rule_of(_label(name)):
            yield rule, frame if frame.ndim == 1 else frame.iloc[:, place]
    for axis in frame.axes:
        for level, name in enumerate(axis.names):
            if name is not None and (rule := rule_of(_label(name))):
                yield rule, axis.get_level_values(level)


def _numbers(column: Any, text: str) -> Iterator[tuple[int, int]]:
    """Where a number of the text is one of the column's, rounded as it is there."""
    values = column.dropna().to_numpy(dtype="float64", copy=True)
    values.sort()
    for match in (*_NUMBER.finditer(text), *_GROUPED.finditer(text)):
        number, half = float(match[0].replace(",", "")), _half_of_last(match)
        at = int(values.searchsorted(number - half))
        if at < len(values) and values[at] <= number + half and _stands_alone(text, *match.span()):
            yield match.span()


def _half_of_last(match: re.Match[str]) -> float:
    """Half of what the last digit of a number stands for: so far may it be from the value that it was rounded from."""
    mantissa, _, exponent = match[0].partition("e")
    half: float = 0.5 * 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return half * 1.000001  # a float's own error is far less than the rest


def _texts(column: Any, text: str, words: Mapping[str, Sequence[int]]) -> Iterator[tuple[int, int]]:
    for value in _candidates(column, words, escaped := "\\u" in text):
        shown = value if isinstance(value, str) else str(value)
        if _begins(shown, words) or (escaped and not shown.isascii() and _begins(json.dumps(shown), words)):
            yield from _found(value, text, words)


def _begins(value: str, words: Mapping[str, Sequence[int]]) -> bool:
    word = _WORD.search(value)
    return word is not None and word[0][:_CUT] in words


def _candidates(column: Any, words: Mapping[str, Sequence[int]], escaped: bool) -> Iterable[Any]:
    """The column's values, less those that plainly begin with another word: most of a million are told so quickly.

    `escaped`: the text may have letters as JSON writes them in ASCII.
    """
    if str(column.dtype) not in ("str", "string"):
        try:
            return column.dropna().unique()  # type: ignore[no-any-return]  # pandas, untyped here
        except TypeError:  # lists and the like have no hash
            return list(column.dropna())
    return {
        value
        for value in column.tolist()
        if isinstance(value, str)
        and (
            (first := value.partition(" ")[0])[:_CUT] in words
            or not first.isalnum()
            or (escaped and not first.isascii())
        )
    }


def _found(value: Any, text: str, words: Mapping[str, Sequence[int]]) -> Iterator[tuple[int, int]]:
    for form in _written(value):
        word = _WORD.search(form)
        for place in words.get(word[0][:_CUT], ()) if word else ():
            begin = place - word.start() if word else 0
            if begin >= 0 and (end := _end(form, text, begin)):
                yield begin, end


def _written(value: Any) -> set[str]:
    text = str(value)
    if isinstance(value, date):
        return {text, text.removesuffix(" 00:00:00"), *_dated(value)}
    if not isinstance(value, str) or (text.isalnum() and text.isascii()):
        return {text}
    coded = {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    coded |= {form.replace("/", "\\/") for form in coded}  # pandas does so
    shown = {text.replace("\n", " "), text.replace('"', '""'), repr(text)[1:-1]}  # as previews and CSV have it
    return {text, *coded, *shown, html.escape(text), html.escape(text, quote=False)}


def _dated(value: date) -> Iterator[str]:
    """As JSON has it, as `repr` does, and as people write a day."""
    yield value.isoformat()
    yield f"{value.year}, {value.month}, {value.day}"
    if isinstance(value, datetime):
        yield f"{value.year}, {value.month}, {value.day}, {value.hour}, {value.minute}"
    yield from [f"{value:{form}}" for form in ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d")]


def _end(form: str, text: str, begin: int) -> int:
    """Where the value that begins there ends, whole or cut off; 0 where it is another one."""
    if text.startswith(form, begin):
        end = begin + len(form)
        return end if _stands_alone(text, begin, end) else 0
    same = 0
    while same < len(form) and text[begin + same : begin + same + 1] == form[same]:
        same += 1
    return begin + same if same >= _CUT and text.startswith(_DOTS, begin + same) else 0


def _stands_alone(text: str, begin: int, end: int) -> bool:
    """Whether what stands there is no part of a longer word, or long itself; if short, whether it is like a cell."""
    if text[end : end + 1].isalnum() and text[end - 1].isalnum():
        return end - begin >= _CUT
    if end - begin >= _SHORT and text[begin:end] not in ("True", "False"):
        return True
    return bool(_BEFORE.search(text, max(begin - 2, 0), begin) or _AFTER.match(text, end))
