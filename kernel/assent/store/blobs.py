"""Large payloads, kept once each under the sha256 of their bytes, beside the journal."""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from assent.core.errors import StoreError

FOLDER = "blobs"  # in the workspace's folder


def put(folder: Path, data: bytes) -> str:
    """Keep `data` durably and return its digest (sha256, hexadecimal)."""
    name = hashlib.sha256(data).hexdigest()
    target = _path(folder, name)
    with contextlib.suppress(FileNotFoundError):
        os.utime(target)  # `payloads.sweep` leaves alone what is young
        return name
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
    return name


def get(folder: Path, name: str) -> bytes:
    """The bytes kept under a digest; `StoreError` if they are missing or were changed."""
    try:
        data = _path(folder, name).read_bytes()
    except OSError as error:
        raise StoreError(f"Payload {name[:12]} of the workspace is missing ({error.strerror}).") from None
    if hashlib.sha256(data).hexdigest() != name:
        raise StoreError(f"Payload {name[:12]} of the workspace was changed on disk.")
    return data


def _path(folder: Path, name: str) -> Path:
    return folder / name[:2] / name[2:]
