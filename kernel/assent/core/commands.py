"""What one can ask of a session. Every front door turns its input into one of these, and nothing more."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from assent.core.agent import Agent
from assent.core.model import Effort, Priority

OnAsk = Literal["wait", "suspend", "deny"]


@dataclass(frozen=True, slots=True)
class StartRun:
    """Begin a run. `agent` is a name or an `Agent`; `wait` is how long (seconds) to wait for a person.

    `on_ask`, when a call needs a person: "wait" for one, "suspend" the run at once, or "deny" the call.
    `output_type` is what the answer must be: a type, a mapping of column to type or a DataFrame (a DataFrame of such
    columns), or the text of one (a name in the namespace, `list[str]`, `region: str, revenue: float`). `images` are
    pictures for the model, one or a list: bytes, paths, figures, or names of these. None of `effort`, `priority` or
    `max_steps` leaves it to the agent.
    """

    prompt: str
    agent: str | Agent = "analyst"
    model: str = ""
    wait: float = 600.0
    on_ask: OnAsk = "suspend"
    max_steps: int | None = None
    notebook: str | None = None
    cell: str | None = None
    parent: str | None = None
    output_type: Any = field(default=None, repr=False, compare=False)
    images: Any = field(default=(), repr=False, compare=False)
    effort: Effort | None = None
    priority: Priority | None = None


@dataclass(frozen=True, slots=True)
class ResumeRun:
    """Go on with a run that is suspended, cancelled or was cut off; with another `model`, if one is named."""

    run: str
    wait: float = 600.0
    on_ask: OnAsk = "suspend"
    model: str = ""


@dataclass(frozen=True, slots=True)
class StopRun:
    """Cancel a run that is at work or waiting."""

    run: str
    reason: str = "stopped by the analyst"


@dataclass(frozen=True, slots=True)
class Decide:
    """A person's answer to a call that asks. `arguments` replaces the call's own and is decided by policy again.

    `scope` "run" lets this tool act without asking for the rest of the run, where its privilege allows that.
    `outcome`, for a call whose outcome is unknown, is what did happen: the call is not run and this is its result.
    `seen` is the digest (core.grant.act_digest) of what the person was shown: an approval of anything else is refused.
    """

    call: str
    verdict: Literal["approve", "reject"]
    by: str = ""
    reason: str = ""
    arguments: Mapping[str, Any] | None = None
    scope: Literal["once", "run"] = "once"
    outcome: str | None = None
    seen: str = ""


Command = StartRun | ResumeRun | StopRun
