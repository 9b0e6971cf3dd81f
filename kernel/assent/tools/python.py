"""The `python` tool: run code in the analyst's namespace and say what it printed, gave, raised and changed."""

import contextlib
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import replace
from typing import Any

from assent.core.ids import KERNEL
from assent.core.taint import Sources
from assent.core.words import trace
from assent.tools import touched
from assent.tools.entering import at_hand
from assent.tools.evaluate import FILE, Capture, evaluate
from assent.tools.execute import clip
from assent.tools.files_written import watched
from assent.tools.guard import TimeUp
from assent.tools.preview import is_frame, preview
from assent.tools.python_preview import python_preview
from assent.tools.sql import table_display
from assent.tools.tool import Output, Tool, tool
from assent.tools.uncut import uncut
from assent.tools.variables import variables

_LOOKED_AT = 1000  # items of a container, columns of a table, rows where their hash is no sum of cells


def python_tool(
    namespace: Callable[[], MutableMapping[str, Any]], transform: Callable[[str], str] = lambda code: code
) -> Tool[Any, Any]:
    """The tool over a namespace looked up at each call; `transform` turns a front end's syntax into plain Python."""

    would = python_preview(namespace, transform)

    @tool(name="python", privilege="execute_risky", here=True, source="none", preview=would)
    async def python(code: str) -> Output:
        """Run Python in the notebook's live namespace; the last expression's value comes back. It asks first."""
        return await run(transform(code), namespace())

    return python


async def run(code: str, namespace: MutableMapping[str, Any]) -> Output:
    """Execute `code` (top-level await allowed) and report it; only an interrupt or a cancellation gets out."""
    begun, before = touched.begin(code, namespace), _fingerprints(namespace)
    printed = Capture()
    value: Any = None
    raised: str | None = None
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), uncut(), watched() as files:
        try:
            value = await evaluate(code, namespace)
        except (Exception, SystemExit, TimeUp) as error:
            raised = _traceback(error)
    changes = _compare(before, _fingerprints(namespace))
    names = touched.end(begun, namespace, failed=raised is not None, seen=changes["changed"])
    touched.by_calls.update(names.bound, names.changed, names.deleted)
    account = names.to_json() | {"kernel": KERNEL, "files": (), "removed": ()} | files.to_json()
    report = _report(printed.text(), None if raised else value, raised, changes, account)
    return replace(report, sources=(*variables(begun, names), *files.read, *_at_hand(code, begun, namespace)))


def _at_hand(code: str, begun: touched.Begun, namespace: Mapping[str, Any]) -> Sources:
    return at_hand(code, begun.names.loaded, begun.behind.reads, namespace)


def _fingerprints(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """For each public name something that differs once the value was bound anew or a DataFrame changed in place."""
    return {
        name: (id(value), _contents(value))
        for name, value in list(namespace.items())
        if not name.startswith("_") and name not in ("In", "Out")
    }


def _compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[str]]:
    """Which names were bound, changed and deleted between two fingerprints."""
    return {
        "bound": sorted(name for name in after if name not in before),
        "changed": sorted(name for name in after if name in before and after[name] != before[name]),
        "deleted": sorted(name for name in before if name not in after),
    }


def _contents(value: Any) -> Any:
    try:
        if is_frame(value):
            return (value.shape, tuple(map(str, value.columns[:_LOOKED_AT])), _checksum(value))
        if isinstance(value, list | dict | set):
            return len(value), hash(repr(value)) if _is_small(value) else None
    except (Exception, SystemExit):  # what the namespace holds may be odd in any way; the code must run all the same
        return None
    return None


def _is_small(value: Any) -> bool:
    """Whether a container's text is worth its making: neither it nor what is right in it holds many items."""
    items = value.values() if isinstance(value, dict) else value
    sized = (list, dict, set, tuple, str, bytes)
    return len(value) < _LOOKED_AT and all(len(item) < _LOOKED_AT for item in items if isinstance(item, sized))


def _checksum(frame: Any) -> Any:
    if frame.size > 5_000_000 or len(frame.columns) > _LOOKED_AT:
        return None
    from pandas.util import hash_pandas_object  # loaded already: the namespace holds a DataFrame

    try:
        return int(hash_pandas_object(frame, index=True).sum())
    except TypeError:  # a cell that cannot be hashed, a list say
        return hash(frame.head(_LOOKED_AT).to_string())


def _traceback(error: BaseException) -> str:
    """The traceback from the agent's own code on, without ours."""
    begins = error.__traceback__
    while begins is not None and begins.tb_frame.f_code.co_filename != FILE:
        begins = begins.tb_next
    return trace(error, begins)


def _shown(value: Any, text: str | None) -> dict[str, Any]:
    with contextlib.suppress(Exception, SystemExit):  # a cell whose text raises: the preview says so
        if is_frame(value):
            return {"table": table_display(value)}
    return {"result": text}


def _report(
    printed: str, value: Any, raised: str | None, changes: dict[str, list[str]], account: dict[str, Any]
) -> Output:
    shown = None if value is None else preview(value, rows=10)
    parts = [clip(printed.rstrip(), 10_000)] if printed.strip() else []
    if shown is not None:
        parts.append(f"result: {shown}")
    if raised:
        parts.append(raised)
    parts += [f"{verb}: {', '.join(names)}" for verb, names in changes.items() if names]
    display = {
        "type": "python",
        "stdout": clip(printed, 10_000),
        **_shown(value, shown),
        "traceback": raised,
        **changes,
    }
    return Output("\n".join(parts) or "done", display, value, error=raised is not None, touched=account)
