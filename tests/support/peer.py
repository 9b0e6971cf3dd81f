"""Another process on a workspace: it does what it is told, a line of Python at a time."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

_BEGIN = """
import json, sys, traceback
names = {"folder": sys.argv[1]}
for line in sys.stdin:
    try:
        code = json.loads(line)
        try:
            answer = eval(compile(code, "<peer>", "eval"), names)
        except SyntaxError:
            answer = exec(compile(code, "<peer>", "exec"), names)
        print(json.dumps([answer, None], default=str), flush=True)
    except BaseException as error:
        print(json.dumps([None, traceback.format_exc()]), flush=True)
"""
_JOURNAL = """
from pathlib import Path
from assent.core.events import Event, Kind
from assent.store.journal import Journal
journal = Journal(Path(folder))
def note(run, text="", kind=Kind.MODEL_FAILED, **columns):
    journal.append([Event(kind=kind, run=run, body={"error": text}, **columns)]).result(20)
"""


class Peer:
    """A child process with names of its own. `do` evaluates an expression there, or executes statements."""

    def __init__(self, folder: Path, begin: str = _JOURNAL) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BEGIN, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin
        assert self._process.stdout
        self._in, self._out = self._process.stdin, self._process.stdout
        self.do(begin)

    @property
    def pid(self) -> int:
        return self._process.pid

    def do(self, code: str) -> Any:
        """What the code gives, as JSON; its traceback as a RuntimeError."""
        self.begin(code)
        return self.end()

    def begin(self, code: str) -> None:
        """Have it done, without waiting."""
        self._in.write(json.dumps(code) + "\n")
        self._in.flush()

    def end(self) -> Any:
        """What came of the oldest `begin`."""
        answer, error = json.loads(self._out.readline())
        if error:
            raise RuntimeError(error)
        return answer

    def kill(self) -> None:
        """SIGKILL, and wait until it is dead."""
        os.kill(self.pid, signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()
