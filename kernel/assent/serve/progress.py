"""A progress bar on stderr: redrawn in place on a terminal, a line for every tenth part elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

WIDTH = 30
INTERVAL = 0.1  # seconds between two drawings on a terminal


@contextmanager
def bar(title: str, stream: TextIO | None = None) -> Iterator[Callable[[int, int], None]]:
    """A function to call with the bytes that are there and their total (0: unknown)."""
    out = stream or sys.stderr
    drawing = _Terminal(title, out) if out.isatty() else _Lines(title, out)
    try:
        yield drawing
    finally:
        drawing.close()


class _Terminal:
    """Owns the terminal's last line while it is drawn."""

    def __init__(self, title: str, out: TextIO) -> None:
        self._title = title
        self._out = out
        self._drawn = float("-inf")
        self._text = ""

    def __call__(self, done: int, total: int) -> None:
        self._text = line(self._title, done, total)
        now = time.monotonic()
        if now - self._drawn >= INTERVAL:
            self._draw(now)

    def _draw(self, now: float) -> None:
        self._out.write(f"\r\x1b[2K{self._text}")
        self._out.flush()
        self._drawn = now

    def close(self) -> None:
        if self._text:
            self._draw(0)
            self._out.write("\n")


class _Lines:
    """Remembers how much a log was told."""

    def __init__(self, title: str, out: TextIO) -> None:
        self._title = title
        self._out = out
        self._tenths = -1

    def __call__(self, done: int, total: int) -> None:
        tenths = done * 10 // total if total else 0
        if tenths > self._tenths:
            self._tenths = tenths
            print(line(self._title, done, total), file=self._out, flush=True)

    def close(self) -> None:
        """A log needs no last line."""


def line(title: str, done: int, total: int) -> str:
    """The bar as text: `title [####----]  42 %  470 of 1,117 MB`."""
    if not total:
        return f"{title} {done / 1e6:,.0f} MB"
    filled = WIDTH * done // total
    bricks = "#" * filled + "-" * (WIDTH - filled)
    return f"{title} [{bricks}] {done * 100 // total:3} %  {done / 1e6:,.0f} of {total / 1e6:,.0f} MB"
