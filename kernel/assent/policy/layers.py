"""The layers of policy that hold, the highest first: the organisation's file, the workspace's, the session's values.

Each only adds to what the built-in layer and those above it ask; the strictest wins.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assent.core.canonical import digest
from assent.core.errors import ConfigError
from assent.policy.document import Document, read
from assent.policy.entry import Layer

FILE = "policy.toml"
ORGANISATION = "/etc/assent/policy.toml"


@dataclass(frozen=True, eq=False)
class Layers:
    """Documents, the highest layer first. One value for as long as nothing changes, so it can be a key."""

    documents: tuple[Document, ...] = ()
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", digest([item.digest for item in self.documents]) if self.documents else "")

    def of(self, section: str) -> tuple[Any, ...]:
        """What the owner of a section made of it in every layer, the highest first."""
        return tuple([value for item in self.documents for value in item.sections.get(section, ())])


NONE = Layers()


class Loader:
    """Keeps the policy of a workspace: a file is read again when it has changed, and looked at by a stat otherwise."""

    def __init__(self, folder: Path, environ: Mapping[str, str] = os.environ) -> None:
        self.folder = folder
        self.session: Document | None = None  # what was said from Python
        self._environ = environ
        self._files: dict[Path, tuple[tuple[int, ...], Document]] = {}
        self._last = NONE

    def layers(self) -> Layers:
        """What holds now; `ConfigError` with the line where a file is no policy, and nothing may start then."""
        organisation = self._environ.get("ASSENT_POLICY")
        files: tuple[tuple[Layer, Path, bool], ...] = (
            ("organisation", Path(organisation or ORGANISATION), bool(organisation)),
            ("workspace", self.folder / FILE, False),
        )
        found = [self._read(layer, path, must) for layer, path, must in files]
        documents = tuple([item for item in (*found, self.session) if item is not None])
        if documents != self._last.documents:
            self._last = Layers(documents) if documents else NONE
        return self._last

    def _read(self, layer: Layer, path: Path, must: bool) -> Document | None:
        try:
            stat = os.stat(path)
            stamp = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)
            known = self._files.get(path)
            if known is None or known[0] != stamp:
                known = self._files[path] = (stamp, read(path.read_text("utf-8"), str(path), layer))
        except (FileNotFoundError, NotADirectoryError):
            if must:
                raise ConfigError(f"ASSENT_POLICY names {path}, and there is no such file. Nothing runs.") from None
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"The policy {path} cannot be read: {error}. Nothing runs until it can be.") from None
        return known[1]
