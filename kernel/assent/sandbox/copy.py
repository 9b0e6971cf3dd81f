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
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from assent.sandbox.confine import confine

MEMORY = 2 << 30  # bytes that a copy may take in addition, where the machine has twice as many to spare
LONGEST = 256_000  # bytes of a report
_GRACE = 0.2  # seconds of the deadline within which a report that has begun may end
_UNCONFINED, _FAILED = "unconfined", "failed"

Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Copied:
    """What came of a copy: its report as plain JSON values, or why there is none.

    `confined` False: nothing was run in it. The report is the word of whatever ran there, which may lie.
    """

    report: Report | None
    problem: str = ""
    confined: bool = True


async def on_copy(work: Callable[[], Report], seconds: float, memory: int = MEMORY) -> Copied:
    """Run `work` in a confined copy of this process, forked by the thread that calls, and give its report.

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
        return _watched(*_fork(dict, MEMORY), time.monotonic() + seconds, seconds)
    except OSError as error:
        return Copied(None, f"no copy could be made: {error.strerror or error}", confined=False)


def _fork(work: Callable[[], Report], memory: int) -> tuple[int, int, int]:
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


def _be_copy(work: Callable[[], Report], writing: int, memory: int, parent: int) -> NoReturn:
    """In the copy: confine it, work, report, and end without a word to anything that it inherited."""
    leave = os._exit
    try:
        gc.disable()  # or what is let go of would be taken apart as if it were the original
        sys.dont_write_bytecode = True
        asyncio._set_running_loop(None)
        report: Report
        try:
            confine(writing, memory, parent)
        except OSError as error:
            report = {_UNCONFINED: error.strerror or str(error)}
        else:
            try:
                report = work()
            except Exception as error:
                report = {_FAILED: f"{type(error).__name__}: {error}"}
        _send(writing, json.dumps(report).encode()[: LONGEST + 1])
    finally:
        leave(0)


def _send(writing: int, data: bytes) -> None:
    while data:
        data = data[os.write(writing, data) :]


def _watched(pid: int, process: int, report: int, until: float, seconds: float) -> Copied:
    """In a thread: the report, as soon as it is whole; in any case the copy is gone when this returns."""
    try:
        data = _received(process, report, until)
    finally:
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(process, signal.SIGKILL)
        status = -1
        with contextlib.suppress(ChildProcessError):  # somebody else waits for every child of the process
            status = os.waitpid(pid, 0)[1]
        os.close(report)
        os.close(process)
    if data is None:
        return Copied(None, f"a copy that tried it did not end within {seconds:.2g} s")
    if len(data) > LONGEST:
        return Copied(None, "the report of a copy that tried it was too long")
    if not data:
        return Copied(None, _ended(status))
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return Copied(None, "the report of a copy that tried it could not be read")
    if not isinstance(found, dict):
        return Copied(None, "the report of a copy that tried it could not be read")
    if _UNCONFINED in found:
        return Copied(None, f"a copy could not be confined: {str(found[_UNCONFINED])[:200]}", confined=False)
    if _FAILED in found:
        return Copied(None, f"a copy that tried it failed with {str(found[_FAILED])[:200]}")
    return Copied(found)


def _received(process: int, report: int, until: float) -> bytes | None:
    """All that the copy writes until it ends; None where it has not ended in time."""
    data = bytearray()
    poll = select.poll()
    poll.register(report, select.POLLIN)
    poll.register(process, select.POLLIN)
    while len(data) <= LONGEST:
        left = until - time.monotonic()
        ready = dict(poll.poll(max(left, 0) * 1000)) if left > 0 else {}
        if not ready:
            return None
        if report in ready:
            if not (piece := os.read(report, 65_536)):
                break
            data += piece
        elif process in ready:
            break
    return bytes(data)


def _ended(status: int) -> str:
    if status >= 0 and os.WIFSIGNALED(status):
        return f"a copy that tried it was ended by {signal.Signals(os.WTERMSIG(status)).name}"
    return "a copy that tried it ended without a report"


def _spare() -> int:
    """Bytes of memory that the machine could still give."""
    with open("/proc/meminfo") as lines:
        return next((int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")), MEMORY)
