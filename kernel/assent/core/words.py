"""An error's own words, without the values that pydantic quotes cut in the middle: no mask knows half an address."""

import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from assent.core.canonical import plain


def words(error: BaseException) -> str:
    """What the error says, for whoever may read it masked only; also where it repeats what another one has said."""
    text = str(plain(error))
    for item in _behind(error, set()):
        if (short := _without_inputs(item)) is not None:
            text = text.replace(str(plain(item)), short)
    return text


def trace(error: BaseException, begins: TracebackType | None) -> str:
    """The error as Python shows it, from the frame `begins` on, each one of its chain in its `words`."""
    shown = traceback.TracebackException(type(error), error, begins, compact=True)
    _reword(shown, error)
    return "".join(shown.format()).rstrip()


def _reword(shown: traceback.TracebackException, error: BaseException) -> None:
    if (said := words(error)) != plain(error):
        vars(shown)["_str"] = said  # the only way to other words: a ValidationError cannot be made anew
    pairs: list[tuple[Any, BaseException | None]] = [
        (shown.__cause__, error.__cause__),
        (shown.__context__, error.__context__),
        *zip(shown.exceptions or (), getattr(error, "exceptions", ()), strict=False),
    ]
    for inner, of in pairs:
        if inner is not None and of is not None:
            _reword(inner, of)


def _behind(error: BaseException, seen: set[int]) -> Iterator[BaseException]:
    """The error and all that it came of."""
    if id(error) in seen:
        return
    seen.add(id(error))
    yield error
    within = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    for item in (error.__cause__, error.__context__, *within):
        if item is not None:
            yield from _behind(item, seen)


def _without_inputs(error: BaseException) -> str | None:
    """What pydantic's ValidationError says, each problem on a line; None of any other error. It is not imported."""
    if type(error).__name__ != "ValidationError" or not hasattr(error, "error_count"):
        return None
    try:
        found = error.errors(include_url=False, include_context=False, include_input=False)  # type: ignore[attr-defined]
        lines = [f"{'.'.join(map(str, item['loc'])) or 'value'}: {item['msg']}" for item in found]
        return "\n".join([f"{len(lines)} validation error{'' if len(lines) == 1 else 's'} for {_title(error)}", *lines])
    except Exception:  # one that is only called so
        return None


def _title(error: BaseException) -> str:
    return str(getattr(error, "title", "a value"))
