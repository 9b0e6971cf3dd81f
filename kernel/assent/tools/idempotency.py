"""A key by which the receiver of an effect knows a call again: the call's id, the same however often it is repeated.

What the call's code starts knows it too: tasks and threads by their context, processes by their environment.
"""

import contextlib
import functools
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

from assent.core.errors import ConfigError

PARAMETER = "idempotency_key"  # a tool's parameter of this name is filled in by us; the model neither sees nor sets it
WITHIN = "ASSENT_WITHIN"  # in the environment: the calls that were at work as the process was started
_key: ContextVar[str] = ContextVar("idempotency_key")
_begun: tuple[str, ...] = tuple(os.environ.get(WITHIN, "").split())
_open: dict[str, None] = {}
_lock = threading.Lock()
_follows = False


def idempotency_key() -> str:
    """The key of the tool call that is at work, `RUN.N`: the same when a call that was cut off is run again.

    For the code that a tool runs, in its threads and tasks too. `ConfigError` where no call is at work.
    """
    if call := _key.get(""):
        return call
    raise ConfigError(
        "No tool call is at work here, so there is no idempotency key: ask for it in the function under @tool."
    )


def call_at_work() -> str:
    """The call that this runs within; "" outside of any."""
    return next(iter(calls_at_work()), "")


def calls_at_work() -> tuple[str, ...]:
    """The same; in a process that a call has started all that were at work then, for nobody knows which it was."""
    call = _key.get("")
    return (call,) if call else _begun


@contextlib.contextmanager
def keyed(call: str) -> Iterator[None]:
    """What runs inside belongs to this call."""
    _follow_threads()
    token = _key.set(call)
    _tell(call, begins=True)
    try:
        yield
    finally:
        _tell(call, begins=False)
        _key.reset(token)


def _tell(call: str, *, begins: bool) -> None:
    """The variable stays when it is empty: to take one away moves the others, which another thread may be reading."""
    with _lock:
        if begins:
            _open[call] = None
        else:
            _open.pop(call, None)
        os.environ[WITHIN] = " ".join(_open)


def _follow_threads() -> None:
    """A thread begins without the context of whoever starts it. From the first call on, those of calls have theirs.

    A pool's thread goes on to work for others, so there each piece of work has that of whoever gives it.
    """
    global _follows
    if not _follows:
        _follows = True
        threading.Thread.start = _following(threading.Thread.start)  # type: ignore[assignment, method-assign]  # 3.11 tells of none
        ThreadPoolExecutor.submit = _submitting(ThreadPoolExecutor.submit)  # type: ignore[method-assign]


def _following(start: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
    @functools.wraps(start)
    def started(self: threading.Thread) -> None:
        if call := _key.get(""):
            self.run = _within(call, self.run)  # type: ignore[method-assign]  # of this one thread
        start(self)

    return started


def _submitting(submit: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(submit)
    def submitted(self: ThreadPoolExecutor, work: Callable[..., Any], /, *args: Any, **options: Any) -> Any:
        return submit(self, _within(_key.get(""), work), *args, **options)

    return submitted


def _within(call: str, work: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any, **options: Any) -> Any:
        token = _key.set(call)
        try:
            return work(*args, **options)
        finally:
            _key.reset(token)

    return run


def _is_another() -> None:
    """This process is a copy: the calls at work were those of the one that it was copied from."""
    global _begun, _open, _lock
    _begun, _open, _lock = tuple(_open) or _begun, {}, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_is_another)
