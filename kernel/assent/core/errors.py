"""Every error Assent raises on purpose. A message says what happened, then what to do.

AssentError
├── ConfigError        an option, name or setting that makes no sense
├── NotFound           no such run, agent, approval, tool or model
├── Unreadable         a file holds no text, is damaged or locked
├── StoreError         the workspace could not be read or written
│   ├── WorkspaceLocked    another process holds it
│   ├── WorkspaceNewer     a later version wrote it
│   ├── WorkspaceCorrupt   its file is damaged
│   ├── WorkspaceGone      its file was deleted, moved or replaced while it was open
│   ├── CutOff             others suspended the runs of this process, which had been away
│   └── Conflict           something else was written first
├── ModelError         a model gave no usable answer
│   ├── NoModel            there is no model to ask
│   └── OverLimit          a limit of the user's own kept it from being asked
│       └── Withheld           it must not see what it would have been sent
├── QueryError         SQL that is wrong or that would write
├── OverBudget         a budget does not cover what comes next
├── GateError          something tried to act without a grant
└── NothingDone        a tool says for certain that it had no effect
"""

from typing import Any


class AssentError(Exception):
    """Root of all errors that Assent raises on purpose."""


class ConfigError(AssentError):
    """An option, name or setting that makes no sense."""


class NotFound(AssentError):
    """No such run, agent, approval, tool or model."""


class Unreadable(AssentError):
    """A file holds no text, is damaged or locked."""


class StoreError(AssentError):
    """The workspace could not be read or written."""


class WorkspaceLocked(StoreError):
    """Another process holds the workspace."""


class WorkspaceNewer(StoreError):
    """A later version of Assent wrote the workspace."""


class WorkspaceCorrupt(StoreError):
    """The workspace's file is damaged."""


class WorkspaceGone(StoreError):
    """The workspace's file is no longer in its place."""


class CutOff(StoreError):
    """Others took this process for dead and suspended its runs, which must not go on here."""


class Conflict(StoreError):
    """What was to be written rested on what has changed meanwhile: look again, and decide anew."""


class ModelError(AssentError):
    """A model gave no usable answer. `status` is the HTTP status where there was one.

    `retryable` says that the same request may succeed later, `retry_after` in how many seconds the server wants it.
    """

    def __init__(
        self, message: str, *, status: int | None = None, retryable: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retryable = retryable
        self.retry_after = retry_after


class NoModel(ModelError):
    """There is no model to ask."""


class OverLimit(ModelError):
    """A limit of the user's own kept a model from being asked: nothing that the model did."""


class Withheld(OverLimit):
    """What a model would have been sent must not reach it, so it was not asked."""


class QueryError(AssentError):
    """SQL that is wrong, or that would write where only reading is allowed."""


class OverBudget(AssentError):
    """A budget does not cover what comes next; `told` is the budget and what is spent of it, for the journal."""

    def __init__(self, message: str, told: dict[str, Any]) -> None:
        super().__init__(message)
        self.told = told


class GateError(AssentError):
    """Something tried to act without a grant for exactly that act."""


class NothingDone(AssentError):
    """Raised by a tool that failed before it had any effect, for certain: what the call has reserved is given back."""
