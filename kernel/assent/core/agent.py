"""An agent is a value: instructions, a model's name, tools by name, limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import NoneType
from typing import Any, get_args

from assent.core.errors import ConfigError
from assent.core.model import Effort, Priority
from assent.core.privilege import Mode, check_modes

INSTRUCTIONS = (
    "You are a careful data analyst working inside a live Jupyter notebook. "
    "Answer from the data, not from memory: query it before you state a number. "
    "Use the sql tool to read; use the python tool only when something must be computed or changed, "
    "and say why. Keep the final answer short."
)

_KINDS: dict[str, tuple[type, ...]] = {
    "name": (str,), "instructions": (str,), "model": (str,), "description": (str,), "tools": (list, tuple),
    "policy": (Mapping,), "max_steps": (int,), "parallel": (int,), "tool_timeout": (int, float),
    "temperature": (int, float, NoneType), "max_tokens": (int, NoneType), "effort": (str, NoneType), "priority": (str,),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Agent:
    """What a run is started from. `tools` holds names of registered tools, or tools themselves.

    `policy` may only tighten: a tool's privilege still asks where it must. `max_steps` counts model calls,
    `parallel` is how many calls run at once, `tool_timeout` is in seconds. `effort` is how much the model is to think
    ("none", "low", "medium", "high"; None leaves it to the vendor), `priority` who goes first where a limit makes them
    wait ("critical", "high", "mid", "low").
    """

    name: str = "analyst"
    instructions: str = INSTRUCTIONS
    model: str = ""
    tools: tuple[Any, ...] = ("sql", "python")
    policy: Mapping[str, Mode] = field(default_factory=dict)
    max_steps: int = 20
    parallel: int = 8
    tool_timeout: float = 300.0
    temperature: float | None = None
    max_tokens: int | None = None
    description: str = ""
    effort: Effort | None = None
    priority: Priority = "mid"

    def __post_init__(self) -> None:
        for name, kinds in _KINDS.items():
            value = getattr(self, name)
            if not isinstance(value, kinds) or isinstance(value, bool):
                expected = " or ".join(kind.__name__ for kind in kinds)
                raise ConfigError(f"An agent's {name} must be {expected}, not {value!r}.")
        object.__setattr__(self, "tools", tuple(self.tools))
        if not self.name.replace("-", "_").isidentifier():
            raise ConfigError(f"{self.name!r} is no name for an agent: use letters, digits, - and _.")
        check_modes(self.policy)
        if self.effort not in (None, *get_args(Effort)) or self.priority not in get_args(Priority):
            efforts, priorities = ", ".join(get_args(Effort)), ", ".join(get_args(Priority))
            raise ConfigError(f"An agent's effort must be one of {efforts}, and its priority one of {priorities}.")
        if self.max_steps < 1 or self.parallel < 1 or not self.tool_timeout > 0:
            raise ConfigError("max_steps and parallel must be at least 1, and tool_timeout above 0.")

    @property
    def tool_names(self) -> tuple[str, ...]:
        return tuple(item if isinstance(item, str) else item.name for item in self.tools)

    def to_json(self) -> dict[str, Any]:
        """The agent as plain JSON values, its tools by name."""
        value = {name: getattr(self, name) for name in FIELDS}
        return value | {"tools": list(self.tool_names), "policy": dict(self.policy)}


FIELDS = tuple(item.name for item in fields(Agent))


def from_json(value: Mapping[str, Any]) -> Agent:
    """An agent from the values that `Agent.to_json` or a config file gives; unknown fields are refused."""
    if unknown := set(value).difference(FIELDS):
        raise ConfigError(f"Unknown agent setting {', '.join(sorted(unknown))}; there are {', '.join(sorted(FIELDS))}.")
    return Agent(**value)
