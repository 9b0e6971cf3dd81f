"""Sub-commands of `%agent` about agents, runs, calls, models and tools: functions of the desk and the line's rest."""

import keyword
import re
from dataclasses import fields
from typing import Any

from IPython.display import display

import assent
from assent.core.agent import Agent
from assent.core.commands import Decide
from assent.core.errors import ConfigError, NotFound
from assent.core.ids import run_of
from assent.jupyter import frontend
from assent.store.schema import runs_where
from assent_magics import options, unfinished
from assent_magics.desk import Desk
from assent_magics.people import proved
from assent_widgets.approval import pending_bundle
from assent_widgets.transcript import Transcript

_INTO = re.compile(r"\s*([^\W\d]\w*)\s*<<\s*")
_LOGIN = re.compile(r"//[^/]*@")  # a name and password in a URL
_WIDE = 49  # signs of a cell that pandas shows whole
_RUNS = """
    SELECT run, agent, status, split_part(prompt, chr(10), 1) AS asked, coalesce(answer, reason, '') AS outcome,
        date_trunc('second', started) AS "started (UTC)", steps, calls, cost, round(seconds, 1) AS seconds, model
    FROM ({runs} ORDER BY min(seq) DESC)"""
_LATEST = "run IN (SELECT run FROM events WHERE kind = 'run_started' {here} ORDER BY seq DESC LIMIT 20)"
_HERE = """AND run IN (SELECT unnest(runs) FROM notebooks WHERE id = '{id}' OR (id IS NULL AND path = '{path}'))"""


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
