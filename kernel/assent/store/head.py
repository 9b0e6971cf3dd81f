"""A signed head: the last event of a journal at one moment, as a JWS (RFC 7515) by Ed25519 (RFC 8037)."""

import base64
import binascii
import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assent.core.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALGORITHM = "EdDSA"
_TYPE = "assent-head"
_LONG = 32  # bytes of a public key
_LARGEST = 10_000  # signs of a JWS that is looked at


@dataclass(frozen=True, slots=True)
class Head:
    """What is signed: the number and hash of an event, the hash of the journal's first one, and when (ISO, UTC)."""

    seq: int
    head: str
    first: str
    when: str

    def __str__(self) -> str:
        return f"event {self.seq:,} of {self.when[:16].replace('T', ' ')} UTC"


@dataclass(frozen=True, slots=True)
class Signed:
    """A head whose signature fits, and the public key that it fits (43 signs of base64url)."""

    head: Head
    key: str


def sign(seq: int, digest: str, first: str, key: "Ed25519PrivateKey") -> str:
    """The JWS, compact, with the public key in its header."""
    from jwt import PyJWS

    head = Head(seq, digest, first, datetime.now(UTC).isoformat(timespec="seconds"))
    public = text_of(key.public_key())
    headers = {"typ": _TYPE, "kid": name_of(public), "jwk": _jwk(public)}
    return PyJWS().encode(json.dumps(asdict(head)).encode(), key, ALGORITHM, headers)


def read(jws: str, keys: Collection[str] = ()) -> Signed:
    """What a JWS says; `StoreError` if its signature does not fit, or is not by one of `keys`, where any are given."""
    from jwt import PyJWS
    from jwt.exceptions import PyJWTError

    try:
        if len(jws) > _LARGEST:
            raise ValueError
        public = str(PyJWS().get_unverified_header(jws)["jwk"]["x"])
        body = PyJWS().decode(jws, _key(public), algorithms=[ALGORITHM])
        head = Head(**json.loads(body))
        datetime.fromisoformat(head.when)
        sound = type(head.seq) is int and 0 < head.seq < 2**63 and {str} == {type(head.head), type(head.first)}
    except (PyJWTError, ValueError, KeyError, TypeError, RecursionError):
        raise StoreError("it is no signature of a journal's head, or was changed") from None
    if not sound:
        raise StoreError("it is no signature of a journal's head")
    if keys and public not in keys:
        raise StoreError(f"it is signed by another key, {public}")
    return Signed(head, public)


def text_of(key: "Ed25519PublicKey") -> str:
    """A public key as 43 signs of base64url, as a JWK has it in "x"."""
    return base64.urlsafe_b64encode(key.public_bytes_raw()).rstrip(b"=").decode()


def name_of(public: str) -> str:
    """The thumbprint of a public key (RFC 7638)."""
    canonical = json.dumps(_jwk(public), separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).rstrip(b"=").decode()


def public_key(given: str) -> str:
    """The public key that somebody gives: its 43 signs, or a file that has them or a PEM; `ConfigError` if neither."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    text = given.strip()
    try:
        if Path(given).is_file():
            text = Path(given).read_text("utf-8").strip()
        if text.startswith("-----BEGIN"):
            found = load_pem_public_key(text.encode())
            if not isinstance(found, Ed25519PublicKey):
                raise ValueError
            return text_of(found)
        return text_of(_key(text))
    except (OSError, ValueError, UnsupportedAlgorithm):
        raise ConfigError(
            f"{given} is no public key: give the 43 characters of %agent audit key, or a file with them or a PEM."
        ) from None


def _key(public: str) -> "Ed25519PublicKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        raw = base64.b64decode(public + "=", altchars="-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError from None
    if len(raw) != _LONG:
        raise ValueError
    return Ed25519PublicKey.from_public_bytes(raw)


def _jwk(public: str) -> dict[str, Any]:
    return {"crv": "Ed25519", "kty": "OKP", "x": public}
