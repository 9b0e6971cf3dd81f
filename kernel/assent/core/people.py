"""The people who prove who they are when they approve: a name and a passphrase each, kept outside every workspace.

Of a passphrase only its scrypt digest is kept. The machine's own list goes before the one that a variable names, so
that nobody takes its place who cannot write it.
"""

import difflib
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from assent.core.errors import ConfigError

MACHINE = Path("/etc/assent/people.json")
SHORTEST = 8  # signs of a passphrase
_COST = {"n": 2**14, "r": 8, "p": 1}  # 16 MB and 50 ms for each guess


def path() -> Path:
    """Where they are listed: the machine's list, else ASSENT_PEOPLE, else the user's own configuration."""
    if MACHINE.exists():
        return MACHINE
    if named := os.environ.get("ASSENT_PEOPLE"):
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "assent" / "people.json"


def names(file: Path | None = None) -> list[str]:
    """Who is listed."""
    return sorted(_listed(file or path()))


def check_listed(name: str) -> None:
    """`ConfigError` where nobody of that name has a passphrase."""
    if name in (known := names()):
        return
    close = difflib.get_close_matches(name, known, 1)
    meant = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known) or 'none'}."
    raise ConfigError(f"{name!r} is not among %agent people; {meant} %agent people add NAME lists a person.")


def proves(name: str, passphrase: str, file: Path | None = None) -> bool:
    """Whether this is the passphrase of that person; never for one who is not listed."""
    known = _listed(file or path()).get(name)
    return known is not None and bool(passphrase) and hmac.compare_digest(_digest(passphrase, known[0]), known[1])


def enrol(name: str, passphrase: str, before: str = "", file: Path | None = None) -> None:
    """List a person, or give one who is listed another passphrase, which takes the one `before`."""
    place = file or path()
    listed = _listed(place)
    if not name.strip() or name != name.strip():
        raise ConfigError(f"{name!r} is no name of a person.")
    if len(passphrase) < SHORTEST:
        raise ConfigError(f"A passphrase has {SHORTEST} characters or more.")
    if name in listed and not proves(name, before, place):
        raise ConfigError(f"{name} is listed already, and that was not the passphrase of {name}. Nothing was changed.")
    salt = secrets.token_bytes(16)
    _write(place, {**listed, name: (salt, _digest(passphrase, salt))})


def _listed(file: Path) -> dict[str, tuple[bytes, bytes]]:
    try:
        values = json.loads(file.read_text("utf-8"))
        return {name: (bytes.fromhex(known["salt"]), bytes.fromhex(known["digest"])) for name, known in values.items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(f"The list of people {file} could not be read: {error}. Correct or remove it.") from None


def _write(file: Path, listed: Mapping[str, tuple[bytes, bytes]]) -> None:
    values = {name: {"salt": salt.hex(), "digest": known.hex()} for name, (salt, known) in listed.items()}
    beside = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(values, indent=1), "utf-8")
        beside.chmod(0o600 if file != MACHINE else 0o644)
        beside.replace(file)
    except OSError as error:
        raise ConfigError(
            f"The list of people {file} could not be written: {error.strerror}. Who keeps this list has to do it."
        ) from None


def _digest(passphrase: str, salt: bytes) -> bytes:
    return hashlib.scrypt(passphrase.encode(), salt=salt, **_COST)
