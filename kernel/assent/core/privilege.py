"""The five privilege levels of tools, lowest first."""

from typing import Literal, get_args

Privilege = Literal["read_only", "execute_safe", "execute_risky", "admin", "super_admin"]
Mode = Literal["auto", "ask", "disabled"]

LEVELS: tuple[str, ...] = get_args(Privilege)
MODES: tuple[str, ...] = get_args(Mode)
READ_ONLY: Privilege = "read_only"


def level(privilege: str) -> int:
    """How high a privilege is, 0 to 4; ValueError for one that does not exist."""
    return LEVELS.index(privilege)
