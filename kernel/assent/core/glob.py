"""Names that stand for several: of tools, agents, variables, columns."""


def is_glob(pattern: str) -> bool:
    """Whether a name is a pattern: `*`, `?` and `[…]` stand for other signs."""
    return any(sign in pattern for sign in "*?[")
