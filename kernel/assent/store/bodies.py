"""An event's body as its row holds it: JSON text, of a large one the beginnings, the whole in a blob."""

import json
from pathlib import Path

from assent.core.events import Event
from assent.store import blobs
from assent.store.rows import encoded

BLOB_BYTES = 64 * 1024  # what a row holds at most
_EXCERPT = 2_000  # characters of a text that is set aside which stay in the row, for the views


def text_of(folder: Path, event: Event) -> str:
    """The text for the row; a large body is kept durably among the blobs of the workspace in `folder`."""
    text = encoded(event.body)
    if len(text) <= BLOB_BYTES:
        return text
    name = blobs.put(folder / blobs.FOLDER, text.encode())
    kept = {key: value for key, value in event.body.items() if len(encoded(value)) <= _EXCERPT}
    excerpts = {
        key: value[:_EXCERPT] + "…" for key, value in event.body.items() if isinstance(value, str) and key not in kept
    }
    return encoded(kept | excerpts | {"blob": name, "bytes": len(text)})


def restored(folder: Path, event: Event) -> Event:
    """The event, with the body put back that was set aside."""
    if name := event.body.get("blob"):
        event.body = json.loads(blobs.get(folder / blobs.FOLDER, name))
    return event
