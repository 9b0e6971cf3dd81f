"""What a Claude takes, by its name: newer ones refuse fields that older ones need.

Sources: the migration guides and the pages on thinking and effort at https://platform.claude.com/docs/en/models, and
what pydantic-ai found the models to accept (its `profiles/anthropic.py`).
"""

import re
from typing import Any

from assent.core.model import Effort

Version = tuple[int, int]

ADAPTIVE: Version = (4, 6)  # decides itself how much to think, told an effort; before, it needs a budget
COLD: Version = (4, 7)  # refuses a temperature
ALWAYS: Version = (5, 0)  # thinks unless told not to
BUDGETED: Version = (3, 7)  # the first that thinks
UNFORCED: Version = (5, 5)  # from here on a tool cannot be demanded, but of Haiku
SHAPED: Version = (4, 5)  # can be held to a JSON Schema

# How much each may write at most, or so much that nobody misses the rest.
_LIMITS: tuple[tuple[Version, int], ...] = ((BUDGETED, 32_000), ((3, 5), 8192), ((1, 0), 4096))
_LIMIT = 8192  # of a model that is no Claude

# Tokens to think with, where a budget is needed; the vendor takes none below the least.
_BUDGETS = {"low": 2048, "medium": 8192, "high": 16_384}
_LEAST = 1024

# How the thinking of those who always think is turned off; the others can only be told to think little.
_QUIET = {("opus", (5, 0)): "disabled", ("sonnet", (5, 0)): "disabled", ("sonnet", (5, 5)): "between_tools",
          ("haiku", (5, 5)): "disabled"}  # fmt: skip

_FAMILY = re.compile(r"opus|sonnet|haiku|fable|mythos")
_VERSION = re.compile(r"claude\D*?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")


def family(model: str) -> str:
    """Opus, Sonnet, Haiku …, "" where the name does not say."""
    found = _FAMILY.search(model)
    return found[0] if found else ""


def version(model: str) -> Version:
    """(4, 5) of claude-sonnet-4-5-20250929; (0, 0) of what is no Claude."""
    found = _VERSION.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def limit(model: str) -> int:
    """How many tokens an answer may have where nobody says: the vendor wants to be told."""
    known = version(model)
    return next((most for since, most in _LIMITS if known >= since), _LIMIT)


def thinking(model: str, effort: Effort | None, most: int) -> dict[str, Any]:
    """The `thinking` field, {} for none; `most` are the tokens of the whole answer, thinking included."""
    known = version(model)
    if known < ADAPTIVE:
        return _budget(known, effort, most)
    if effort == "none" and known < ALWAYS:
        return {}
    if effort == "none" and (quiet := _QUIET.get((family(model), known))):
        return {"type": quiet}
    if effort is None and known < ALWAYS:
        return {}
    return {"type": "adaptive", "display": "summarized"}


def effort_of(model: str, effort: Effort | None) -> str:
    """The `effort` field, "" for none."""
    known = version(model)
    if known < ADAPTIVE or effort is None or (effort == "none" and known < ALWAYS):
        return ""
    return "low" if effort == "none" else effort


def heats(model: str, thought: dict[str, Any]) -> bool:
    """Whether the model takes a temperature; none does while it thinks."""
    return version(model) < COLD and not thought


def forced(model: str, thought: dict[str, Any]) -> bool:
    """Whether a tool can be demanded; with a budget to think none can be."""
    if family(model) in ("fable", "mythos"):
        return False
    return thought.get("type") != "enabled" and (version(model) < UNFORCED or family(model) == "haiku")


def shaped(model: str) -> bool:
    """Whether the model can be held to a JSON Schema."""
    return version(model) >= SHAPED or (family(model) == "opus" and version(model) == (4, 1))


def _budget(known: Version, effort: Effort | None, most: int) -> dict[str, Any]:
    tokens = min(_BUDGETS.get(effort or "", 0), most // 2)
    if tokens < _LEAST or (0, 0) < known < BUDGETED:
        return {}
    return {"type": "enabled", "budget_tokens": tokens}
