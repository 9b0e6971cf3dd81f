"""The sub-commands of `%agent`: each is a function of the desk and the rest of the line, listed in `COMMANDS`."""

import keyword
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from IPython.display import display

import assent
from assent.core.agent import Agent
from assent.core.commands import Decide
from assent.core.errors import ConfigError, NotFound
from assent.core.ids import run_of
from assent.jupyter import frontend
from assent.store.schema import runs_where
from assent_magics import control, keeping, lineage, options, record, travel, unfinished
from assent_magics.audit import audit
from assent_magics.budgets import budgets
from assent_magics.costs import BY, costs
from assent_magics.desk import Desk
from assent_magics.grants import grants
from assent_magics.local_only import local_only
from assent_magics.options import Option
from assent_magics.people import people, proved
from assent_magics.policy import policy
from assent_magics.trust import trust
from assent_magics.waivers import waive, waivers
from assent_magics.ways import WAYS
from assent_widgets.approval import pending_bundle
from assent_widgets.transcript import Transcript

_INTO = re.compile(r"\s*([^\W\d]\w*)\s*<<\s*")
_LOGIN = re.compile(r"//[^/]*@")  # a name and password in a URL
_BROAD = 52  # signs of a command in the help
_WIDE = 49  # signs of a cell that pandas shows whole
_RUNS = """
    SELECT run, agent, status, split_part(prompt, chr(10), 1) AS asked, coalesce(answer, reason, '') AS outcome,
        date_trunc('second', started) AS "started (UTC)", steps, calls, cost, round(seconds, 1) AS seconds, model
    FROM ({runs} ORDER BY min(seq) DESC)"""
_LATEST = "run IN (SELECT run FROM events WHERE kind = 'run_started' {here} ORDER BY seq DESC LIMIT 20)"
_HERE = """AND run IN (SELECT unnest(runs) FROM notebooks WHERE id = '{id}' OR (id IS NULL AND path = '{path}'))"""


@dataclass(frozen=True, slots=True)
class Command:
    """A sub-command. `act` None marks the ones that run an agent and live in `magic`.

    `as_written`: the line has braces of its own, so `{name}` is not replaced before `act` has read it.
    """

    usage: str
    help: str
    act: Callable[[Desk, str], Any] | None
    options: Mapping[str, Option]
    as_written: bool = False


def status(desk: Desk) -> None:
    """What is loaded, and which runs can go on, with what to type for it."""
    desk.greeted = True
    kernel = frontend.kernel()
    print(f"Assent {assent.__version__} · workspace {desk.folder} · kernel {getattr(kernel, 'implementation', 'none')}")
    config = desk.config
    model = config.model or "chosen at the first run"
    print(f"agent {config.agent} · model {model} · mode {config.mode} · %agent help")
    if desk.config.admin:
        print("You are an administrator here and see everybody's runs. %config Assent.admin = False ends that.")
    counts = desk.session.journal.select("SELECT status, count(*) FROM runs GROUP BY status ORDER BY status")
    if counts:
        print("runs: " + ", ".join(f"{count} {name}" for name, count in counts))
    for line in unfinished.lines(desk.session):
        print(line)


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


def _help_with(name: str, command: "Command") -> None:
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


def new(desk: Desk, rest: str) -> None:
    """Define an agent and keep it in the workspace."""
    words, given = options.split(rest, options.NEW)
    if len(words) != 1:
        raise ConfigError('Give one name: %agent new NAME --instructions "…" --tools sql,python.')
    if words[0] == "sql":
        raise ConfigError("No agent can be called 'sql': %%agent sql reads the workspace.")
    if missing := [name for name in given.get("tools", ()) if name not in desk.session.tools()]:
        raise NotFound(f"There is no tool {missing[0]!r}; there are {', '.join(desk.session.tools())}.")
    desk.session.define(Agent(name=words[0], **given))
    print(f"The agent {words[0]} is ready: %%agent {words[0]}")


