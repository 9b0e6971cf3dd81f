"""A key by which the receiver of an effect knows a call again: the call's id, the same however often it is repeated."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

from assent.core.errors import ConfigError

PARAMETER = "idempotency_key"  # a tool's parameter of this name is filled in by us; the model neither sees nor sets it
_key: ContextVar[str] = ContextVar("idempotency_key")


def idempotency_key() -> str:
    """The key of the tool call that is at work, `RUN.N`: the same when a call that was cut off is run again.

    For the code that a tool runs, in its threads and tasks too. `ConfigError` where no call is at work.
    """
    try:
        return _key.get()
    except LookupError:
        raise ConfigError(
            "No tool call is at work here, so there is no idempotency key: ask for it in the function under @tool."
        ) from None


def call_at_work() -> str:
    """The call that this runs within; "" outside of any."""
    return _key.get("")


@contextlib.contextmanager
def keyed(call: str) -> Iterator[None]:
    """What runs inside belongs to this call."""
    token = _key.set(call)
    try:
        yield
    finally:
        _key.reset(token)
