"""The sub-commands of `%agent` by name: what each is for, the function that does it, its options; and the help."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assent.core.errors import NotFound
from assent_magics import control, keeping, lineage, manage, options, record, travel
from assent_magics.audit import audit
from assent_magics.budgets import budgets
from assent_magics.costs import BY, costs
from assent_magics.desk import Desk
from assent_magics.grants import grants
from assent_magics.local_only import local_only
from assent_magics.memory import memory
from assent_magics.options import Option
from assent_magics.people import people
from assent_magics.policy import policy
from assent_magics.trust import trust
from assent_magics.waivers import waive, waivers
from assent_magics.ways import WAYS

_BROAD = 52  # signs of a command in the help


@dataclass(frozen=True, slots=True)
class Command:
    """A sub-command. `act` takes the desk and the rest of the line; None marks those that run an agent (`magic`).

    `as_written`: the line has braces of its own, so `{name}` is not replaced before `act` has read it.
    """

    usage: str
    help: str
    act: Callable[[Desk, str], Any] | None
    options: Mapping[str, Option]
    as_written: bool = False


def show_help(desk: Desk, rest: str) -> None:
    """Print every command, or the one that is asked for."""
    names = [rest.strip()] if rest.strip() else []
    if unknown := [name for name in names if name not in COMMANDS]:
        raise NotFound(f"There is no command {unknown[0]!r}; {options.meant(unknown[0], COMMANDS)}")
    if rest.strip():
        _help_with(names[0], COMMANDS[names[0]])
        return
    rows = [("%%agent [NAME] [options]", "run an agent on the prompt below it; {name} tells it a variable")]
    rows += [("%%agent sql [df <<]", "read the workspace and the notebook's DataFrames by SQL"), ("", "")]
    rows += [(f"%agent {command.usage}", command.help) for command in COMMANDS.values()]
    _print(rows)
    print("\nOptions of %%agent:")
    _print([(f"  {name}", option.help) for name, option in options.RUN.items()])


def _help_with(name: str, command: Command) -> None:
    """What one command is for, the ways to say it, and its options."""
    if name not in WAYS:
        _print([(f"%agent {command.usage}", command.help)])
    else:
        print(f"{command.help[0].upper()}{command.help[1:]}.\n")
        _print([(f"%agent {way}", does) for way, does in WAYS[name]])
    if command.options:
        print("\nOptions:")
        _print([(f"  {item}", option.help) for item, option in command.options.items()])


def _print(rows: Sequence[tuple[str, str]]) -> None:
    """Two columns, the first as wide as it must be; one that is far wider than most has a line of its own."""
    width = max([len(left) for left, _ in rows if len(left) <= _BROAD], default=0)
    for left, right in rows:
        print(f"{left}\n{'':<{width}}  {right}" if len(left) > width else f"{left:<{width}}  {right}".rstrip())


COMMANDS: Mapping[str, Command] = {
    "help": Command("help [COMMAND]", "this list", show_help, options.NONE),
    "ask": Command("ask [options] PROMPT", "run the agent on a line; gives the result", None, options.RUN),
    "new": Command("new NAME [options]", "define an agent and keep it", manage.new, options.NEW),
    "list": Command("list", "the agents", manage.agents, options.NONE),
    "local_only": Command(
        "local_only [NAME …]", "keep a variable from remote models; --end lets go", local_only, options.LOCAL_ONLY
    ),
    "runs": Command("runs [--here]", "the latest runs", manage.runs, options.RUNS),
    "show": Command("show RUN", "the transcript of a run", manage.show, options.NONE),
    "pending": Command("pending", "what waits for your answer", manage.pending, options.NONE),
    "approve": Command("approve ID", "let a call run", manage.approve, options.APPROVE),
    "reject": Command('reject ID "why"', "refuse a call; the agent reads why", manage.reject, options.NONE),
    "grants": Command("grants [revoke ID]", "what tools may do without asking; end that", grants, options.NONE),
    "people": Command("people [add NAME]", "who can prove who they are when they approve", people, options.NONE),
    "resume": Command("resume RUN", "go on with a run", None, options.RESUME),
    "pause": Command(
        "pause RUN", "stop a run until it is resumed, once what is under way has ended", control.pause, options.STOP
    ),
    "stop": Command("stop RUN", "cancel a run, at once if nothing else is said", control.stop, options.STOP),
    "history": Command("history RUN", "what a run did, step by step, and what it cost", travel.history, options.NONE),
    "fork": Command("fork RUN --at STEP", "go on another way from a step of a run", None, options.FORK),
    "replay": Command("replay RUN", "go through a run again: no model, no effect", record.replay, options.NONE),
    "record": Command("record FILE", "record runs; --replay answers from it", record.record, options.RECORD),
    "compare": Command("compare RUN RUN", "runs side by side", travel.compare, options.NONE),
    "blame": Command("blame VAR|FILE", "which cell or call last wrote it, and who before", lineage.blame, options.NONE),
    "rebuild": Command("rebuild [VAR …]", "what to run after a restart to have it back", lineage.rebuild, options.NONE),
    "models": Command("models", "the models there are, what they need and cost", manage.models, options.NONE),
    "model": Command("model NAME", "use another model from now on", manage.model, options.NONE),
    "tools": Command("tools", "the tools there are", manage.tools, options.NONE),
    "sql": Command(
        "sql [df <<] SELECT …",
        "read the workspace and the DataFrames by SQL",
        manage.sql,
        options.NONE,
        as_written=True,
    ),
    "costs": Command("costs [BY]", f"what the models cost, by {', '.join(BY)}", costs, options.NONE),
    "policy": Command(
        "policy [add|clear|explain|test]",
        "the rules that hold, and why a call is decided so",
        policy,
        options.POLICY_ADD,
        as_written=True,
    ),
    "memory": Command(
        "memory [search|add|forget|…]",
        "what is remembered: find it, add to it, forget",
        memory,
        options.MEMORY,
        as_written=True,
    ),
    "trust": Command(
        "trust [SOURCE | revoke ID]",
        "believe a file, host or other source for a while, with a reason",
        trust,
        options.TRUST,
    ),
    "budgets": Command("budgets [NAME]", "what is left of each budget, for an agent", budgets, options.NONE),
    "waive": Command(
        "waive TOOL|BUDGET …", "loosen a rule or a budget for a while, with a reason", waive, options.WAIVE
    ),
    "waivers": Command("waivers [end ID]", "what is loosened, by whom, why and until when", waivers, options.NONE),
    "config": Command("config", "the settings that hold", manage.config, options.NONE),
    "backup": Command("backup FILE", "the workspace in one file", keeping.backup, options.BACKUP),
    "restore": Command(
        "restore FILE --to FOLDER", "put a backup back, where no workspace is open", keeping.restore, options.RESTORE
    ),
    "verify": Command(
        "verify [FILE]", "whether all that is recorded is as it was written, and signed", keeping.verify, options.VERIFY
    ),
    "audit": Command(
        "audit [sign|anchor|export FILE]", "who decided what; sign the record, or hand it out", audit, options.AUDIT
    ),
    "compact": Command("compact", "forget by the rules of [retention]", keeping.compact, options.COMPACT),
    "doctor": Command("doctor", "look for what is missing", manage.doctor, options.NONE),
}
