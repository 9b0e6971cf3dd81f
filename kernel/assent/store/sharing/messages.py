"""What the processes on one workspace say to each other, and the way it is said.

A connection begins with the holder's key as bytes; nothing is unpickled from somebody who does not know it. Then comes
a `Hello`, which is answered by a `Welcome`; from there on the connection is for writing or for reading. For writing:
`Append` is answered by `Appended`, and `News` come unasked. For reading: an `Ask` is answered by an `Answer`.
"""

import hmac
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any, Literal

from assent.core.events import Event
from assent.store.ledger import line
from assent.store.parcel import Parcel, Written
from assent.store.sharing.address import PROTOCOL, Holder

GREETING = 1.0  # seconds that a stranger has to say who it is
Says = Literal["come in", "wait", "no"]


def title() -> str:
    """What people know this process by: its notebook, or its program."""
    return os.environ.get("JPY_SESSION_NAME") or Path(sys.argv[0] or "python").name


@dataclass(frozen=True, slots=True)
class Hello:
    """Who comes, and for what; `writer` is its id for as long as it lives, `title` what people know it by."""

    purpose: Literal["write", "read"]
    writer: str
    pid: int = field(default_factory=os.getpid)
    title: str = field(default_factory=title)
    protocol: int = PROTOCOL


@dataclass(frozen=True, slots=True)
class Welcome:
    """Whether it may: "wait" for an owner that is about to take over, "no" for the reason given."""

    says: Says
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Append:
    """Parcels to be written."""

    parcels: Sequence[Parcel]


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of the parcels, or the error that befell them all."""

    written: Sequence[Written]
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class News:
    """Events that another process has written, each with its body as JSON text."""

    events: Sequence[tuple[Event, str]]


@dataclass(frozen=True, slots=True)
class Ask:
    """A method of the ledger, by name, with its arguments."""

    name: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the ledger said, or raised."""

    value: Any
    error: Exception | None = None


def untold(error: Exception) -> str:
    """Why a question did not reach the owner whole: a class that is defined in the notebook is known in it alone."""
    return (
        f"A DataFrame of this statement holds objects that cannot leave this process ({line(error)}). "
        "Leave that column out, or make it text: df.astype({'column': str})."
    )


def call(holder: Holder, hello: Hello, patience: float) -> tuple[Connection, Welcome]:
    """A connection to a holder, and what it says.

    `OSError` or `EOFError` if nobody is there, `TimeoutError` if it is mute for `patience` seconds.
    """
    connection = Client(holder.address)
    try:
        connection.send_bytes(bytes.fromhex(holder.key))
        connection.send(hello)
        if not connection.poll(patience):
            raise TimeoutError
        return connection, connection.recv()
    except BaseException:
        connection.close()
        raise


def greeted(connection: Connection, key: str) -> Hello:
    """Who calls; `OSError` or `EOFError` if it went away, is mute or does not know the key."""
    if not connection.poll(GREETING) or not hmac.compare_digest(connection.recv_bytes(64), bytes.fromhex(key)):
        raise OSError("a stranger")
    if not connection.poll(GREETING):
        raise OSError("mute")
    hello: Hello = connection.recv()
    return hello
