"""Whether a path that a tool was given lies in a folder, once links and `..` are followed."""

import errno
import os
import unicodedata
from dataclasses import dataclass, field

_NO_LINK = frozenset({errno.EINVAL, errno.ENOENT, errno.ENOTDIR})  # why there is nothing to follow
_LINKS = 40  # as many as Linux follows


@dataclass(slots=True)
class Ground:
    """What the paths of one decision stand on: the `project`'s folder, and the files as far as it has seen them.

    Made anew for each decision, for by the next one a link may lead elsewhere.
    """

    project: str
    _links: dict[str, str | None] = field(default_factory=dict)  # by path: where it leads, None where it is no link
    _reals: dict[str, tuple[str, str]] = field(default_factory=dict)  # by path; beside it as `_alike` has it
    _folders: dict[str, tuple[str, str]] = field(default_factory=dict)  # by a rule's folder
    _here: str = ""

    def real(self, path: str) -> str:
        """As `os.path.realpath`, but nothing is looked at twice; `OSError` also where a link is not to be read.

        The folder that the process is in is not looked at either: the system tells it without links.
        """
        return self.target(path)[0]

    def target(self, path: str) -> tuple[str, str]:
        """Where a path leads, and how that is spelt where file systems make no difference; `OSError` as `real`."""
        if path not in self._reals:
            found = self._walk(*self._begin(path)) if os.sep == "/" else os.path.realpath(path)
            self._reals[path] = found, _alike(found)
        return self._reals[path]

    def folder(self, folder: str) -> tuple[str, str]:
        """The same of a rule's folder, which begins at the project; the project is followed once for all of them."""
        if folder not in self._folders:
            whole = os.path.expanduser(folder)
            if os.sep != "/" or os.path.isabs(whole):
                self._folders[folder] = self.target(os.path.join(self.project, whole))
            else:
                found = self._walk(self.real(self.project).rstrip("/"), whole)
                self._folders[folder] = found, _alike(found)
        return self._folders[folder]

    def _walk(self, base: str, rest: str) -> str:
        names, followed = rest.split("/")[::-1], 0
        while names:
            name = names.pop()
            if name == "..":
                base = base.rpartition("/")[0]
            elif name and name != ".":
                whole = f"{base}/{name}"
                if (link := self._link(whole)) is None:
                    base = whole
                    continue
                if (followed := followed + 1) > _LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), whole)
                base = "" if link.startswith("/") else base
                names += link.split("/")[::-1]
        return base or "/"

    def _begin(self, path: str) -> tuple[str, str]:
        """A folder without links, "" for the root, and what follows it."""
        here = self._here = self._here or os.getcwd().rstrip("/")
        if not path.startswith("/"):
            return here, path
        return (here, path[len(here) :]) if f"{path}/".startswith(f"{here}/") else ("", path)

    def _link(self, path: str) -> str | None:
        if path not in self._links:
            try:
                self._links[path] = os.readlink(path)
            except OSError as error:
                if error.errno not in _NO_LINK:
                    raise
                self._links[path] = None
        return self._links[path]


def within(path: str, folder: str, ground: Ground) -> bool | None:
    """Whether `path`, as the present process would open it, is `folder` or lies in it; None where that is not certain.

    A relative `folder` begins at the project, a relative `path` where the process is. What a tool might open as
    something else (`~`, an address, a variable) is not certain, nor is a name that differs in its letters' case or
    accents' spelling only.
    """
    if not path or path.startswith(("~", "file:")) or any(sign in path for sign in ("\0", "://", "$")):
        return None
    try:
        target, spelt = ground.target(path)
        base, other = ground.folder(folder)
    except (OSError, ValueError):
        return None
    if _holds(base, target):
        return True
    return None if _holds(other, spelt) else False


def _alike(path: str) -> str:
    """The same for what some file systems take for the same."""
    return path.lower() if path.isascii() else unicodedata.normalize("NFC", path.casefold())


def _holds(base: str, target: str) -> bool:
    return target == base or target.startswith(base if base.endswith(os.sep) else base + os.sep)
