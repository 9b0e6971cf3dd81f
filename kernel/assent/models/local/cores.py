"""How many threads a computation that fills a core should use."""

import os
import subprocess
import sys
from pathlib import Path


def physical_cores() -> int:
    """Physical cores that this process may use: hyper-threads count once, a container's CPU limit counts."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, _physical() or allowed, _quota() or allowed))


def _physical() -> int | None:
    if sys.platform == "darwin":  # performance cores only: the others slow every step down to their pace
        return _sysctl("hw.perflevel0.physicalcpu") or _sysctl("hw.physicalcpu")
    folders = Path("/sys/devices/system/cpu").glob("cpu[0-9]*/topology/thread_siblings_list")
    try:
        return len({path.read_text() for path in folders}) or None
    except OSError:
        return None


def _sysctl(name: str) -> int | None:
    try:
        return int(subprocess.run(["sysctl", "-n", name], capture_output=True, text=True, check=True).stdout)
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None


def _quota() -> int | None:
    """The CPU limit of a Linux container (cgroup v2), rounded down."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):
        return None
