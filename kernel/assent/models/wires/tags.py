"""Thinking that stands in an answer's text, between tags at its beginning, as open models write it."""

from collections.abc import Iterator

from assent.core.model import Delta
from assent.models.wires.draft import Draft

OPEN, CLOSE = "<think>", "</think>"


def split(draft: Draft, words: str) -> Iterator[Delta]:
    """More of the text: thinking up to the closing tag, words after it. What may be half a tag waits for its rest."""
    words = draft.slots.pop("held", "") + words
    if draft.slots.get("tag", OPEN) == OPEN:
        begun = words.lstrip()
        if begun.startswith(OPEN):
            draft.slots["tag"], words = CLOSE, begun.removeprefix(OPEN)
        elif OPEN.startswith(begun):
            draft.slots["held"] = words
            return
        else:
            draft.slots["tag"] = ""
    if draft.slots["tag"] == CLOSE:
        thought, closed, words = words.partition(CLOSE)
        half = 0 if closed else _half(thought)
        yield from draft.reasoning(thought[: len(thought) - half])
        draft.slots["tag"], draft.slots["held"] = ("", "") if closed else (CLOSE, thought[len(thought) - half :])
    if words:
        yield from draft.text(words)


def rest(draft: Draft) -> Iterator[Delta]:
    """What waited for the rest of a tag that did not come."""
    if words := draft.slots.pop("held", ""):
        add = draft.reasoning if draft.slots.get("tag") == CLOSE else draft.text
        yield from add(words)


def _half(text: str) -> int:
    """How many characters at the end of the text may begin the closing tag."""
    return next((size for size in range(len(CLOSE) - 1, 0, -1) if text.endswith(CLOSE[:size])), 0)
