"""Python code in a process of its own: for limits, locks and deaths that this one must survive."""

import subprocess
import sys


def python(code: str, *arguments: str, timeout: float = 15) -> str:
    """What `code` printed; its own traceback fails the test."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
