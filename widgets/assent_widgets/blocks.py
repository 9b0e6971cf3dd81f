"""Blocks: the pieces in which a live view receives a transcript."""

from dataclasses import dataclass

from assent_widgets.calls import Call
from assent_widgets.escape import clean
from assent_widgets.render import Words, call_html, call_text, thought_html, words_html, words_text
from assent_widgets.stream import Stream
from assent_widgets.summary import Summary, summary_html, summary_text

Item = Summary | Call | Words | Stream


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the display. Empty ones keep their place. `append` adds `html` to the body instead of replacing it."""

    id: str
    html: str
    append: bool = False


def changed_blocks(key: str, item: Item) -> list[Block]:
    """What a live view must be told of an item that changed."""
    if not isinstance(item, Stream):
        return whole_blocks(key, item)
    frame = [] if item.begun else [Block(key, _frame(item, ""))]
    done = item.take()
    more = [Block(key, done, append=True)] if done else []
    return [*frame, *more, Block(_tail(key), item.tail)]


def whole_blocks(key: str, item: Item) -> list[Block]:
    """An item as a live view has it once it was told of every change."""
    if isinstance(item, Stream):
        return [Block(key, _frame(item, item.taken)), Block(_tail(key), item.tail)]
    if isinstance(item, Words):  # may have taken the place of a stream, whose tail must go
        return [Block(key, item_html(item)), Block(_tail(key), "")]
    return [Block(key, item_html(item))]


def item_html(item: Item) -> str:
    """An item as static HTML."""
    match item:
        case Summary():
            return summary_html(item)
        case Call():
            return call_html(item)
        case Words():
            return words_html(item)
        case Stream():
            return _frame(item, item.html)


def item_text(item: Item) -> str:
    """An item as plain text."""
    match item:
        case Summary():
            return summary_text(item)
        case Call():
            return call_text(item)
        case Words():
            return words_text(item)
        case Stream():
            return clean(item.words)


def _frame(stream: Stream, body: str) -> str:
    return thought_html(body, open_=True) if stream.plain else f'<div class="assent-body">{body}</div>'


def _tail(key: str) -> str:
    return f"{key}.tail"