def agents(desk: Desk, rest: str) -> Any:
    """The agents, as a table."""
    _nothing(rest)
    known = [agent.to_json() for agent in desk.session.agents().values()]
    names = [item.name for item in fields(Agent)]
    rows = [{name: "" if agent[name] is None else agent[name] for name in names} for agent in known]
    return _table(rows).drop(columns="instructions")


def runs(desk: Desk, rest: str) -> Any:
    """The latest runs, as a table; those of this notebook, wherever it was when they began."""
    words, given = options.split(rest, options.RUNS)
    _nothing(" ".join(words))
    latest = runs_where(_LATEST.format(here=_here(desk) if given else ""))
    return desk.session.sql(_RUNS.format(runs=latest), frames=False)


def _here(desk: Desk) -> str:
    path = frontend.provenance().notebook
    if path is None:
        raise ConfigError("This front end does not say which notebook this is. %agent runs lists the runs of all.")
    return _HERE.format(id=desk.notebook, path=path.replace("'", "''"))


def show(desk: Desk, rest: str) -> None:
    """The transcript of a run."""
    transcript = Transcript(prompt=True, notebook=desk.notebook)
    for event in desk.session.events(_one(rest, "show RUN")):
        transcript.apply(event)
    display(transcript.bundle(), raw=True, metadata=transcript.metadata())


def pending(desk: Desk, rest: str) -> None:
    """What waits for a person, with buttons where there can be some."""
    _nothing(rest)
    waiting = desk.session.pending()
    if not waiting:
        print(" ".join(["Nothing waits for your answer.", unfinished.greeting(desk.session)]).strip())
    if any(item.at < desk.since for item in waiting):
        print("This kernel is younger than the question: load the data again before you approve.")
    if frontend.way_to_ask() == "widget":
        desk.cards(waiting)
    else:
        for item in waiting:
            display(pending_bundle(item), raw=True)


def approve(desk: Desk, rest: str) -> None:
    """Approve one call."""
    words, given = options.split(rest, options.APPROVE)
    call = _one(" ".join(words), "approve ID")
    if given.get("for_run") and given.get("for_session"):
        raise ConfigError("Say --for-run or --for-session, not both: which of them is meant?")
    scope: Any = "session" if given.get("for_session") else "run" if given.get("for_run") else "once"
    said = Decide(call, "approve", by=given.get("as", ""), scope=scope, outcome=given.get("happened"))
    _decide(desk, proved(desk, said))


def reject(desk: Desk, rest: str) -> None:
    """Reject one call; the agent reads why."""
    words, _ = options.split(rest, options.NONE)
    if not words:
        raise ConfigError('Say which: %agent reject ID "why". %agent pending lists them.')
    _decide(desk, Decide(words[0], "reject", reason=" ".join(words[1:])))


def models(desk: Desk, rest: str) -> Any:
    """The models that could be used, as a table; prices are US dollars for a million tokens."""
    from assent.models.known import known_models  # httpx takes 0.1 s to import: not before somebody asks

    _nothing(rest)
    rows = known_models(desk.config, desk.folder, [agent.model for agent in desk.session.agents().values()])
    for row in rows:
        if len(row.needs) > _WIDE:
            print(f"{row.name}: {row.needs}")
    names = {"name": "model", "kind": "kind", "ready": "ready", "reachable": "reachable", "input": "input $/M"}
    names |= {"output": "output $/M", "needs": "needs"}
    return _table([{title: getattr(row, name) for name, title in names.items()} for row in rows])


def model(desk: Desk, rest: str) -> None:
    """Use another model from now on."""
    name = _one(rest, "model NAME")
    before = desk.settings.model
    desk.settings.model = name
    try:
        if desk.config.replay:  # nobody is asked, so there need be no such model here
            print(f"Runs now use {name}, for which the recording answers.")
            return
        print(f"Runs now use {desk.session.model(name).name}.")
    except BaseException:
        desk.settings.model = before
        raise


def tools(desk: Desk, rest: str) -> Any:
    """The tools that agents may be given, as a table."""
    _nothing(rest)
    modes = desk.config.policy
    return _table(
        [
            {
                "tool": tool.name, "privilege": tool.privilege, "policy": modes.get(tool.name, "auto"),
                "arguments": ", ".join(tool.schema.get("properties", {})), "description": tool.description,
            }
            for tool in desk.session.tools().values()
        ]
    )  # fmt: skip


