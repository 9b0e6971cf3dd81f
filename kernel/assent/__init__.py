"""Assent: an agent kernel for Jupyter. The names below are the whole public face; each is imported at first use."""

import importlib
from typing import TYPE_CHECKING, Any

from assent.core.version import VERSION

if TYPE_CHECKING:
    from assent.app import Session
    from assent.core.agent import Agent
    from assent.core.commands import Decide, ForkRun, PauseRun, ResumeRun, StartRun, StopRun
    from assent.core.errors import AssentError
    from assent.core.mask import mask
    from assent.tools.idempotency import idempotency_key
    from assent.tools.local_only import local_only
    from assent.tools.proposal import Proposal
    from assent.tools.tool import Output, tool

__version__ = VERSION
__all__ = [
    "Agent",
    "AssentError",
    "Decide",
    "ForkRun",
    "Output",
    "PauseRun",
    "Proposal",
    "ResumeRun",
    "Session",
    "StartRun",
    "StopRun",
    "idempotency_key",
    "local_only",
    "mask",
    "tool",
]

_HOMES = {
    "Agent": "assent.core.agent",
    "AssentError": "assent.core.errors",
    "Decide": "assent.core.commands",
    "ForkRun": "assent.core.commands",
    "Output": "assent.tools.tool",
    "PauseRun": "assent.core.commands",
    "Proposal": "assent.tools.proposal",
    "ResumeRun": "assent.core.commands",
    "Session": "assent.app",
    "StartRun": "assent.core.commands",
    "StopRun": "assent.core.commands",
    "idempotency_key": "assent.tools.idempotency",
    "local_only": "assent.tools.local_only",
    "mask": "assent.core.mask",
    "tool": "assent.tools.tool",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'assent' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__", "load_ipython_extension", "unload_ipython_extension"]


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext assent`: register `%agent` and `%%agent`."""
    importlib.import_module("assent_magics.extension").load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """`%unload_ext assent`: take the magics away again."""
    importlib.import_module("assent_magics.extension").unload(shell)
