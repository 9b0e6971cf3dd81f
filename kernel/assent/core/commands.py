"""What one can ask of a session. Every front door turns its input into one of these, and nothing more."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from assent.core.agent import Agent
from assent.core.cargo import Source
from assent.core.model import Effort, Priority
from assent.core.run_mode import RunMode

OnAsk = Literal["wait", "suspend", "deny"]

STOPPED = "stopped by the analyst"
PAUSED = "paused by the analyst"


@dataclass(frozen=True, slots=True)
class StartRun:
    """Begin a run. `agent` is a name or an `Agent`; `wait` is how long (seconds) to wait for a person.

    `on_ask`, when a call needs a person: "wait" for one, "suspend" the run at once, or "deny" the call.
    `output_type` is what the answer must be: a type, a mapping of column to type or a DataFrame (a DataFrame of such
    columns), or the text of one (a name in the namespace, `list[str]`, `region: str, revenue: float`). `images` are
    pictures for the model, one or a list: bytes, paths, figures, or names of these. None of `effort`, `priority` or
    `max_steps` leaves it to the agent. `mode`: "auto", "strict" (a plan first, then each effect asks) or "dry-run"
    (nothing is performed); where the settings or the run that starts this one are tighter, theirs holds. `told` are the
    variables whose contents stand in the prompt. `budget` is how many US dollars the run may spend, besides the budgets
    of the policy.
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
    replay: str = ""
    mode: RunMode = "auto"
    budget: Decimal | None = None
    told: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class ResumeRun:
    """Go on with a run that is suspended, paused, cancelled or was cut off; with another `model`, if one is named.

    `budget` is the run's own from now on, in US dollars, what it has spent included; None leaves it as it is.
    """

    run: str
    wait: float = 600.0
    on_ask: OnAsk = "suspend"
    model: str = ""
    budget: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ForkRun:
    """Begin a run that shares the steps 1 to `at` of another, with the results of their calls, and goes on from there.

    At 0 it begins anew, with `prompt` in place of the question; at a later step `prompt` is what the person says next.
    `call` and `arguments` edit a call: the shared steps end with its own, and it is decided by policy again. None of
    `at` means the step of the edited call, else, with a `prompt`, the last one. `model` is another model to go on with,
    `told` as in `StartRun`.
    """

    run: str
    at: int | None = None
    prompt: str = ""
    call: str = ""
    arguments: Mapping[str, Any] | None = None
    model: str = ""
    wait: float = 600.0
    on_ask: OnAsk = "suspend"
    notebook: str | None = None
    cell: str | None = None
    told: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class StopRun:
    """Cancel a run that is at work or waiting, and the runs that it has started.

    `seconds` is how long what is under way may take: 0 cuts it off at once, None lets it end.
    """

    run: str
    reason: str = STOPPED
    seconds: float | None = 0


@dataclass(frozen=True, slots=True)
class PauseRun:
    """Stop a run, and those that it has started, until somebody resumes it; it never goes on by itself.

    `seconds` as in `StopRun`. What is cut off is not repeated without asking, unless it is idempotent.
    """

    run: str
    reason: str = PAUSED
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Decide:
    """A person's answer to a call that asks. `arguments` replaces the call's own and is decided by policy again.

    `scope` "run" lets this tool act without asking for the rest of the run, "session" also in later runs of the same
    agent in this session, where its privilege allows that.
    `outcome`, for a call whose outcome is unknown, is what did happen: the call is not run and this is its result.
    `seen` is the digest (core.grant.act_digest) of what the person was shown: an approval of anything else is refused.
    `passphrase` proves that it is `by` who answers (core.people), where the question asks for that; it is not recorded.
    """

    call: str
    verdict: Literal["approve", "reject"]
    by: str = ""
    reason: str = ""
    arguments: Mapping[str, Any] | None = None
    scope: Literal["once", "run", "session"] = "once"
    outcome: str | None = None
    seen: str = ""
    passphrase: str = field(default="", repr=False)


RunCommand = StartRun | ResumeRun | ForkRun  # what brings a run to work
Command = RunCommand | StopRun | PauseRun
