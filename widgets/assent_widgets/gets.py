"""What a tool gets, where that is not just what was written: a line of the card."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from assent_widgets.escape import visible

_MOST = 12
_VALUE = 120  # characters of a value


def difference(arguments: Mapping[str, Any], gets: Mapping[str, Any] | None) -> str:
    """Each value that the arguments do not say in these words, by its name; "" where there is none."""
    found = list(_differing(arguments, gets, "")) if gets is not None else []
    more = [f"and {len(found) - _MOST} more"] if len(found) > _MOST else []
    return ", ".join([*found[:_MOST], *more])


def _differing(written: Any, gets: Any, name: str) -> Iterator[str]:
    if isinstance(written, Mapping) and isinstance(gets, Mapping):
        for key, value in sorted(gets.items(), key=lambda item: item[0] not in written):  # what is filled in is last
            yield from _differing(written.get(key), value, f"{name}.{key}" if name else key)
    elif isinstance(written, list) and isinstance(gets, list) and len(written) == len(gets):
        for place, (item, value) in enumerate(zip(written, gets, strict=True)):
            yield from _differing(item, value, f"{name}[{place}]")
    elif not _alike(written, gets):
        yield f"{visible(name)} = {_short(gets)}"


def _alike(written: Any, gets: Any) -> bool:
    """Whether both read the same: 5 and "5" do, true and "true" do not."""
    if any(item is None or isinstance(item, bool | list | Mapping) for item in (written, gets)):
        return bool(written == gets)
    return str(written) == str(gets)


def _short(value: Any) -> str:
    text = visible(json.dumps(value, ensure_ascii=False, default=str))
    if len(text) <= _VALUE:
        return text
    half = _VALUE // 2
    return f"{text[:half]}… {len(text) - 2 * half:,} characters …{text[-half:]}"
