"""Pictures for the model: taken from whatever a user has, kept among the payloads, fetched before a request."""

import io
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from assent.core.errors import AssentError, ConfigError, StoreError
from assent.core.messages import Image, Message
from assent.core.taint import Source
from assent.runs.run import Run
from assent.store import blobs

LIMIT = 20_000_000  # bytes of one picture; the largest vendor's own limit
_MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


def keep(folder: Path, source: Any, names: Mapping[str, Any]) -> dict[str, str]:
    """Put a picture among the payloads of the workspace `folder`; the fields of its `Image`, for the journal.

    `source` is bytes, a path, a figure with `savefig`, a picture with `save`, or the name of one of these in `names`.
    """
    data = _bytes(source, names)
    media_type = _media_type(data, source)
    return {"media_type": media_type, "digest": blobs.put(folder / blobs.FOLDER, data)}


def keep_all(folder: Path, sources: Any, names: Mapping[str, Any]) -> list[dict[str, str]]:
    """`keep` for each of several pictures; one by itself needs no list around it."""
    several = sources if isinstance(sources, (list, tuple)) else [sources]
    return [keep(folder, source, names) for source in several]


def shown(sources: Any, names: Mapping[str, Any]) -> list[Source]:
    """Where pictures come from: variables, and files. What is given as it is, the analyst has made."""
    found: list[Source] = []
    for source in sources if isinstance(sources, (list, tuple)) else [sources]:
        named = names.get(source) if isinstance(source, str) else None
        if named is not None:
            found.append(Source("variable", source))
        if isinstance(path := source if named is None else named, (str, os.PathLike)):
            found.append(Source("file", os.fspath(path)))
    return found


def load(run: Run) -> None:
    """Fetch the bytes of the pictures in a run's conversation, where they are not there yet."""
    messages = run.state.messages
    for place, message in enumerate(messages):
        if message.role == "user" and len(message.parts) > 1:
            messages[place] = _loaded(message, run.journal.folder)


def _loaded(message: Message, folder: Path) -> Message:
    parts = [
        replace(part, data=_fetched(folder, part)) if isinstance(part, Image) and not part.data else part
        for part in message.parts
    ]
    return replace(message, parts=tuple(parts), encoded={})


def _fetched(folder: Path, image: Image) -> bytes:
    try:
        return blobs.get(folder / blobs.FOLDER, image.digest)
    except StoreError as error:  # what is lost is one payload: the run fails, the workspace goes on
        raise AssentError(f"A picture of the run cannot be shown: {error} Put it back, then resume the run.") from None


def _bytes(source: Any, names: Mapping[str, Any]) -> bytes:
    if isinstance(source, str):
        named = names.get(source)
        if named is None or isinstance(named, str):
            return _of_file(Path(named or source).expanduser())
        source = named
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source)
    if isinstance(source, os.PathLike):
        return _of_file(Path(source))
    return _drawn(source)


def _of_file(path: Path) -> bytes:
    try:
        if path.stat().st_size > LIMIT:
            raise _too_large(path.stat().st_size, path)
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError(f"The image {str(path)!r} cannot be read: {reason}. Give a file or a variable.") from None
    except ValueError as error:
        raise ConfigError(f"{str(path)!r} is no name for a file: {error}.") from None


def _drawn(source: Any) -> bytes:
    """The PNG of a matplotlib figure, of axes, of a PIL image; the bytes of an IPython Image."""
    if isinstance(data := getattr(source, "data", None), bytes):
        return data
    figure: Any = source if hasattr(source, "savefig") else getattr(source, "figure", None)
    buffer = io.BytesIO()
    try:
        if callable(getattr(figure, "savefig", None)):
            figure.savefig(buffer, format="png")
        elif callable(getattr(source, "save", None)):
            source.save(buffer, format="PNG")
    except Exception as error:  # whatever another library raises as it draws
        raise ConfigError(f"The {type(source).__name__} could not be drawn: {error}.") from None
    if not buffer.getvalue():
        raise ConfigError(f"A {type(source).__name__} is no image: give a file, bytes or a figure.")
    return buffer.getvalue()


def _media_type(data: bytes, source: Any) -> str:
    if len(data) > LIMIT:
        raise _too_large(len(data), source)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    for magic, media_type in _MAGIC.items():
        if data.startswith(magic):
            return media_type
    raise ConfigError(f"The image{_called(source)} is none that a model can see: use PNG, JPEG, GIF or WebP.")


def _too_large(size: int, source: Any) -> ConfigError:
    return ConfigError(
        f"The image{_called(source)} has {size / 1e6:.0f} MB, and {LIMIT / 1e6:.0f} MB is the most: make it smaller."
    )


def _called(source: Any) -> str:
    return f" {str(source)!r}" if isinstance(source, (str, os.PathLike)) else ""
