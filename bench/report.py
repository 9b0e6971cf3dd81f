"""A figure, a table of figures, and the same as JSON."""

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("assent", "duckdb", "pydantic", "httpx", "httpx-aiohttp", "aiohttp")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value beside the floor's.

    `aim` bounds the value, `aim_ratio` the value over the floor; `least` bounds the value from below.
    """

    name: str
    value: float
    unit: str
    floor: float | None = None
    aim: float | None = None
    aim_ratio: float | None = None
    least: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None

    @property
    def verdict(self) -> str:
        """ "met" or "missed", "" where nothing is aimed at."""
        if self.aim is not None:
            return "met" if self.value <= self.aim else "missed"
        if self.least is not None:
            return "met" if self.value >= self.least else "missed"
        if self.aim_ratio is not None and self.ratio is not None:
            return "met" if self.ratio <= self.aim_ratio else "missed"
        return ""


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    head = ("", "Assent", "floor", "ratio", "aim", "")
    rows = [head, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |" for row in rows]
    rule = f"|{'|'.join('-' * (width + 2) for width in widths)}|"
    return "\n".join([lines[0], rule, *lines[1:]])


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "command": f"python -m bench {' '.join(sys.argv[1:])}".strip(),
        **{name: version(name) for name in PACKAGES},
    }


def write(path: Path, figures: Sequence[Figure]) -> None:
    """The figures and the machine as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = [asdict(figure) | {"ratio": figure.ratio, "verdict": figure.verdict} for figure in figures]
    path.write_text(json.dumps({"machine": machine(), "figures": values}, indent=2) + "\n", "utf-8")


def _row(figure: Figure) -> tuple[str, ...]:
    floor = "" if figure.floor is None else _short(figure.floor)
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    aim = "" if figure.aim is None else f"≤ {_short(figure.aim)}"
    if figure.least is not None:
        aim = f"≥ {_short(figure.least)}"
    if figure.aim_ratio is not None:
        aim = f"≤ {figure.aim_ratio:g} of floor"
    return figure.name, f"{_short(figure.value)} {figure.unit}".strip(), floor, ratio, aim, figure.verdict


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
