"""A measurement that needs a Python process to itself."""

import json
import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]  # where `python -m bench.…` is found


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process took from exec to exit, in ms of CPU, and what it printed."""

    cpu: float
    printed: str


def spend(*arguments: str, python: Path | str = sys.executable) -> Spent:
    """Run Python with these arguments to its end; an error if it fails."""
    with subprocess.Popen([python, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"`python {' '.join(arguments)[:200]}` ended with status {process.returncode}.")
    return Spent((usage.ru_utime + usage.ru_stime) * 1e3, printed)


def ask(*arguments: str, python: Path | str = sys.executable) -> dict[str, Any]:
    """Run Python with these arguments; the JSON object that it prints."""
    value: dict[str, Any] = json.loads(spend(*arguments, python=python).printed)
    return value


def peak_memory() -> float:
    """The most memory that this process has held, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would tell the parent's peak where that was higher
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
