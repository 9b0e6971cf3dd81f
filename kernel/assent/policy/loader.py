"""Where the layers of policy come from: two files, and what was said from Python."""

import os
from collections.abc import Mapping
from pathlib import Path

from assent.core.errors import ConfigError
from assent.policy.document import read
from assent.policy.entry import Layer
from assent.policy.layers import NONE, Document, Layers

FILE = "policy.toml"
ORGANISATION = "/etc/assent/policy.toml"


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
