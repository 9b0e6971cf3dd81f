"""Fetching one large file over HTTP, going on where it broke off."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

CONNECT = 5.0  # seconds; a machine without network should get to the mirror soon
SILENCE = 30.0
ATTEMPTS = 5


class FetchError(Exception):
    """A source did not give the bytes; the message says why, without a full stop."""


def fetch(url: str, part: Path, size: int, progress: Callable[[int, int], None]) -> None:
    """Fill `part` to `size` bytes from `url`, keeping what it already holds. `FetchError` if that fails."""
    import httpx  # heavy, and only needed while fetching

    reason = ""
    with httpx.Client(follow_redirects=True, timeout=httpx.Timeout(SILENCE, connect=CONNECT)) as client:
        for _ in range(ATTEMPTS):
            before = _size(part)
            if before == size:
                return
            try:
                _go_on(client, url, part, size, progress)
            except httpx.HTTPError as error:
                reason = f"{_host(url)} {_why(error)}"
                if _size(part) == before:  # no progress: another attempt would fare no better
                    break
    if _size(part) != size:
        raise FetchError(reason or f"{_host(url)} sent {_size(part):,} of {size:,} bytes")


def _host(url: str) -> str:
    """The host in a URL, for messages."""
    return url.split("/")[2]


def _go_on(client: Any, url: str, part: Path, size: int, progress: Callable[[int, int], None]) -> None:
    start = _size(part)
    with client.stream("GET", url, headers={"range": f"bytes={start}-", "accept-encoding": "identity"}) as response:
        if response.status_code not in (200, 206):
            raise FetchError(f"{_host(url)} answered HTTP {response.status_code}")
        if response.status_code == 200:
            start = 0
        expected = start + int(response.headers.get("content-length", size - start))
        if expected != size:
            raise FetchError(f"{_host(url)} has a file of {expected:,} bytes, not {size:,}")
        with part.open("ab") as file:
            file.truncate(start)
            for chunk in response.iter_bytes():
                file.write(chunk)
                progress(start := start + len(chunk), size)


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _why(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return f"could not be reached ({text})" if "onnect" in type(error).__name__ else f"broke off ({text})"
