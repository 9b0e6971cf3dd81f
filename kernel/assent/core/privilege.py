"""The five privilege levels of tools, lowest first, and the modes of a policy."""

from collections.abc import Mapping
from typing import Literal, get_args

from assent.core.errors import ConfigError

Privilege = Literal["read_only", "execute_safe", "execute_risky", "admin", "super_admin"]
Mode = Literal["auto", "ask", "disabled"]

LEVELS: tuple[str, ...] = get_args(Privilege)
MODES: tuple[str, ...] = get_args(Mode)
READ_ONLY: Privilege = "read_only"


def check_modes(policy: Mapping[str, str]) -> None:
    """Refuse a policy that gives a tool a mode which does not exist: `ConfigError`."""
    for tool, mode in policy.items():
        if mode not in MODES:
            raise ConfigError(f"The policy for {tool!r} is {mode!r}; it must be one of {', '.join(MODES)}.")


def level(privilege: str) -> int:
    """How high a privilege is, 0 to 4; ValueError for one that does not exist."""
    return LEVELS.index(privilege)
