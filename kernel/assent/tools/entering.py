"""What a piece of code reads from outside: told by Python's audit events while it runs, and by what it has at hand.

Audit events tell of files, hosts and programs. Libraries that read on their own (DuckDB, polars, a driver of a
database) and connections that are open already raise none: code that has one of these at hand counts as having read by
it. What is not seen: a thread that was started before, and what such a thread leaves in a variable.
"""

import os
import re
import site
import sys
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from assent.core.taint import Source, Sources

EVENTS = frozenset(
    {
        "open", "sqlite3.connect", "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec",
        "os.posix_spawn", "os.fork", "os.forkpty", "pty.spawn", "ctypes.dlopen",
    }
)  # fmt: skip
_NAMES = re.compile(r"[^\W\d]\w*")
# They read files and hosts by code of their own.
_NATIVE = frozenset(
    _NAMES.findall(
        "duckdb _duckdb polars pyarrow h5py tables netCDF4 rasterio fiona pyogrio fastparquet lance deltalake "
        "psycopg2 asyncpg pymysql MySQLdb oracledb pyodbc snowflake clickhouse_connect pymongo redis cffi "
        "pycurl grpc psycopg h5netcdf _thread ctypes datafusion"
    )
)
# What is open already speaks without connecting anew.
_OPEN = frozenset(
    _NAMES.findall(
        "_io io socket ssl http urllib urllib3 requests httpx httpx_aiohttp aiohttp boto3 botocore s3fs fsspec sqlite3 "
        "sqlalchemy subprocess multiprocessing concurrent threading queue zmq websockets paramiko imaplib smtplib"
    )
)
_TABLES = frozenset(
    {"DataFrame", "LazyFrame", "Series", "Expr", "Table", "Array", "ChunkedArray", "Schema", "RecordBatch"}
)
_READS = re.compile(
    r"(read|scan|open|load|connect|from_|sql|query|execute|dataset|memory_map|parquet|csv|File|Dataset)"
)
_HOME = os.path.expanduser("~")
# Python's own files, and those of its libraries, are no content.
_OWN = tuple(
    {
        os.path.realpath(folder) + os.sep
        for folder in (
            sys.prefix, sys.base_prefix, sys.exec_prefix, os.path.dirname(os.__file__), *site.getsitepackages(),
            site.getusersitepackages(), "/dev", "/proc", "/sys", "/etc", "/usr/share/zoneinfo", "/usr/share/fonts",
            f"{_HOME}/.cache/matplotlib", f"{_HOME}/.config/matplotlib", f"{_HOME}/.cache/fontconfig",
        )
        if os.path.realpath(folder) != "/"
    }
)  # fmt: skip
_WRITES_ONLY = frozenset("wax")


def entered(event: str, arguments: tuple[Any, ...]) -> Sources:
    """The source that an audit event tells of; none where nothing is read."""
    match event:
        case "open":
            return _file(arguments[0]) if _reads(arguments[1], arguments[2]) else ()
        case "sqlite3.connect":
            return _file(arguments[0])
        case "socket.connect":
            return _peer(arguments[1])
        case "socket.getaddrinfo":
            return (Source("web", _host(arguments[0], arguments[1])),) if arguments[0] else ()
        case "subprocess.Popen" | "os.exec" | "os.posix_spawn" | "os.system" | "pty.spawn":
            return (Source("process", _command(arguments)),)
        case "os.fork" | "os.forkpty":
            return (Source("process", "a forked process"),)
        case "ctypes.dlopen":
            return (Source("code", f"ctypes {arguments[0]}"),)
        case _:
            return ()


def at_hand(code: str, names: Iterable[str], behind: Iterable[str], namespace: Mapping[str, Any]) -> Sources:
    """What code could read by that raises no audit event: libraries, and connections that are open.

    `names` are those of its text, `behind` those of the functions that it may call.
    """
    words = set(_NAMES.findall(code))
    reads = any(_READS.match(word) for word in words)
    found = [_of_value(namespace.get(name), reads) for name in names]
    found += [_of_value(namespace.get(name), True) for name in behind]
    named = [Source("code", root) for root in sorted(words & _NATIVE) if reads]  # it may import them
    return tuple(dict.fromkeys([*[source for source in found if source is not None], *named]))


def _of_value(value: Any, reads: bool) -> Source | None:
    if isinstance(value, ModuleType):
        root = value.__name__.partition(".")[0]
        return Source("code", root) if root in _NATIVE and reads else None
    kind = type(value)
    root = str(getattr(kind, "__module__", "")).partition(".")[0]
    if root in ("_io", "io"):
        return _opened(value)
    if root in _NATIVE | _OPEN and kind.__name__ not in _TABLES:
        return Source("code", f"{root} {kind.__name__}")
    home = getattr(value, "__module__", None)
    made = home.partition(".")[0] if isinstance(home, str) and callable(value) else ""
    return Source("code", made) if made in _NATIVE and reads else None


def _opened(value: Any) -> Source | None:
    name = getattr(value, "name", None)
    if not isinstance(name, str):
        return None  # in memory, or a stream of the process
    return None if name.startswith("<") else Source("file", os.path.realpath(name))


def _reads(mode: Any, flags: Any) -> bool:
    if isinstance(mode, str):
        return not set(mode) & _WRITES_ONLY or "+" in mode
    return (flags or 0) & os.O_ACCMODE != os.O_WRONLY


def _file(path: Any) -> Sources:
    if isinstance(path, int) or path is None:
        return ()
    name = os.fsdecode(path)
    if name in ("", ":memory:"):
        return ()
    real = os.path.realpath(name)
    return () if real.startswith(_OWN) or os.path.isdir(real) else (Source("file", real),)


def _peer(address: Any) -> Sources:
    if isinstance(address, tuple) and len(address) >= 2:
        return (Source("web", _host(address[0], address[1])),)
    return (Source("process", f"the socket {os.fsdecode(address)}"),) if isinstance(address, str | bytes) else ()


def _host(host: Any, port: Any) -> str:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    shown = f"[{name}]" if ":" in name else name
    return f"{shown}:{port}" if port else shown


def _command(arguments: tuple[Any, ...]) -> str:
    program = arguments[1] if len(arguments) > 1 and arguments[1] else arguments[0]
    words = program if isinstance(program, list | tuple) else [program]
    return " ".join([os.fsdecode(word) if isinstance(word, bytes) else str(word) for word in words])[:200]
