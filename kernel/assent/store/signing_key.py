"""The private key that signs heads: in the system's keyring, else in a file under a passphrase; in no workspace."""

import contextlib
import importlib.util
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from assent.core.errors import ConfigError
from assent.core.secrets import remember
from assent.store.head import text_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

T = TypeVar("T")
Ask = Callable[[str], str]  # asks a person for a passphrase, with a question; gives what was typed

PASSPHRASE = "ASSENT_SIGNING_PASSPHRASE"
SHORTEST = 8  # signs of a passphrase
_PUBLIC = "Public key: "  # above the private one in its file
_SERVICE, _ENTRY = "assent", "audit signing key"  # in the keyring
_PATIENCE = 2.0  # seconds for a keyring, which may be waiting for somebody to unlock it


def folder() -> Path:
    """Where the key's file and the signed heads are: the user's own configuration."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "assent"


def path() -> Path:
    """The file of the key, if it is not in the keyring."""
    return folder() / "audit.pem"


def load(ask: Ask | None = None) -> "Ed25519PrivateKey | None":
    """The key; None if there is none yet. Without `ask`, nobody can be asked for the passphrase of its file."""
    if path().exists():
        pem = path().read_bytes()
        key = _opened(pem, _passphrase(ask, f"The passphrase of {path()}: "))
        if _named(pem) not in ("", text_of(key.public_key())):
            raise ConfigError(
                f"{path()} names another public key than its own: somebody changed that. Delete its first line."
            )
        return key
    if kept := _in_keyring():
        return _opened(kept.encode(), None)
    return None


def public(ask: Ask | None = None) -> str:
    """The public key as text; "" if there is no key yet. A file that names it is not opened for that."""
    if path().exists() and (named := _named(path().read_bytes())):
        return named
    return "" if (key := load(ask)) is None else text_of(key.public_key())


def fresh() -> "Ed25519PrivateKey":
    """A new key. The text of no public one begins with a hyphen: behind `--key` it would be taken for an option."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    while True:
        key = Ed25519PrivateKey.generate()
        if not text_of(key.public_key()).startswith("-"):
            return key


def make(ask: Ask | None = None) -> "tuple[Ed25519PrivateKey, str]":
    """A new key, and where it is kept now; `ConfigError` if there is one, or nowhere to keep it."""
    if path().exists() or _in_keyring():
        raise ConfigError(f"There is a signing key already: move {path()} away, or its entry of the keyring, first.")
    key = fresh()
    if _into_keyring(key):
        return key, "the system's keyring"
    question = f"No keyring works here. A passphrase for the key's file, {SHORTEST} characters or more: "
    passphrase = _passphrase(ask, question)
    if len(passphrase) < SHORTEST:
        raise ConfigError(f"The passphrase needs {SHORTEST} characters or more. No key was made.")
    if ask is not None and PASSPHRASE not in os.environ and ask("Once more: ") != passphrase:
        raise ConfigError("These were two different passphrases. No key was made.")
    _write(f"{_PUBLIC}{text_of(key.public_key())}\n".encode() + _pem(key, passphrase))
    return key, str(path())


def _named(pem: bytes) -> str:
    """The public key that the file of a private one names above it; one of an older version names none."""
    found = re.match(rf"{_PUBLIC}([\w-]{{43}})\n".encode(), pem)
    return found[1].decode() if found else ""


def _opened(pem: bytes, passphrase: str | None) -> "Ed25519PrivateKey":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, passphrase.encode() if passphrase else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigError(
            f"The signing key in {path() if passphrase else 'the keyring'} could not be opened: "
            "the passphrase is another one, or the key is damaged."
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"The signing key in {path()} is not of Ed25519. Put the one there that signed before.")
    return key


def _pem(key: "Ed25519PrivateKey", passphrase: str = "") -> bytes:
    from cryptography.hazmat.primitives import serialization as forms

    hidden = forms.BestAvailableEncryption(passphrase.encode()) if passphrase else forms.NoEncryption()
    return key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, hidden)


def _passphrase(ask: Ask | None, question: str) -> str:
    said = os.environ.get(PASSPHRASE) or (ask(question) if ask is not None else "")
    if not said:
        raise ConfigError(f"The key that signs needs a passphrase. Set {PASSPHRASE}, or type %agent audit sign.")
    remember(said)
    return said


def _write(pem: bytes) -> None:
    try:
        path().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
    except OSError as error:
        raise ConfigError(f"{path()} could not be written: {error.strerror}. Set XDG_CONFIG_HOME.") from None


def _in_keyring() -> str:
    def look() -> str:
        import keyring  # optional, and 0.1 s to import

        return keyring.get_password(_SERVICE, _ENTRY) or ""

    return _patiently(look, "")


def _into_keyring(key: "Ed25519PrivateKey") -> bool:
    """Whether a keyring keeps it: some take everything and keep nothing."""
    pem = _pem(key).decode()

    def put() -> bool:
        import keyring

        keyring.set_password(_SERVICE, _ENTRY, pem)
        return keyring.get_password(_SERVICE, _ENTRY) == pem

    return _patiently(put, False)


def _patiently(act: Callable[[], T], otherwise: T) -> T:
    """What a keyring says, asked in a thread: it may wait for a password that nobody enters."""
    if not importlib.util.find_spec("keyring"):
        return otherwise
    found = [otherwise]

    def try_it() -> None:
        with contextlib.suppress(BaseException):  # no backend, a locked one, one that crashes
            found[0] = act()

    thread = threading.Thread(target=try_it, name="assent-signing-key", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the interpreter is about to end
        return otherwise
    thread.join(_PATIENCE)
    return found[0]
