"""Signing a journal: its head goes into an event, and into a file outside the workspace."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from assent.core.errors import ConfigError
from assent.core.events import Event, Kind, Scope
from assent.store import anchor, head, signing_key
from assent.store.chain import Select
from assent.store.signing_key import Ask

_LAST = "SELECT seq, hash, kind, CAST(body ->> 'jws' AS VARCHAR) FROM events ORDER BY seq DESC LIMIT 1"
_FIRST = "SELECT hash FROM events WHERE seq = 1"


@dataclass(frozen=True, slots=True)
class Signature:
    """A head that was signed: up to which event, the JWS, the public key, and where it is kept outside."""

    seq: int
    jws: str
    key: str
    file: Path
    made: str = ""  # where the key is kept, if it was made just now


def sign(
    select: Select,
    append: Callable[[list[Event]], Future[None]],
    scope: Scope,
    ask: Ask | None = None,
    *,
    make: bool = False,
) -> Signature:
    """Sign the last event, unless it is a signature of the same key; with `make`, a key is made if there is none.

    The event says it first, then the file: a head in the file that the journal does not have would accuse it.
    """
    rows = select(_LAST, ())
    if not rows:
        raise ConfigError("The journal is empty: there is nothing to sign yet.")
    seq, digest, kind, signed = rows[0]
    key, made = signing_key.load(ask), ""
    if key is None:
        if not make:
            raise ConfigError("There is no key to sign with yet. %agent audit sign makes one.")
        key, made = signing_key.make(ask)
    public = head.text_of(key.public_key())
    [(first,)] = select(_FIRST, ())
    if kind == Kind.CHAIN_SIGNED and (before := head.read(signed)).key == public:
        return Signature(before.head.seq, signed, public, anchor.kept(first))
    jws = head.sign(seq, digest, first, key)
    body = {"jws": jws, "key": public, "seq": seq, "head": digest, "by": scope.user}
    append([scope.event(Kind.CHAIN_SIGNED, body=body)]).result()
    return Signature(seq, jws, public, anchor.keep(jws, first), made)
