"""The preview of the `python` tool: on a copy of the kernel where one can be confined, else by the code's text."""

from collections.abc import Callable, MutableMapping
from typing import Any

from assent.core.preview import Preview
from assent.sandbox.copy import on_copy
from assent.tools.by_text import LONGEST, by_text
from assent.tools.foresee import at_home, left, none
from assent.tools.foretold import foretold
from assent.tools.rehearse import rehearsal

COPY = "Tried on a copy of the kernel, without network, files to write, or other processes."
_SPARE = 0.2  # seconds for ending the copy and reading the text if it does not end
_COMPARING = 0.75  # of the copy's time after which it takes no long comparison up


def python_preview(
    namespace: Callable[[], MutableMapping[str, Any]], transform: Callable[[str], str]
) -> Callable[..., Any]:
    """The preview over a namespace that is looked up at each call; `transform` as for the tool."""

    async def preview(code: str) -> Preview:
        return await _previewed(transform(code), namespace())

    return preview


async def _previewed(code: str, namespace: MutableMapping[str, Any]) -> Preview:
    seconds = max(left() - _SPARE, left() / 2)
    work = rehearsal(code, namespace, seconds * _COMPARING)
    copied = await at_home(lambda: on_copy(work, seconds))  # a copy of the thread that runs the code
    problem = copied.problem
    if copied.report is not None:
        try:
            return foretold(copied.report, COPY)
        except ValueError as error:
            problem = str(error)
    if len(code) > LONGEST:
        return none(f"The code was too long to look at ({len(code):,} characters), and {problem}.")
    gap = "What it computes, and what functions that it calls do, is not known."
    return Preview("text", f"Read from the code's text, because {problem}.", tuple(by_text(code, namespace)), (gap,))
