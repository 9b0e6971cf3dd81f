"""A copy of this process, made by fork: it computes one report, acts on nothing, and is ended at its deadline."""

import asyncio
import contextlib
import gc
import json
import os
import select
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from assent.sandbox.confine import confine

MEMORY = 2 << 30  # bytes that a copy may take in addition, where the machine has twice as many to spare
LONGEST = 256_000  # bytes of a report
_QUIET = "a copy that tried it ended without a report"
_UNCONFINED, _FAILED = "unconfined", "failed"

Report = Mapping[str, Any]
Work = Callable[[], Iterable[Report]]  # each report is fuller than the one before, should there be no time for the next


@dataclass(frozen=True, slots=True)
class Copied:
    """What came of a copy: its last report as plain JSON values, and why there is no further one, if it was ended.

    `confined` False: nothing was run in it. The report is the word of whatever ran there, which may lie.
    """

    report: Report | None
    problem: str = ""
    confined: bool = True


async def on_copy(work: Work, seconds: float, memory: int = MEMORY) -> Copied:
    """Run `work` in a confined copy of this process, forked by the thread that calls, and give its last report.

    Of the threads only that one is in the copy: `work` must wait for no other, and locks that they hold stay locked.
    It has `seconds`, then it is killed; so it is when this is cancelled.
    """
    if not hasattr(os, "fork") or sys.platform != "linux":
        return Copied(None, f"a copy of a process cannot be confined on {sys.platform}", confined=False)
    until = time.monotonic() + seconds
    try:
        pid, process, report = _fork(work, min(memory, _spare() // 2))
    except OSError as error:
        return Copied(None, f"no copy could be made: {error.strerror or error}", confined=False)
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Copied] = loop.create_future()

    def settle(copied: Copied) -> None:
        if not done.done():
            done.set_result(copied)

    def watch() -> None:
        copied = _watched(pid, process, report, until, seconds)
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(settle, copied)

    threading.Thread(target=watch, name="assent-copy", daemon=True).start()
    try:
        return await done
    except asyncio.CancelledError:
        with contextlib.suppress(OSError):  # it has ended, and its descriptor is closed
            signal.pidfd_send_signal(process, signal.SIGKILL)
        raise


def probed(seconds: float = 5.0) -> Copied:
    """Whether this machine lets a copy be confined: what comes of one that does nothing. Waits for it."""
    if sys.platform != "linux":
        return Copied(None, f"a copy of a process cannot be confined on {sys.platform}", confined=False)
    try:
        return _watched(*_fork(lambda: [{}], MEMORY), time.monotonic() + seconds, seconds)
    except OSError as error:
        return Copied(None, f"no copy could be made: {error.strerror or error}", confined=False)


def _fork(work: Work, memory: int) -> tuple[int, int, int]:
    """The copy's process id and descriptor, and where its report comes from."""
    reading, writing = os.pipe()
    parent = os.getpid()
    held = signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())  # or the copy would handle one
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # threads: `on_copy` says what holds for them
            pid = os.fork()
        if pid == 0:
            _be_copy(work, writing, memory, parent)
    except BaseException:
        os.close(reading)
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        os.close(writing)
    try:
        return pid, os.pidfd_open(pid), reading
    except OSError:  # without it nobody could be sure to end the right process
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(reading)
        raise


def _be_copy(work: Work, writing: int, memory: int, parent: int) -> None:
    """In the copy: confine it, work, report, and end without a word to anything that it inherited."""
    leave = os._exit
    try:
        gc.disable()  # or what is let go of would be taken apart as if it were the original
        sys.dont_write_bytecode = True
        asyncio._set_running_loop(None)
        try:
            confine(writing, memory, parent)
        except OSError as error:
            _send(writing, {_UNCONFINED: error.strerror or str(error)})
            return
        try:
            for report in work():
                _send(writing, report)
        except Exception as error:
            _send(writing, {_FAILED: f"{type(error).__name__}: {error}"})
    finally:
        leave(0)


def _send(writing: int, report: Report) -> None:
    data = json.dumps(report).encode()[:LONGEST] + b"\n"
    while data:
        data = data[os.write(writing, data) :]


def _watched(pid: int, process: int, report: int, until: float, seconds: float) -> Copied:
    """In a thread: the report, as soon as it is whole; in any case the copy is gone when this returns."""
    try:
        data, late = _received(process, report, until)
    finally:
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(process, signal.SIGKILL)
        status = -1
        with contextlib.suppress(ChildProcessError):  # somebody else waits for every child of the process
            status = os.waitpid(pid, 0)[1]
        os.close(report)
        os.close(process)
    return _read(data, f"a copy that tried it did not end within {seconds:.2g} s" if late else _ended(status))


def _read(data: bytes, ended: str) -> Copied:
    """The last whole report."""
    found = None
    for line in data.split(b"\n")[:-1]:
        try:
            report = json.loads(line)
        except (ValueError, RecursionError):
            report = None
        if not isinstance(report, dict):
            broken = "was too long" if len(data) > LONGEST else "could not be read"
            return Copied(found, f"the report of a copy that tried it {broken}")
        if _UNCONFINED in report:
            return Copied(None, f"a copy could not be confined: {str(report[_UNCONFINED])[:200]}", confined=False)
        if _FAILED in report:
            return Copied(found, f"a copy that tried it failed with {str(report[_FAILED])[:200]}")
        found = report
    if len(data) > LONGEST:
        return Copied(found, "the report of a copy that tried it was too long")
    return Copied(found, ended if found is None or ended != _QUIET else "")


def _received(process: int, report: int, until: float) -> tuple[bytes, bool]:
    """All that the copy writes until it ends, and whether it has not ended in time."""
    data = bytearray()
    poll = select.poll()
    poll.register(report, select.POLLIN)
    poll.register(process, select.POLLIN)
    while len(data) <= LONGEST:
        left = until - time.monotonic()
        ready = dict(poll.poll(max(left, 0) * 1000)) if left > 0 else {}
        if not ready:
            return bytes(data), True
        if report in ready:
            if not (piece := os.read(report, 65_536)):
                break
            data += piece
        elif process in ready:
            break
    return bytes(data), False


def _ended(status: int) -> str:
    if status >= 0 and os.WIFSIGNALED(status):
        return f"a copy that tried it was ended by {signal.Signals(os.WTERMSIG(status)).name}"
    return _QUIET


def _spare() -> int:
    """Bytes of memory that the machine could still give."""
    with open("/proc/meminfo") as lines:
        return next((int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")), MEMORY)
