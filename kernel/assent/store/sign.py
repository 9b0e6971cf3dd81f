"""Signing a journal: its head goes into an event, and into a file outside the workspace."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assent.core.errors import ConfigError, StoreError
from assent.core.events import Event, Kind, Scope
from assent.store import anchor, head, signing_key
from assent.store.chain import Select
from assent.store.head import Signed
from assent.store.signing_key import Ask

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_LAST = "SELECT seq, hash, kind, CAST(body ->> 'jws' AS VARCHAR) FROM events ORDER BY seq DESC LIMIT 1"
_FIRST = "SELECT hash FROM events WHERE seq = 1"
_HASH = "SELECT hash FROM events WHERE seq = ?"


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
    force: bool = False,
) -> Signature:
    """Sign the last event, unless it is a signature of the same key; with `make`, a key is made if there is none.

    `StoreError` if the journal does not fit what was signed here last, unless `force`: a signature would cover that up.
    The event says it first, then the file: a head in the file that the journal does not have would accuse it.
    """
    append([]).result()  # what was posted before is written by then
    rows = select(_LAST, ())
    if not rows:
        raise ConfigError("The journal is empty: there is nothing to sign yet.")
    seq, digest, kind, signed = rows[0]
    key, made = _key(ask, make)
    public = head.text_of(key.public_key())
    [(first,)] = select(_FIRST, ())
    if not force:
        _check(select, anchor.kept(first))
    if kind == Kind.CHAIN_SIGNED and (before := _signed(signed or "")) and before.key == public:
        return Signature(before.head.seq, signed, public, anchor.kept(first))
    jws = head.sign(seq, digest, first, key)
    body = {"jws": jws, "key": public, "seq": seq, "head": digest, "by": scope.user}
    append([scope.event(Kind.CHAIN_SIGNED, body=body)]).result()
    return Signature(seq, jws, public, anchor.keep(jws, first), made)


def _key(ask: Ask | None, make: bool) -> "tuple[Ed25519PrivateKey, str]":
    """The key, and where it is kept if it was made just now."""
    if (key := signing_key.load(ask)) is not None:
        return key, ""
    if not make:
        raise ConfigError("There is no key to sign with yet. %agent audit sign makes one.")
    return signing_key.make(ask)


def _check(select: Select, file: Path) -> None:
    """That the last head which was kept here is still one of the journal."""
    if not file.exists():
        return
    last = _signed(anchor.heads(file)[-1])
    if last is not None and (last.head.head,) not in select(_HASH, (last.head.seq,)):
        raise StoreError(
            f"The journal does not fit what was signed last, {last.head}: it was changed, or put back from a backup. "
            f"`assent verify --anchor {file}` says which events. Sign with --force if you know why."
        )


def _signed(jws: str) -> Signed | None:
    try:
        return head.read(jws)
    except StoreError:
        return None
