"""Forks children that have everything imported already, so that a hundred of them can be killed in little time."""

import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from importlib import import_module
from types import TracebackType


class Nursery:
    """A process that forks `function` (`module:name`) with the given arguments, one child at a time."""

    def __init__(self, function: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.nursery", function],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        assert self._process.stdin
        assert self._process.stdout
        self._in, self._out = self._process.stdin, self._process.stdout

    def __enter__(self) -> "Nursery":
        assert self._out.readline() == "ready\n"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.communicate()

    def kill_after(self, seconds: float, *arguments: str) -> int:
        """Begin a child and kill it then; its exit code, if it had ended by itself, or minus the signal's number."""
        print("\t".join([str(seconds), *arguments]), file=self._in)
        return int(self._out.readline())


def _serve(function: Callable[..., None]) -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        seconds, *arguments = line.rstrip("\n").split("\t")
        child = os.fork()
        if child == 0:
            _live(function, arguments)
        time.sleep(float(seconds))
        os.kill(child, signal.SIGKILL)  # its parent has not waited for it, so the number is nobody else's yet
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _live(function: Callable[..., None], arguments: list[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        function(*arguments)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    place, _, name = sys.argv[1].partition(":")
    _serve(getattr(import_module(place), name))
