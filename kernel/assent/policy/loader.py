"""Where the layers of policy come from: two files, and what was said from Python."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from assent.core.errors import ConfigError
from assent.policy.document import read
from assent.policy.entry import LAYERS, Layer
from assent.policy.layers import NONE, Document, Layers

FILE = "policy.toml"
ORGANISATION = "/etc/assent/policy.toml"


class Loader:
    """Keeps the policy of a workspace: a file is read again when it has changed, and looked at by a stat otherwise."""

    def __init__(self, folder: Path, environ: Mapping[str, str] = os.environ) -> None:
        self.session: tuple[Document, ...] = ()  # what was said for this session, in its order
        self._named = named = environ.get("ASSENT_POLICY", "")  # once: what runs here later may change the environment
        self._places: tuple[tuple[Layer, str, bool], ...] = (
            ("organisation", os.path.abspath(named) if named else ORGANISATION, bool(named)),
            ("workspace", str(folder / FILE), False),
        )
        self._files: dict[str, tuple[tuple[int, ...], Document]] = {}
        self._last: dict[tuple[Loader, ...], Layers] = {}

    def layers(self, above: tuple["Loader", ...] = ()) -> Layers:
        """What holds now; `ConfigError` with the line where a file is no policy, and nothing may start then.

        What holds in the sessions `above` holds, too: those whose calls began what this is asked for.
        """
        if self._named and os.path.lexists(ORGANISATION) and os.path.abspath(self._named) != ORGANISATION:
            raise ConfigError(
                f"This machine's policy is {ORGANISATION}, and ASSENT_POLICY names another file in its place: unset "
                "it. Nothing runs until then."
            )
        found = [self._read(layer, path, must) for layer, path, must in self._places]
        documents = _with((*[item for item in found if item is not None], *self.session), above)
        last = self._last.get(above, NONE)
        if documents != last.documents:
            last = self._last[above] = Layers(documents) if documents else NONE
        return last

    def _read(self, layer: Layer, path: str, must: bool) -> Document | None:
        try:
            stat = os.stat(path)
            stamp = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)
            known = self._files.get(path)
            if known is None or known[0] != stamp:
                known = self._files[path] = (stamp, read(Path(path).read_text("utf-8"), path, layer))
        except (FileNotFoundError, NotADirectoryError):
            if must or os.path.islink(path):
                raise ConfigError(
                    f"There is no policy where {path} should be. Nothing runs until it is there."
                ) from None
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"The policy {path} cannot be read: {error}. Nothing runs until it can be.") from None
        return known[1]


def _with(documents: tuple[Document, ...], above: Sequence[Loader]) -> tuple[Document, ...]:
    """These and those of other sessions, the highest layer first; a file counts once."""
    for loader in above:
        files = {item.source for item in documents if item.layer != "session"}
        more = [item for item in loader.layers().documents if item.source not in files]
        documents = (*documents, *[item for item in more if item not in documents])
    return tuple(sorted(documents, key=lambda item: LAYERS.index(item.layer))) if above else documents
