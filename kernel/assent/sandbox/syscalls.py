"""The system calls that a confined process may make, by architecture: what computes and reads, and nothing that acts.

Everything else fails, also what later kernels may add. The numbers are those of Linux's own headers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_LOW = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Allowed:
    """What an argument must be: its bits under `mask` one of `values`. `high`: of the upper half of its 64 bits."""

    argument: int
    values: tuple[int, ...]
    mask: int = _LOW
    high: bool = False


_WRITING = 0o3 | 0o100 | 0o1000 | 0o20000000  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_TMPFILE
_THREAD = 0x10000  # CLONE_THREAD: a thread of its own, no process
_OWN_FILE = (0, 1, 2, 3, 4, 1030)  # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC: no locks, no signals
_ASKING = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX

# What is allowed with some arguments only; `own_process` adds what depends on the process.
ONLY: Mapping[str, tuple[Allowed, ...]] = {
    "open": (Allowed(1, (0,), _WRITING),),
    "openat": (Allowed(2, (0,), _WRITING),),
    "clone": (Allowed(0, (_THREAD,), _THREAD),),
    "fcntl": (Allowed(1, _OWN_FILE),),
    "ioctl": (Allowed(1, _ASKING),),
    "socket": (Allowed(0, (1, 2, 10)), Allowed(1, (1, 2, 5), 0xF)),  # unix, IPv4, IPv6; no raw ones. None connects
    "setsockopt": (Allowed(1, (1, 6)),),  # the socket's own options and TCP's
    "sendto": (Allowed(4, (0,)), Allowed(4, (0,), high=True)),  # to where it is connected: a pair of its own
    "prlimit64": (Allowed(0, (0,)), Allowed(2, (0,)), Allowed(2, (0,), high=True)),  # to look at its own limits
    "prctl": (Allowed(0, (15, 16)),),  # the name of a thread
}
ABSENT = ("clone3", "openat2")  # whose arguments a filter cannot see; libraries then take the older ones


def own_process(pid: int) -> Mapping[str, tuple[Allowed, ...]]:
    """`ONLY`, and signals to threads of the process itself: abort() needs one."""
    return {**ONLY, "tgkill": (Allowed(0, (pid,)),)}


def _table(text: str) -> Mapping[str, int]:
    return {name: int(number) for name, number in (entry.split() for entry in text.split(","))}


X86_64 = _table("""
    read 0, write 1, readv 19, writev 20, pread64 17, preadv 295, close 3, close_range 436, fstat 5, stat 4,
    lstat 6, newfstatat 262, statx 332, lseek 8, mmap 9, mprotect 10, munmap 11, mremap 25, madvise 28,
    mincore 27, brk 12, rt_sigaction 13, rt_sigprocmask 14, rt_sigreturn 15, rt_sigtimedwait 128,
    sigaltstack 131, access 21, faccessat 269, faccessat2 439, pipe 22, pipe2 293, select 23, pselect6 270,
    poll 7, ppoll 271, sched_yield 24, sched_getaffinity 204, sched_getparam 143, sched_getscheduler 145,
    dup 32, dup2 33, dup3 292, nanosleep 35, clock_nanosleep 230, getpid 39, gettid 186, getppid 110,
    getpgid 121, getsid 124, socketpair 53, recvfrom 45, getsockname 51, getpeername 52, getsockopt 55,
    setsockopt 54, shutdown 48, exit 60, exit_group 231, uname 63, getdents64 217, getcwd 79, chdir 80,
    fchdir 81, readlink 89, readlinkat 267, umask 95, gettimeofday 96, time 201, getrlimit 97, getrusage 98,
    sysinfo 99, times 100, getuid 102, getgid 104, geteuid 107, getegid 108, getgroups 115, statfs 137,
    fstatfs 138, futex 202, set_tid_address 218, set_robust_list 273, clock_gettime 228, clock_getres 229,
    epoll_create 213, epoll_create1 291, epoll_ctl 233, epoll_wait 232, epoll_pwait 281, eventfd2 290,
    timerfd_create 283, timerfd_settime 286, timerfd_gettime 287, timer_create 222, timer_settime 223,
    timer_delete 226, setitimer 38, getitimer 36, alarm 37, pause 34, restart_syscall 219, rseq 334,
    membarrier 324, getcpu 309, getrandom 318, fadvise64 221, wait4 61, capget 125, getpriority 140, open 2,
    openat 257, clone 56, fcntl 72, ioctl 16, socket 41, sendto 44, prlimit64 302, tgkill 234, prctl 157,
    clone3 435, openat2 437
""")
AARCH64 = _table("""
    read 63, write 64, readv 65, writev 66, pread64 67, preadv 69, close 57, close_range 436, fstat 80,
    newfstatat 79, statx 291, lseek 62, mmap 222, mprotect 226, munmap 215, mremap 216, madvise 233,
    mincore 232, brk 214, rt_sigaction 134, rt_sigprocmask 135, rt_sigreturn 139, rt_sigtimedwait 137,
    sigaltstack 132, faccessat 48, faccessat2 439, pipe2 59, pselect6 72, ppoll 73, sched_yield 124,
    sched_getaffinity 123, sched_getparam 121, sched_getscheduler 120, dup 23, dup3 24, nanosleep 101,
    clock_nanosleep 115, getpid 172, gettid 178, getppid 173, getpgid 155, getsid 156, socketpair 199,
    recvfrom 207, getsockname 204, getpeername 205, getsockopt 209, setsockopt 208, shutdown 210, exit 93,
    exit_group 94, uname 160, getdents64 61, getcwd 17, chdir 49, fchdir 50, readlinkat 78, umask 166,
    gettimeofday 169, getrlimit 163, getrusage 165, sysinfo 179, times 153, getuid 174, getgid 176,
    geteuid 175, getegid 177, getgroups 158, statfs 43, fstatfs 44, futex 98, set_tid_address 96,
    set_robust_list 99, clock_gettime 113, clock_getres 114, epoll_create1 20, epoll_ctl 21, epoll_pwait 22,
    eventfd2 19, timerfd_create 85, timerfd_settime 86, timerfd_gettime 87, timer_create 107,
    timer_settime 110, timer_delete 111, setitimer 103, getitimer 102, restart_syscall 128, rseq 293,
    membarrier 283, getcpu 168, getrandom 278, fadvise64 223, wait4 260, capget 90, getpriority 141,
    openat 56, clone 220, fcntl 25, ioctl 29, socket 198, sendto 206, prlimit64 261, tgkill 131, prctl 167,
    clone3 435, openat2 437
""")
