"""What a forked copy of this process does before anything else: it gives away all by which it could act."""

import contextlib
import ctypes
import errno
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable

from assent.sandbox import landlock, seccomp

_CLOSE_RANGE = 436
_DEATH_SIGNAL, _DUMPABLE, _NO_NEW_PRIVILEGES = 1, 4, 38  # of prctl
_PRIVATE, _FIXED, _ANONYMOUS = 0x02, 0x10, 0x20  # of mmap
_KEPT = 64 << 20  # bytes of shared memory that are copied; what is larger can no longer be touched


def confine(report: int, memory: int, parent: int) -> None:
    """Confine this process for good; `OSError` where that cannot be had, and then nothing may be run in it.

    Only the descriptor `report` stays open. Afterwards it can compute, read files, have threads and `memory` more
    bytes; it cannot write or make files, reach a network or another process, start one, or change what it shares.
    """
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, f"no way is known on {sys.platform}")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        raise OSError(errno.ESRCH, "the process that wants to know is gone")
    _quiet_signals()
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as first:
        first.write("1000")  # where memory runs out, the copy is what goes
    _close_all_but(libc, report)
    _unshare_memory(libc)
    _limit(memory)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs was refused")
    landlock.restrict(libc)
    libc.prctl(_DUMPABLE, 0, 0, 0, 0)  # no core file, nor a program that is given one
    seccomp.install(libc)
    _check(parent)


def _quiet_signals() -> None:
    """The parent's handlers would write to its loop; a signal now ends the copy."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _close_all_but(libc: ctypes.CDLL, report: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    for first, last in ((3, report - 1), (report + 1, 0xFFFFFFFF)):
        if first <= last and libc.syscall(_CLOSE_RANGE, ctypes.c_uint(first), ctypes.c_uint(last), 0):
            raise OSError(ctypes.get_errno(), "open files could not be closed")


def _unshare_memory(libc: ctypes.CDLL) -> None:
    """Put a private copy in the place of all memory that is shared: it would be written in the original, too."""
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
    with open("/proc/self/maps") as lines:
        shared = [line.split(maxsplit=2)[:2] for line in lines if line.split(maxsplit=2)[1][3] == "s"]
    room = _KEPT
    for where, rights in shared:
        begin, end = [int(part, 16) for part in where.split("-")]
        kept = b""
        if rights[0] == "r" and end - begin <= room:
            kept = _held("/proc/self/mem", begin, end - begin)
            room -= end - begin
        protection = 0b11 if kept else 0
        flags = _PRIVATE | _FIXED | _ANONYMOUS
        if libc.mmap(begin, end - begin, protection, flags, -1, 0) != begin:
            raise OSError(ctypes.get_errno(), "shared memory could not be copied")
        ctypes.memmove(begin, kept, len(kept))


def _held(memory: str, begin: int, size: int) -> bytes:
    """Read by way of a file: behind the end of a mapped file there is nothing, and to touch it would be fatal."""
    try:
        with open(memory, "rb", buffering=0) as file:
            file.seek(begin)
            return file.read(size)
    except OSError:
        return b""


def _limit(memory: int) -> None:
    with open("/proc/self/statm") as file:
        present = int(file.read().split()[0]) * resource.getpagesize()
    limits = {
        resource.RLIMIT_AS: present + memory,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
    }
    for name, most in limits.items():
        hard = resource.getrlimit(name)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(name, (most, most))


def _check(parent: int) -> None:
    """See for itself that it is confined: a kernel that says yes and does nothing is not believed."""
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    acts: dict[str, Callable[[], object]] = {
        "write": lambda: os.open(os.devnull, os.O_WRONLY),
        "signal": lambda: os.kill(parent, 0),
        "connect": lambda: probe.connect(("127.0.0.1", 9)),
        "make folders": lambda: os.mkdir("/proc/self/assent"),
    }
    for what, act in acts.items():
        try:
            act()
        except PermissionError:
            continue
        except OSError as error:
            raise OSError(errno.EPERM, f"it is not sure that it cannot {what}: {error}") from None
        raise OSError(errno.EPERM, f"it could still {what}")
    probe.close()
