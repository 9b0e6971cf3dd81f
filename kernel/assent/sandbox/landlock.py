"""Linux's Landlock: what a process may do in the file system and to other processes, for ever."""

import contextlib
import ctypes
import errno
import os
import struct

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446  # the same on every architecture
_VERSION = 1
_PATH_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
# How many rights of the file system each version knows: see linux/landlock.h.
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_CONNECT_AND_BIND = 0b11  # TCP; from version 4 on
_SCOPES = 0b11  # abstract sockets of others, signals to others; from version 6 on
_DEVICES = ("null", "zero", "full", "random", "urandom")


def version(libc: ctypes.CDLL) -> int:
    """Which version the kernel has; `OSError` where it has none, or it is switched off."""
    found: int = libc.syscall(_CREATE, None, 0, _VERSION)
    if found < 1:
        raise OSError(ctypes.get_errno() or errno.ENOSYS, "Landlock is not to be had")
    return found


def restrict(libc: ctypes.CDLL) -> None:
    """Let this process read ordinary files and list folders, and nothing more; no device but the harmless ones.

    It can look into no process outside either. Needs no_new_privs; `OSError` where something is refused.
    """
    known = version(libc)
    rights = (1 << _RIGHTS.get(known, 16)) - 1
    network = _CONNECT_AND_BIND if known >= 4 else 0
    scopes = _SCOPES if known >= 6 else 0
    wanted = struct.pack("=QQQ", rights, network, scopes)[: 8 if known < 4 else 16 if known < 6 else 24]
    rules = _checked(libc.syscall(_CREATE, wanted, len(wanted), 0), "a Landlock ruleset")
    _allow(libc, rules, "/", _READ_DIR)
    for name in os.listdir("/"):
        if name != "dev":
            _allow(libc, rules, f"/{name}", _READ_FILE)
    for name in _DEVICES:
        _allow(libc, rules, f"/dev/{name}", _READ_FILE)
    _checked(libc.syscall(_RESTRICT, rules, 0), "Landlock")
    os.close(rules)


def _allow(libc: ctypes.CDLL, rules: int, path: str, rights: int) -> None:
    with contextlib.suppress(OSError):  # one that is not there, or cannot be entered, stays forbidden
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            _checked(libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", rights, place), 0), path)
        finally:
            os.close(place)


def _checked(result: int, what: str) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{what} was refused")
    return result
