"""Whether a path that a tool was given lies in a folder, once links and `..` are followed."""

import os
import unicodedata


def within(path: str, folder: str, project: str) -> bool | None:
    """Whether `path`, as the present process would open it, is `folder` or lies in it; None where that is not certain.

    A relative `folder` begins at `project`, a relative `path` where the process is. What a tool might open as
    something else (`~`, an address, a variable) is not certain, nor is a name that differs in its letters' case or
    accents' spelling only.
    """
    if not path or path.startswith(("~", "file:")) or any(sign in path for sign in ("\0", "://", "$")):
        return None
    try:
        target = os.path.realpath(path)
        base = os.path.realpath(os.path.join(project, os.path.expanduser(folder)))
    except (OSError, ValueError):
        return None
    if _holds(base, target):
        return True
    return None if _holds(_alike(base), _alike(target)) else False


def _alike(path: str) -> str:
    """The same for what some file systems take for the same."""
    return unicodedata.normalize("NFC", path.casefold())


def _holds(base: str, target: str) -> bool:
    return target == base or target.startswith(base if base.endswith(os.sep) else base + os.sep)
