"""A grant: the right to perform one call once, exactly as it was decided."""

import threading
from collections.abc import Mapping
from typing import Any

from assent.core.canonical import digest
from assent.core.errors import GateError


class Grant:
    """Bound to a run, a call, a digest of tool and arguments, and the policy's version; good once.

    `values` are the arguments as the tool reads them and as they were judged: with these it is run. None: it reads
    them then.
    """

    __slots__ = ("_lock", "_spent", "call", "digest", "policy_version", "run", "values")

    def __init__(
        self, run: str, call: str, tool: str, arguments: Mapping[str, Any], policy_version: str,
        values: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        self.run = run
        self.call = call
        self.digest = act_digest(tool, arguments)
        self.policy_version = policy_version
        self.values = values
        self._lock = threading.Lock()
        self._spent = False

    def redeem(self, call: str, tool: str, arguments: Mapping[str, Any]) -> None:
        """Spend the grant on this act; `GateError` if it is for another one or has been spent."""
        if call != self.call or act_digest(tool, arguments) != self.digest:
            raise GateError(f"The grant for call {self.call} does not cover {tool} as call {call}. Nothing was run.")
        with self._lock:
            if self._spent:
                raise GateError(f"The grant for call {self.call} was already used. Nothing was run.")
            self._spent = True


def act_digest(tool: str, arguments: Mapping[str, Any]) -> str:
    """What an approval is bound to: the tool's name and its final arguments."""
    return digest([tool, arguments])
