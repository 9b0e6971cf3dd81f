"""Signed heads outside the database, which show that a journal's end was cut off: a file of them, or notes of git."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from assent.core.errors import ConfigError, StoreError
from assent.store import signing_key

REF = "refs/notes/assent"
_JWS = re.compile(r"[\w-]+\.[\w-]+\.[\w-]{80,}")
_PATIENCE = 30.0  # seconds for git
_LARGEST = 100_000_000  # bytes of a file of heads


def kept(first: str) -> Path:
    """The file in the user's configuration where each head of a journal is kept that is signed here."""
    return signing_key.folder() / "heads" / f"{first[:16]}.jws"


def keep(jws: str, first: str) -> Path:
    """Put a head behind the others of its journal."""
    file = kept(first)
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with file.open("a", encoding="utf-8") as lines:
            lines.write(f"{jws}\n")
    except OSError as error:
        raise StoreError(f"{file} could not be written: {error.strerror}. Set XDG_CONFIG_HOME.") from None
    return file


def last_commit(folder: Path) -> str:
    """The commit that a note would be of; `ConfigError` where there is none."""
    return _git(folder, "rev-parse", "--verify", "HEAD").strip()


def note(jws: str, folder: Path) -> str:
    """Put a head into a note of the last commit of the repository that holds `folder`; that commit."""
    commit = last_commit(folder)
    _git(folder, "notes", f"--ref={REF}", "append", "-m", jws, commit)
    return commit


def heads(place: Path) -> list[str]:
    """The heads in a file, or in all notes of a git repository, if `place` is a folder; `ConfigError` if none are."""
    if place.is_dir():
        text = "\n".join([_git(place, "cat-file", "blob", line.split()[0]) for line in _notes(place)])
    else:
        try:
            if place.stat().st_size > _LARGEST:
                raise ConfigError(f"{place} is too large for a file of signed heads.")
            text = place.read_text("utf-8", "replace")
        except OSError as error:
            raise ConfigError(f"{place} could not be read: {error.strerror}.") from None
    if not (found := _JWS.findall(text)):
        raise ConfigError(f"There is no signed head in {place}. %agent audit sign says which file has them.")
    return list(dict.fromkeys(found))


def _notes(folder: Path) -> Sequence[str]:
    return _git(folder, "notes", f"--ref={REF}", "list").splitlines()


def _git(folder: Path, *words: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, check=False, timeout=_PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"git could not be asked in {folder}: {error}.") from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it failed"])[0]
        raise ConfigError(f"git {words[0]} in {folder}: {said}. Is it a repository, with a commit?")
    return done.stdout
