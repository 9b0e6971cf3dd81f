"""A rehearsal: run code on a copy of this process, and report what it did to the variables there.

Everything here but `rehearsal` runs in the copy (`sandbox.copy`). It touches no database, log, socket or display.
"""

import asyncio
import contextlib
import errno
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from types import ModuleType
from typing import Any

from assent.core.words import words
from assent.tools import touched
from assent.tools.attempts import Attempts, heard
from assent.tools.evaluate import FILE, Capture, evaluate
from assent.tools.frame_diff import difference, differs, rows_of, snapshot
from assent.tools.looks import is_variable
from assent.tools.names import Names, names_in
from assent.tools.preview import is_frame, preview

_WORD = re.compile(r"[^\W\d]\w*")
_FOREIGN = frozenset({"ctypes", "_ctypes", "cffi", "_cffi_backend"})
_PRINTED = 20_000  # characters that are kept
_TOLD = 2_000
_REPR = 120
_FRAMES = 40  # tables that are compared, variables that are told
_HELD = 200_000_000  # bytes of a table that is copied before, where pandas cannot do it for nothing


def rehearsal(
    code: str, namespace: MutableMapping[str, Any], seconds: float
) -> Callable[[], Iterator[Mapping[str, Any]]]:
    """What `sandbox.copy.on_copy` is to run, within `seconds`: `code` in `namespace`. Each report is plain values:

    `attempts` (tools.attempts), `raised` and `line`, `printed`, `frames` (tools.frame_diff, by name), `tables` of new
    tables, `unlike` those that could not be compared, `values` before and after by name, `bound`, `changed`, `deleted`.
    """
    until = time.monotonic() + seconds
    return lambda: _rehearsed(code, namespace, until)


def _rehearsed(code: str, namespace: MutableMapping[str, Any], until: float) -> Iterator[Mapping[str, Any]]:
    names = names_in(code)
    begun = touched.begin(code, namespace)
    frames = _frames(namespace, names)
    texts = {name: _text(namespace[name]) for name in _mentioned(names, namespace) if not is_frame(namespace[name])}
    attempts = heard()
    attempts.native.update(dict.fromkeys(_native(code, begun, namespace)))
    _hush(attempts)
    printed = Capture(_PRINTED)
    raised, line = "", 0
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            asyncio.new_event_loop().run_until_complete(evaluate(code, namespace))
        except MemoryError:
            raised = "MemoryError: the copy may not take as much memory"
        except BaseException as error:
            raised, line = _told(error), _line(error)
            if isinstance(error, OSError) and error.errno == errno.EBADF:
                attempts.broken()
        done = attempts.to_json()
        found = touched.end(begun, namespace, failed=bool(raised))
        told = {"attempts": done, "raised": raised, "line": line, "printed": printed.text()[:_TOLD]}
        for moment in (time.monotonic(), until):  # counted at once, then compared while there is time
            yield told | _compared(namespace, frames, texts, found, moment)


def _native(code: str, begun: touched.Begun, namespace: Mapping[str, Any]) -> list[str]:
    """What the code has at hand to call native code by without another word: a function of a library, a library."""
    reached = sorted(name for name in {*_WORD.findall(code), *begun.behind.reads} if name in namespace)
    roots = {name: type(namespace[name]).__module__.partition(".")[0] for name in reached}
    return [name for name, root in roots.items() if root in _FOREIGN] + (["cffi"] if "cffi" in code else [])


def _frames(namespace: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """The tables as they are before, which in place or through a function may change."""
    known = {name: value for name, value in list(namespace.items()) if is_variable(name) and is_frame(value)}
    if known and int(sys.modules["pandas"].__version__.partition(".")[0]) < 3:
        mentioned = _mentioned(names, namespace)
        known = {name: known[name] for name in known if name in mentioned and _size(known[name]) < _HELD}
    return {name: snapshot(value) for name, value in known.items()}


def _size(frame: Any) -> int:
    return int(frame.memory_usage(index=False).sum())


def _mentioned(names: Names, namespace: Mapping[str, Any]) -> list[str]:
    """The variables whose value before may be of interest."""
    said = names.loaded | names.stored | names.words | names.deleted
    found = [name for name in list(namespace) if is_variable(name) and (names.anything or name in said)]
    return found[:_FRAMES]


def _compared(
    namespace: Mapping[str, Any],
    frames: Mapping[str, Any],
    texts: Mapping[str, str],
    found: touched.Touched,
    until: float,
) -> dict[str, Any]:
    changed = set(found.changed)
    differing: dict[str, Any] = {}
    unlike: dict[str, str] = {}
    for name, before in frames.items():
        after = namespace.get(name)
        if is_frame(after) and differs(before, after) and len(differing) < _FRAMES:
            changed.add(name)
            try:
                differing[name] = difference(before, after, until)
            except Exception as error:  # tables hold all kinds of values; the rest of the report is of use
                unlike[name] = type(error).__name__
    values = {}
    for name, value in list(namespace.items()):
        if not is_variable(name) or name in differing or isinstance(value, ModuleType):
            continue
        if name in found.bound or name in texts or (name in changed and name in frames):
            before = texts.get(name, _text(frames[name]) if name in frames else "")
            values[name] = [before, _text(value)]
    new = [name for name in found.bound if is_frame(namespace.get(name))]
    return {
        "frames": differing,
        "unlike": unlike,
        "values": dict([(name, pair) for name, pair in values.items() if name in found.bound or name in changed or
                        pair[0] != pair[1]][:_FRAMES]),
        "tables": {name: rows_of(namespace[name]) for name in new[:_FRAMES]},
        "bound": list(found.bound),
        "changed": sorted(changed),
        "deleted": list(found.deleted),
    }  # fmt: skip


def _text(value: Any) -> str:
    if is_frame(value):
        return f"DataFrame, {len(value):,} rows, {len(value.columns):,} columns"
    text = " ".join(preview(value).split())
    return text if len(text) <= _REPR else f"{text[:_REPR]}…"


def _told(error: BaseException) -> str:
    try:
        said = error.msg if isinstance(error, SyntaxError) else words(error)
    except Exception:  # a foreign exception's own text may fail
        said = ""
    return f"{type(error).__name__}: {said}"[:500] if said else type(error).__name__


def _line(error: BaseException) -> int:
    """The line of the code itself in which it was raised."""
    if isinstance(error, SyntaxError) and error.filename == FILE:
        return error.lineno or 0
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == FILE]
    return lines[-1] or 0 if lines else 0


def _hush(attempts: Attempts) -> None:
    """What IPython displays goes out by sockets that the copy no longer has; its shell commands need a terminal."""
    with contextlib.suppress(Exception):
        shell = sys.modules["IPython"].get_ipython()
        if shell is not None:
            shell.display_pub.publish = lambda *_, **__: None
            shell.display_pub.clear_output = lambda *_, **__: None
            shell.system = shell.system_raw = shell.system_piped = shell.getoutput = attempts.start