def sql(desk: Desk, rest: str) -> Any:
    """Read by SQL; `df <<` before the statement binds the result instead of giving it."""
    target = _INTO.match(rest)
    if target and keyword.iskeyword(target[1]):
        raise ConfigError(f"{target[1]!r} is no name for a variable.")
    frame = desk.session.sql(rest[target.end() :] if target else rest)
    if target is None:
        return frame
    desk.namespace[target[1]] = frame
    return None


def config(desk: Desk, rest: str) -> None:
    """Which settings hold."""
    _nothing(rest)
    effective = desk.config
    for item in fields(effective):
        value = getattr(effective, item.name)
        if item.name == "base_url":
            value = _LOGIN.sub("//", value)
        print(f"{item.name:<10} {[agent.name for agent in value] if item.name == 'agents' else value!r}")
    print(f'\nSet with %config Assent.model = "…", ASSENT_MODEL in the environment, or {desk.folder / "config.toml"}.')


def doctor(desk: Desk, rest: str) -> None:
    """Look at the installation from all sides."""
    from assent.jupyter import doctor as doctors  # duckdb and jupyter_client take 0.1 s to import

    _nothing(rest)
    for finding in doctors.examine(desk.session.journal):
        print(finding)


def _decide(desk: Desk, command: Decide) -> None:
    desk.decide(command)
    run = run_of(command.call)
    left = len(desk.session.pending(run))
    then = f"{left} more to answer." if left else f"%agent resume {run} goes on with the run."
    said = "recorded" if command.outcome is not None else {"approve": "approved"}.get(command.verdict, "rejected")
    print(f"{command.call}: {said}. {then}")


def _table(rows: list[dict[str, Any]]) -> Any:
    import pandas  # takes 0.3 s to import: not before there is a table to show

    return pandas.DataFrame(rows)


def _one(rest: str, usage: str) -> str:
    words, _ = options.split(rest, options.NONE)
    if len(words) != 1:
        raise ConfigError(f"Give one word: %agent {usage}.")
    return words[0]


def _nothing(rest: str) -> None:
    if rest.strip():
        raise ConfigError(f"Nothing may follow this command, not {rest.strip()!r}. %agent help shows them all.")


COMMANDS: Mapping[str, Command] = {
    "help": Command("help [COMMAND]", "this list", show_help, options.NONE),
    "ask": Command("ask [options] PROMPT", "run the agent on a line; gives the result", None, options.RUN),
    "new": Command("new NAME [options]", "define an agent and keep it", new, options.NEW),
    "list": Command("list", "the agents", agents, options.NONE),
    "local_only": Command(
        "local_only [NAME …]", "keep a variable from remote models; --end lets go", local_only, options.LOCAL_ONLY
    ),
    "runs": Command("runs [--here]", "the latest runs", runs, options.RUNS),
    "show": Command("show RUN", "the transcript of a run", show, options.NONE),
    "pending": Command("pending", "what waits for your answer", pending, options.NONE),
    "approve": Command("approve ID", "let a call run", approve, options.APPROVE),
    "reject": Command('reject ID "why"', "refuse a call; the agent reads why", reject, options.NONE),
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
    "models": Command("models", "the models there are, what they need and cost", models, options.NONE),
    "model": Command("model NAME", "use another model from now on", model, options.NONE),
    "tools": Command("tools", "the tools there are", tools, options.NONE),
    "sql": Command(
        "sql [df <<] SELECT …", "read the workspace and the DataFrames by SQL", sql, options.NONE, as_written=True
    ),
    "costs": Command("costs [BY]", f"what the models cost, by {', '.join(BY)}", costs, options.NONE),
    "policy": Command(
        "policy [add|clear|explain|test]",
        "the rules that hold, and why a call is decided so",
        policy,
        options.POLICY_ADD,
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
    "config": Command("config", "the settings that hold", config, options.NONE),
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
    "doctor": Command("doctor", "look for what is missing", doctor, options.NONE),
}
