"""Texts without what differs from one machine, process or hour to the next, so that a recording fits on all of them.

Only what cannot be data is put aside: the run's own id, addresses in memory, where this machine keeps the notebook, the
home, temporary files and Python, and a moment that lies within the run itself.
"""

import contextlib
import functools
import os
import re
import sys
import sysconfig
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assent.core.messages import Message, to_json
from assent.core.secrets import hide

_ADDRESS = re.compile(r"(?<=\bat )0x[0-9a-fA-F]{6,16}\b")
_CELL = re.compile(r"\bipykernel_\d+(?=[/\\])")  # the kernel's process, in the file names of a notebook's cells
_MOMENT = re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?\b")
_SLACK = 2.0  # seconds: a moment may be rounded
_OURS = re.compile(r"[a-z2-9]{10}\.\d+")  # core.ids.call_id


def portable(text: str, run: str = "", since: float | None = None) -> str:
    """`text` of the run with that id; with `since`, seconds since the epoch, moments from then until now are hidden."""
    text = hide(text)
    if run:
        text = text.replace(run, "RUN")
    text = _CELL.sub("ipykernel", _ADDRESS.sub("0x…", text))
    for name, place in _places():
        if place in text:
            text = re.sub(rf"(?<![\w./-]){re.escape(place)}(?![\w.-])", name, text)
    return text if since is None else _MOMENT.sub(lambda match: _moment(match[0], since), text)


def told(message: Message, run: str = "", since: float | None = None) -> dict[str, Any]:
    """A message as it is compared, in plain JSON values: without what only its vendor reads.

    A call's id that we made up ourselves counts as none: another run calls the same call otherwise.
    """
    value = to_json(message)
    for part in value["parts"]:
        part.pop("extra", None)
        if _OURS.fullmatch(part.get("id", "")):
            part["id"] = ""
        if message.role != "assistant" and "text" in part:
            part["text"] = portable(part["text"], run, since if message.role == "tool" else None)
    return value


def _places() -> list[tuple[str, str]]:
    """Names for places of this machine, the innermost first."""
    named = [("<python>", place) for place in _python()]
    named += [("<tmp>", tempfile.gettempdir()), ("<home>", os.path.expanduser("~"))]
    with contextlib.suppress(OSError):  # it was removed
        named.append(("<folder>", os.getcwd()))
    return sorted([item for item in named if len(Path(item[1]).parts) > 1], key=lambda item: -len(item[1]))


@functools.cache
def _python() -> frozenset[str]:
    paths = sysconfig.get_paths()
    return frozenset([paths["stdlib"], paths["purelib"], paths["platlib"], sys.prefix, sys.base_prefix])


def _moment(text: str, since: float) -> str:
    try:
        moment = datetime.fromisoformat(text.replace(",", "."))
    except ValueError:
        return text
    read = [moment] if moment.tzinfo else [moment, moment.replace(tzinfo=UTC)]  # a naive one may be of either
    within = any(since - _SLACK <= item.timestamp() <= time.time() + _SLACK for item in read)
    return "<now>" if within else text
