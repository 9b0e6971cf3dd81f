"""A configuration of a test's own, and no keyring: what signs in it meets no key of the person at the machine."""

from pathlib import Path

import pytest

from assent.store import signing_key


def at_home(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Keys and signed heads are in `home`, under a passphrase that the environment has."""
    patch.setenv("XDG_CONFIG_HOME", str(home))
    patch.setenv(signing_key.PASSPHRASE, "a long passphrase")
    patch.setattr(signing_key, "_in_keyring", str)
    patch.setattr(signing_key, "_into_keyring", lambda key: False)
