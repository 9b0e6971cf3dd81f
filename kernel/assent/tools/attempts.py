"""What code tries to do outside its process, heard on a copy that can do none of it.

Files that it opens for writing become files in memory, so that what comes after is previewed too. What libraries do
without Python is not heard; it fails all the same. That code calls a library by itself, through ctypes, is told.
"""

import builtins
import errno
import io
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_MOST = 50  # of a kind
_ACTS = {
    "os.remove": "remove {0}", "os.rename": "move {0} to {1}", "os.rmdir": "remove the folder {0}",
    "os.truncate": "cut off {0}", "os.link": "link {1}", "os.symlink": "link {1}", "os.chmod": "change who may use {0}",
    "os.chown": "change who owns {0}", "os.utime": "change the times of {0}", "shutil.rmtree": "remove the folder {0}",
    "sqlite3.connect": "open the database {0}",
}  # fmt: skip
_PROCESSES = frozenset(
    {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "pty.spawn"}
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_NATIVE = frozenset({"ctypes.dlopen", "ctypes.dlsym", "ctypes.dlsym/handle", "ctypes.call_function"})
_KILLS = frozenset({"os.kill", "os.killpg", "signal.pthread_kill"})
_KEPT: list[Any] = []  # what would complain, were it let go of, that its file is closed


@dataclass(slots=True)
class Attempts:
    """In the order in which they were made. `stopped`: something was tried that a copy cannot pretend to have done."""

    writes: dict[str, str] = field(default_factory=dict)  # by path: "over" the one that is there, or at its "end"
    acts: dict[str, None] = field(default_factory=dict)
    hosts: dict[str, None] = field(default_factory=dict)
    processes: dict[str, None] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    contents: dict[str, bytes] = field(default_factory=dict)  # of files that were closed, by path
    native: dict[str, None] = field(
        default_factory=dict
    )  # libraries whose own code is called; what it does is not seen
    stopped: bool = False
    offline: bool = False  # whether the last of these was to reach a host

    def start(self, command: object, *_: object, **__: object) -> list[str]:
        """Note a process that is not started, and give what it prints: nothing."""
        _note(self, self.processes, str(command))
        return []

    def broken(self) -> None:
        """A file that was open before is closed here: what the code did with it failed for that."""
        _note(self, self.acts, "write or read a file that was open before")

    def to_json(self) -> dict[str, Any]:
        return {
            "writes": [[_named(path), how] for path, how in list(self.writes.items())[:_MOST]],
            "acts": list(self.acts)[:_MOST],
            "hosts": list(self.hosts)[:_MOST],
            "processes": list(self.processes)[:_MOST],
            "native": list(self.native)[:_MOST],
            "stopped": self.stopped,
            "offline": self.offline,
        }


def heard() -> Attempts:
    """Listen from now on, for as long as the process lives: only a copy may call this."""
    attempts = Attempts()
    sys.addaudithook(lambda event, arguments: _hear(attempts, event, arguments))
    opens = _opening(attempts, builtins.open)
    builtins.open = io.open = opens
    if notebook := sys.modules.get("IPython.core.interactiveshell"):
        notebook.io_open = opens  # type: ignore[attr-defined]  # what `open` in a notebook's namespace calls
    os.mkdir = _making(attempts)
    os.stat = _looking(attempts, os.stat)
    builtins.input = _nobody_answers
    _log_into_memory(opens)
    return attempts


def _log_into_memory(opens: Callable[..., Any]) -> None:
    """The files of log handlers are closed here: each is opened again by the next line for it, as any other file."""
    logging = sys.modules.get("logging")
    for reference in list(getattr(logging, "_handlerList", ())):
        handler = reference()
        if logging is not None and isinstance(handler, logging.FileHandler):
            _KEPT.append(handler.stream)
            handler.stream, handler.mode = None, "a"
            handler._builtin_open = opens


def _hear(attempts: Attempts, event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _is_pipe(arguments[0]):
        _note(attempts, attempts.acts, f"read the pipe {_named(arguments[0])}")
        raise PermissionError(errno.EPERM, "what a copy reads from a pipe is gone for whoever waits for it")
    try:
        if event in _ACTS:
            _note(attempts, attempts.acts, _ACTS[event].format(*[_named(item) for item in arguments]))
        elif (
            event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        ):
            _written(attempts, arguments[0])
        elif event == "socket.bind" and arguments[1][1]:  # libraries try port 0 to see what the machine can do
            _note(attempts, attempts.acts, f"listen on {_address(arguments[1])}")
        elif event in ("socket.connect", "socket.sendto"):
            _note(attempts, attempts.hosts, _address(arguments[1]))
        elif event == "socket.getaddrinfo":
            _note(attempts, attempts.hosts, _address(arguments[:2]))
        elif event in _PROCESSES:
            _note(attempts, attempts.processes, _command(event, arguments))
        elif event in _NATIVE:
            attempts.native[_library(event, arguments)] = None
        elif event in _KILLS:
            _note(attempts, attempts.acts, f"send a signal to the process {arguments[0]}")
    except Exception:  # what cannot be told fails all the same
        attempts.stopped = True


def _is_pipe(path: Any) -> bool:
    """Whether it is a named pipe: to read it takes away what is in it, and lets go on whoever writes to it."""
    try:
        return not isinstance(path, int) and stat.S_ISFIFO(os.stat(path).st_mode)
    except (OSError, ValueError, TypeError):
        return False


def _written(attempts: Attempts, path: Any) -> None:
    attempts.stopped = True
    if not str(path).startswith("/dev/"):  # terminals, which libraries try one after the other
        _note(attempts, attempts.acts, f"write {_named(path)}")


def _note(attempts: Attempts, kind: dict[str, None], what: str) -> None:
    attempts.stopped, attempts.offline = True, kind is attempts.hosts
    if len(kind) < _MOST:
        kind.setdefault(what[:300])


def _opening(attempts: Attempts, real: Callable[..., Any]) -> Callable[..., Any]:
    def opens(
        file: Any, mode: str = "r", buffering: int = -1, encoding: str | None = None, errors: str | None = None,
        newline: str | None = None, closefd: bool = True, opener: Any = None,
    ) -> Any:  # fmt: skip
        writes = isinstance(mode, str) and set(mode) & set("wax+")
        path = "" if isinstance(file, int) else os.path.abspath(os.fsdecode(file))
        if not path or (not writes and path not in attempts.contents):
            return real(file, mode, buffering, encoding, errors, newline, closefd, opener)
        memory = _File(attempts, path, _content(attempts, path, mode, real))
        if writes:
            how = ("end" if "a" in mode else "over") if os.path.exists(path) else ""
            attempts.writes[path] = "over" if "over" in (how, attempts.writes.get(path)) else how
        memory.seek(0, io.SEEK_END if "a" in mode else io.SEEK_SET)
        return memory if "b" in mode else io.TextIOWrapper(memory, encoding or "utf-8", errors, newline)

    return opens


class _File(io.BytesIO):
    """A file in memory, which can be opened again once it is closed."""

    def __init__(self, attempts: Attempts, path: str, content: bytes) -> None:
        super().__init__(content)
        self.name = path
        self._attempts = attempts

    def close(self) -> None:
        if not self.closed:
            self._attempts.contents[self.name] = self.getvalue()
        super().close()


def _content(attempts: Attempts, path: str, mode: str, real: Callable[..., Any]) -> bytes:
    """What a file that is opened so begins with; the errors are those that opening it would give."""
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    folder = os.path.dirname(path)
    if not os.path.isdir(folder) and folder not in attempts.folders:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    if "x" in mode and os.path.exists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
    if path in attempts.contents and "w" not in mode:
        return attempts.contents[path]
    if "w" in mode or "x" in mode or ("a" in mode and not os.path.exists(path)):
        return b""
    with real(path, "rb") as file:
        return bytes(file.read())


def _making(attempts: Attempts) -> Callable[..., None]:
    def mkdir(path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        name = os.path.abspath(os.fsdecode(path))
        if os.path.exists(name) or name in attempts.folders:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        above = os.path.dirname(name)
        if not os.path.isdir(above) and above not in attempts.folders:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        attempts.folders.add(name)
        if len(attempts.acts) < _MOST:
            attempts.acts.setdefault(f"make the folder {_named(name)}")

    return mkdir


def _looking(attempts: Attempts, real: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
    def stat(path: Any, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> os.stat_result:
        if attempts.folders and isinstance(path, str | os.PathLike) and os.path.abspath(path) in attempts.folders:
            path = os.curdir  # a folder like any other
        return real(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)

    return stat


def _nobody_answers(_prompt: object = "", /) -> str:
    raise EOFError("the code asks for input, which nobody gives to a copy")


def _named(path: Any) -> str:
    """A path as a person would name it from here."""
    if isinstance(path, int) or path is None:
        return "an open file"
    name = os.path.abspath(os.fsdecode(path))
    here = Path.cwd()
    return str(Path(name).relative_to(here)) if Path(name).is_relative_to(here) else name


def _address(address: Any) -> str:
    match address:
        case [str() | bytes() as host, int() | str() as port, *_]:
            return f"{host if isinstance(host, str) else os.fsdecode(host)}:{port}"
        case [str() | bytes() as host, *_]:
            return host if isinstance(host, str) else os.fsdecode(host)
        case _:
            return str(address)


def _library(event: str, arguments: tuple[Any, ...]) -> str:
    """The library's file, or the function that is looked up in one."""
    name = arguments[1] if event == "ctypes.dlsym" else arguments[0]
    return (
        os.path.basename(os.fsdecode(name))[:100] if isinstance(name, str | bytes) else "what this process has loaded"
    )


def _command(event: str, arguments: tuple[Any, ...]) -> str:
    match event, arguments:
        case "subprocess.Popen", (program, str() | bytes() as line, *_):
            return os.fsdecode(line) or str(program)
        case "subprocess.Popen", (program, parts, *_):
            return " ".join([os.fsdecode(part) for part in parts]) if parts else str(program)
        case (("os.system" | "os.exec" | "os.posix_spawn" | "pty.spawn"), (first, *_)):
            return os.fsdecode(first) if isinstance(first, str | bytes) else str(first)
        case _:
            return "a copy of this process"
