"""Linux's seccomp: from the moment it is installed, a process can make the allowed system calls only, for ever."""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterable

from assent.sandbox.syscalls import AARCH64, ABSENT, X86_64, Allowed, own_process

_LOAD, _AND, _EQUAL, _RETURN = 0x20, 0x54, 0x15, 0x06  # BPF: of a word, with a mask, jump if equal, end
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # where they stand in struct seccomp_data
_MACHINES = {"x86_64": (0xC000003E, X86_64, 317), "aarch64": (0xC00000B7, AARCH64, 277)}  # the last: seccomp itself
_SET_FILTER = 1


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def install(libc: ctypes.CDLL) -> None:
    """Confine this thread, and all that it starts; needs no_new_privs.

    `OSError` where the machine or the kernel has no such filter.
    """
    machine = platform.machine()
    if machine not in _MACHINES:
        raise OSError(errno.ENOSYS, f"seccomp is not known for {machine}")
    program = compiled(machine, os.getpid())
    given = _Program(len(program) // 8, program)
    if libc.syscall(_MACHINES[machine][2], _SET_FILTER, 0, ctypes.byref(given)):
        raise OSError(ctypes.get_errno(), "seccomp was refused")


def compiled(machine: str, pid: int) -> bytes:
    """The filter as BPF: another architecture's calls end the process, what is not allowed fails with EPERM."""
    architecture, numbers, _ = _MACHINES[machine]
    some = own_process(pid)
    code = [_line(_LOAD, _ARCHITECTURE), _line(_EQUAL, architecture, 1, 0), _line(_RETURN, _KILL)]
    code.append(_line(_LOAD, _NUMBER))
    for name, number in numbers.items():
        if name in ABSENT:
            body = [_line(_RETURN, _ERROR | errno.ENOSYS)]
        else:
            body = [*_checks(some.get(name, ())), _line(_RETURN, _ALLOW)]
        code += [_line(_EQUAL, number, 0, len(body)), *body]
    return b"".join([*code, _line(_RETURN, _ERROR | errno.EPERM)])


def _checks(wanted: Iterable[Allowed]) -> list[bytes]:
    """Go on behind these lines only if each argument is as it must be."""
    code: list[bytes] = []
    for item in wanted:
        code += [_line(_LOAD, _ARGUMENTS + 8 * item.argument + 4 * item.high), _line(_AND, item.mask)]
        for place, value in enumerate(item.values):
            code.append(_line(_EQUAL, value, len(item.values) - place, 0))  # over the others and the refusal
        code.append(_line(_RETURN, _ERROR | errno.EPERM))
    return code


def _line(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
