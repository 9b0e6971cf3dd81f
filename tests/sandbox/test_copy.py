"""Attacks from inside a copy: each must fail, within its time, and leave the original as it was."""

import asyncio
import mmap
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import shared_memory
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from tests.support.waiting import eventually

from assent.sandbox import confine, landlock, seccomp
from assent.sandbox.copy import Copied, on_copy

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a copy is confined on Linux only")
SYSCALL = "import ctypes, os; libc = ctypes.CDLL(None, use_errno=True); sys = libc.syscall\n"


def copied(work: Callable[[], Any], seconds: float = 5, **options: Any) -> Copied:
    return asyncio.run(on_copy(lambda: iter([{"gave": work()}]), seconds, **options))


def tried(code: str, **names: Any) -> str:
    """What came of code in a copy: "done", or the name of what it raised."""

    def work() -> str:
        try:
            exec(code, dict(names))
        except BaseException as error:
            return type(error).__name__
        return "done"

    copy = copied(work)
    assert copy.report is not None, copy.problem
    return str(copy.report["gave"])


def test_it_computes_and_reads(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a\n1\n")
    data = np.arange(1000.0)
    copy = copied(lambda: [(tmp_path / "data.csv").read_text(), float(data @ data), len(os.urandom(4))])
    assert copy == Copied({"gave": ["a\n1\n", 332833500.0, 4]})


def test_it_has_threads_and_a_loop() -> None:
    async def slept() -> str:
        await asyncio.to_thread(time.sleep, 0)
        return "slept"

    assert copied(lambda: asyncio.new_event_loop().run_until_complete(slept())).report == {"gave": "slept"}


FILES = [
    "open(path, 'w')", "open(path, 'a')", "open(path, 'r+')", "os.open(path, os.O_RDONLY | os.O_TRUNC)",
    "os.open(path + 'x', os.O_RDONLY | os.O_CREAT)", "os.open(folder, os.O_RDWR | os.O_TMPFILE)", "os.remove(path)",
    "os.rename(path, path + 'x')", "os.truncate(path, 0)", "os.mkdir(path + 'x')", "os.symlink(path, path + 'x')",
    "os.link(path, path + 'x')", "os.chmod(path, 0)", "os.utime(path, (0, 0))", "os.chown(path, 1, 1)",
    "os.mkfifo(path + 'x')", "os.setxattr(path, 'user.a', b'1')", "os.rmdir(folder)", "os.memfd_create('a')",
    "os.open('/dev/kmsg', os.O_RDONLY)", "import fcntl; fcntl.flock(os.open(path, os.O_RDONLY), fcntl.LOCK_EX)",
    "import fcntl; fcntl.lockf(os.open(path, os.O_RDONLY), fcntl.LOCK_SH)",
]  # fmt: skip


@pytest.mark.parametrize("act", FILES)
def test_no_file_is_written_made_moved_locked_or_removed(act: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("kept")
    before = path.stat()
    assert tried(f"import os\n{act}", path=str(path), folder=str(tmp_path)) in ("PermissionError", "OSError")
    assert [item.name for item in tmp_path.iterdir()] == ["file"]
    assert path.read_text() == "kept"
    assert (path.stat().st_mtime_ns, path.stat().st_mode) == (before.st_mtime_ns, before.st_mode)


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


NETWORK = [
    "socket.create_connection(('127.0.0.1', port))",
    "s = socket.socket(); s.connect(('127.0.0.1', port))",
    "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', port))",
    "socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('127.0.0.1', port))",
    "socket.socket().sendto(b'x', socket.MSG_FASTOPEN, ('127.0.0.1', port))",
    "socket.socket(type=socket.SOCK_RAW, proto=1)",
    "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "socket.socket().bind(('127.0.0.1', 0))",
    "socket.socket().setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 3)",
    "s = socket.socket(socket.AF_UNIX); s.connect('\\0assent-test')",
]


@pytest.mark.parametrize("act", NETWORK)
def test_nobody_is_reached(act: str, listening: socket.socket) -> None:
    assert tried(f"import socket\n{act}", port=listening.getsockname()[1]) in ("PermissionError", "OSError")
    with pytest.raises(BlockingIOError):
        listening.accept()


PROCESSES = [
    "os.kill(os.getppid(), 9)", "os.kill(os.getppid(), 0)", "os.killpg(os.getpgid(0), 15)", "os.kill(-1, 9)",
    "signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 9)", "os.fork()", "os.forkpty()", "os.setpriority(0, 0, 19)",
    "os.execv('/bin/true', ['true'])", "os.posix_spawn('/bin/true', ['true'], {})", "os.setsid()",
    "import subprocess; subprocess.run(['true'])", "import multiprocessing as m; m.Process(target=print).start()",
    "import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1))", "os.sched_setaffinity(os.getppid(), {0})",
    "import resource; resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (1, 1))", "os.setuid(1)", "os.nice(5)",
    "open(f'/proc/{os.getppid()}/mem', 'rb').read(1)",
]  # fmt: skip


@pytest.mark.parametrize("act", PROCESSES)
def test_no_process_is_started_signalled_changed_or_looked_into(act: str) -> None:
    assert tried(f"import os, signal\n{act}") in ("PermissionError", "OSError", "BlockingIOError", "ValueError")


@pytest.mark.parametrize("name", ["unshare", "mount", "ptrace", "process_vm_writev", "bpf", "keyctl", "io_uring_setup"])
def test_calls_that_python_does_not_have_fail_too(name: str) -> None:
    numbers = {"unshare": 272, "mount": 165, "ptrace": 101, "process_vm_writev": 311, "bpf": 321, "keyctl": 250}
    number = (numbers | {"io_uring_setup": 425})[name] if os.uname().machine == "x86_64" else 97
    assert tried(f"{SYSCALL}assert sys({number}, 0, 0, 0, 0) == -1\nassert ctypes.get_errno() == 1") == "done"


def test_a_process_by_the_newer_call_or_the_oldest_is_none() -> None:
    assert tried(f"{SYSCALL}assert sys(435, 0, 0) == -1; assert ctypes.get_errno() == 38") == "done"
    if os.uname().machine == "x86_64":  # fork, vfork
        assert (
            tried(f"{SYSCALL}assert sys(57) == -1; assert sys(58) == -1; assert sys(0x40000000 + 57) == -1") == "done"
        )


def test_what_it_inherited_is_out_of_its_reach() -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    one, other = socket.socketpair()
    one.setblocking(False)
    acts = [
        f"os.write({writing}, b'x')", f"os.write({other.fileno()}, b'x')",
        f"open(f'/proc/{{os.getppid()}}/fd/{writing}', 'wb', 0).write(b'x')",
        f"open(f'/proc/{{os.getppid()}}/fd/{reading}', 'rb', 0).read(1)",
    ]  # fmt: skip
    try:
        for act in acts:
            assert tried(f"import os\n{act}") in ("OSError", "PermissionError")
        with pytest.raises(BlockingIOError):
            os.read(reading, 1)
        with pytest.raises(BlockingIOError):
            one.recv(1)
    finally:
        for item in (reading, writing):
            os.close(item)
        one.close()
        other.close()


def test_shared_memory_is_a_copy(tmp_path: Path) -> None:
    anonymous = mmap.mmap(-1, 4096)
    anonymous[:4] = b"kept"
    path = tmp_path / "array"
    np.arange(10.0).tofile(path)
    mapped: Any = np.memmap(path, dtype="float64", mode="r+")
    block = shared_memory.SharedMemory(create=True, size=4096)
    try:

        def work() -> list[Any]:
            before = [bytes(anonymous[:4]).decode(), float(mapped[3])]
            anonymous[:4] = b"lost"
            mapped[:] = 7
            block.buf[0] = 7
            return [*before, bytes(anonymous[:4]).decode(), float(mapped[3])]

        assert copied(work).report == {"gave": ["kept", 3.0, "lost", 7.0]}
        assert (anonymous[:4], block.buf[0]) == (b"kept", 0)
        assert np.fromfile(path).tolist() == np.arange(10.0).tolist()
        again = f"mmap.mmap(os.open({str(path)!r}, os.O_RDONLY), 80, mmap.MAP_SHARED, mmap.PROT_WRITE)"
        assert tried(f"import os, mmap\n{again}") == "PermissionError"
    finally:
        block.close()
        block.unlink()


def test_an_open_database_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "data.duckdb"
    with duckdb.connect(path) as database:
        database.execute("CREATE TABLE t AS SELECT 1 AS a; CHECKPOINT")
        before = path.read_bytes()
        copied(lambda: database.execute("INSERT INTO t SELECT 2; CHECKPOINT"), 1)
        assert path.read_bytes() == before
        assert not Path(f"{path}.wal").exists()
        assert database.execute("SELECT count(*) FROM t").fetchall() == [(1,)]


def test_memory_has_a_bound() -> None:
    assert tried("bytearray(10 << 30)") == "MemoryError"
    copy = copied(lambda: len(bytearray(64 << 20)), memory=16 << 20)
    assert copy.report is None
    assert "MemoryError" in copy.problem


@pytest.mark.parametrize(
    "work",
    [
        lambda: exec("while True: pass"),
        lambda: time.sleep(60),
        lambda: [signal.signal(number, signal.SIG_IGN) for number in (2, 15)] and time.sleep(60),
        lambda: sum(range(10**12)),
        lambda: [threading.Thread(target=time.sleep, args=(60,)).start() for _ in range(50)] and time.sleep(60),
    ],
)
def test_the_deadline_holds(work: Callable[[], Any]) -> None:
    began = time.monotonic()
    copy = copied(work, 0.3)
    assert time.monotonic() - began < 10  # of the sixty that it would take
    assert copy == Copied(None, "a copy that tried it did not end within 0.3 s")
    assert_no_children()


@pytest.mark.parametrize(
    ("work", "problem"),
    [
        (lambda: os._exit(0), "ended without a report"),
        (lambda: os.abort(), "ended by SIGABRT"),
        (lambda: exec("import ctypes; ctypes.string_at(0)"), "ended by SIGSEGV"),
        (lambda: exec("raise SystemExit(3)"), "ended without a report"),
        (lambda: 1 / 0, "failed with ZeroDivisionError"),
        (lambda: "x" * 10_000_000, "was too long"),
        (lambda: {1, 2}, "failed with TypeError"),
    ],
)
def test_an_end_of_any_other_kind_is_told(work: Callable[[], Any], problem: str) -> None:
    copy = copied(work)
    assert copy.report is None
    assert problem in copy.problem
    assert_no_children()


def test_a_report_is_read_as_plain_values_only() -> None:
    def forge() -> None:
        for name in os.listdir("/proc/self/fd"):
            if int(name) > 2:
                try:
                    os.write(int(name), b"\x80\x04cos\nsystem\n")
                except OSError:
                    continue
        os._exit(0)

    assert copied(forge) == Copied(None, "the report of a copy that tried it could not be read")


def test_where_there_is_no_time_for_a_fuller_report_the_last_one_counts() -> None:
    def work() -> Iterator[dict[str, int]]:
        yield {"part": 1}
        yield {"part": 2}
        time.sleep(60)
        yield {"part": 3}

    copy = asyncio.run(on_copy(work, 2))
    assert copy == Copied({"part": 2}, "a copy that tried it did not end within 2 s")


def test_nothing_of_the_original_is_wound_up_in_the_copy(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    class Owner:
        def __del__(self) -> None:
            os.write(1, b"taken apart")

    owner = [Owner()]
    assert copied(lambda: owner.clear()).report == {"gave": None}
    assert capfd.readouterr().out == ""
    assert copied(lambda: [os.write(2, b"said"), len(os.read(0, 1))]).report == {"gave": [4, 0]}
    assert capfd.readouterr().err == ""


def test_a_cancelled_copy_is_killed() -> None:
    async def main() -> None:
        task = asyncio.ensure_future(on_copy(lambda: time.sleep(60) or [], 60))
        await asyncio.sleep(0.05)  # until it has been forked, which takes no await
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert_no_children()


@pytest.mark.parametrize(
    ("room", "name", "problem"),
    [
        (landlock, "restrict", "could still"),
        (seccomp, "install", "could still connect"),
        (confine, "_close_all_but", "Landlock"),
    ],
)
def test_what_cannot_be_confined_does_not_run(
    room: Any, name: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        if problem == "Landlock":
            raise OSError(1, "Landlock was refused")

    monkeypatch.setattr(room, name, refuse)
    if room is landlock:
        monkeypatch.setattr(seccomp, "install", refuse)
    copy = copied(lambda: "ran")
    assert (copy.report, copy.confined) == (None, False)
    assert problem in copy.problem


def test_other_platforms_have_no_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    copy = copied(lambda: "ran")
    assert copy == Copied(None, "a copy of a process cannot be confined on darwin", confined=False)


def test_the_filter_is_made_for_both_machines() -> None:
    for machine in ("x86_64", "aarch64"):
        code = seccomp.compiled(machine, 1234)
        assert len(code) % 8 == 0
        assert len(code) // 8 < 4096


def assert_no_children() -> None:
    """No copy of this process is left, not even as a zombie."""
    eventually(lambda: copies() == 0)


def copies() -> int:
    children = Path(f"/proc/self/task/{threading.main_thread().native_id}/children").read_text().split()
    names = [Path(f"/proc/{child}/status").read_text() for child in children if Path(f"/proc/{child}").exists()]
    ours = Path("/proc/self/comm").read_text().strip()
    lines = [Path(f"/proc/{child}/cmdline").read_bytes() for child in children if Path(f"/proc/{child}").exists()]
    own = Path("/proc/self/cmdline").read_bytes()
    return len([1 for name, line in zip(names, lines, strict=True) if ours in name and line in (own, b"")])
