"""Writes docs/reference.md from the code; a test compares the two. `python docs/reference.py` brings it up to date."""

import argparse
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import assent
from assent.core import errors
from assent.core.agent import Agent
from assent.core.config import Config, from_environment
from assent.core.model_settings import ModelSettings
from assent.core.privilege import LEVELS
from assent.models.endpoints import ENDPOINTS, Endpoint
from assent.models.local.weights import TABLE
from assent.policy.decide import decide
from assent.policy.facts import Call, facts
from assent.serve.cli import parser
from assent.store import database
from assent.store.schema import VIEWS
from assent_magics import options
from assent_magics.commands import COMMANDS
from assent_magics.options import Option
from assent_magics.settings import Assent

PAGE = Path(__file__).with_name("reference.md")

# A value for each setting that its environment variable could hold; whether it is read is tried out, not claimed.
_SAMPLES = {
    "model": "local", "agent": "a", "wait": "1", "on_ask": "deny", "max_steps": "1", "policy": "x", "base_url": "x",
    "agents": "x", "models": "x", "record": "x", "replay": "x", "retention": "x", "lineage": "false",
    "preview": "false", "preview_seconds": "1", "mode": "strict",
    "tenant": "x", "admin": "1", "sign": "1",
}  # fmt: skip
SETTINGS = {
    "preview": "whether the card of a call that asks shows what it would do (docs/governance.md)",
    "preview_seconds": "the most that such a preview may take",
    "sign": "whether the journal is signed when a session ends, before a backup and an export (docs/governance.md)",
    "lineage": "whether the journal keeps the source of cells and which variables each of them read and wrote",
    "model": "the model, as provider:model; empty: a key in the environment, a running Ollama, the local model",
    "agent": "the agent of a cell that names none",
    "wait": "how long a cell waits for a person, in seconds",
    "on_ask": "wait, suspend or deny when a call needs a person; empty: wait where somebody can answer, else suspend",
    "max_steps": "the most model calls of a run, for the agent `analyst`",
    "mode": "auto, strict or dry-run, of every run; what sets it later can only tighten it (docs/governance.md)",
    "policy": "table: tool to auto, ask or disabled; it can only tighten",
    "base_url": "a server of your own that speaks the OpenAI chat format; its key is ASSENT_API_KEY",
    "record": "a file that runs are recorded into; in config.toml one beside the workspace",
    "replay": "a recording that answers in place of models; not in config.toml",
    "tenant": "whose workspace this is, where several share it; a session sees what its tenant and its user have in it",
    "admin": "see and answer what everybody has in the workspace; not in config.toml",
    "agents": "tables `[agents.NAME]` with an agent's fields",
    "models": 'tables `[models.default]`, `[models.PROVIDER]`, `[models."PROVIDER:MODEL"]`, the later over the earlier',
    "retention": 'table: `payloads = "90d"`, how long texts are kept after a run; `keep`, of whom for ever',
}
AGENT = {
    "name": "letters, digits, - and _",
    "instructions": "what the model is told first",
    "model": "empty: the setting's",
    "tools": "names, or in Python the tools themselves",
    "policy": "as the setting `policy`",
    "max_steps": "the most model calls before the run stops; resuming gives as many more",
    "parallel": "how many calls run at once",
    "tool_timeout": "seconds for a call whose tool sets none",
    "temperature": "empty: the model's own",
    "max_tokens": "of one answer; empty: the model's own",
    "description": "what the agent is for",
    "effort": "how much the model is to think: none, low, medium, high; empty: the vendor's own",
    "priority": "who goes first where a limit makes requests wait: critical, high, mid, low",
}
MODEL = {
    "attempts": "how often a request is sent before its failure counts, the first time included",
    "backoff": "seconds before the second attempt; doubled for each further one, with jitter",
    "longest_wait": "seconds; where the server or a limit on money asks for more, the request fails at once",
    "silence": "seconds without a word from the server before the request fails",
    "tier": "high, mid or low: presets of the three limits below",
    "requests_per_minute": "0: no limit",
    "tokens_per_minute": "input and output; 0: no limit",
    "concurrency": "requests at once; 0: no limit",
    "dollars_per_hour": "0: no limit",
    "breaker": "failures in a row after which the model is left alone; 0: never",
    "cool_down": "for how many seconds",
    "fallback": "models to ask instead, in order",
    "cache": "for how many seconds the very same request gets the same answer; 0: never",
}
PLACES = {
    "ASSENT_WORKSPACE": "the workspace's folder; else the nearest `.assent` at or above the notebook",
    "ASSENT_CACHE": "where the local model's weights are kept, for all workspaces",
    "ASSENT_USER": "whom events name as the person, and whose runs a session sees; else the login name",
    "ASSENT_PEOPLE": "the list of people who have passphrases; `/etc/assent/people.json` goes before it",
    "ASSENT_API_KEY": "the key for `base_url`",
    "ASSENT_POLICY": "the organisation's policy file, on a machine without `/etc/assent/policy.toml`",
}
VIEW_MEANINGS = {
    "runs": "one row a run",
    "steps": "one row an answer of a model",
    "memory": "one row for each item that is remembered",
    "tool_calls": "one row a proposed call",
    "approvals": "one row a question to a person",
    "audit": "one row for each act of the policy or of a person, in order: who decided what, and under which rule",
    "costs": "one row an answer of a model, for adding up",
    "unpriced": "one row a model whose answers have no known price",
    "incidents": "one row for each time that something befell a request to a model",
    "egress": "one row for each thing that a request to a model carried; each request has all that it sent",
    "local_only": "one row for each variable that is marked by name; a policy may name more",
    "grants": "one row for each time that a tool was allowed for a run or a session, those that are over too",
    "taint": "one row for each source of each call, question or cell that brought in what others may have written",
    "trust": "one row for each source that a person vouched for, those that are over too",
    "waivers": "one row a waiver that a person gave, those that are over too",
    "risk": "one row a reservation of a limit over time",
    "notebooks": "one row a notebook, wherever it was moved",
    "writes": "one row each time that a cell, or a call of the tool `python`, wrote a variable or a file",
}
COLUMNS = {
    "waiver": "the waiver's id",
    "budget": "the budget's name",
    "given": "UTC",
    "until": "UTC, when it ends by itself",
    "ended_by": "who ended it before",
    "name": "of the variable, or the file's whole path",
    "how": "a variable was bound, changed or deleted; a file was saved or removed",
    "by": "cell: one of the analyst's, or the answer that `--into` bound; call: an agent's",
    "count": "the number of the cell's execution",
    "source": "the cell's source; a call's is in the arguments of `tool_calls`",
    "seq": "the number of the event",
    "kernel": "the life of a kernel: from one start to the next",
    "id": "the notebook's own, which stays when its file is moved; empty where nobody has told it",
    "path": "where the notebook was last",
    "run": "the run's id",
    "parent": "the run that started this one",
    "forked_from": "the run whose first steps it shares",
    "mode": "auto, strict or dry-run",
    "grant": "the yes for longer than one call that it ran by, as `grants` calls it",
    "proposed_by": "the call that proposed this one",
    "agent": "the agent's name",
    "model": "provider:model",
    "provider": "the part of `model` before the colon",
    "notebook": "the notebook's path, where the front end tells it",
    "cell": "the cell's id, where the front end tells it",
    "tenant": "whose workspace it was written in, where several share it",
    "user": "the person who started the run",
    "prompt": "what was asked, with the variables it tells of",
    "answer": "the final text",
    "started": "UTC; of a call: when it began to run",
    "ended": "UTC, of the latest event",
    "time": "UTC",
    "hour": "`time` cut to the hour",
    "steps": "model answers so far",
    "calls": "proposed calls so far",
    "step": "the number of the model's answer within the run",
    "text": "what the model wrote beside its calls",
    "tools": "the tools that it called, a list",
    "stop": "why the answer ended: stop, calls, length or filter",
    "input_tokens": "cached ones included",
    "output_tokens": "reasoning included",
    "cached_tokens": "input tokens that the model had cached",
    "reasoning_tokens": "output tokens that nobody sees",
    "cost": "US dollars; empty where no price is known",
    "cache_write_tokens": "input tokens that the model put into its cache, where the vendor charges for that",
    "saved": "US dollars that the vendor's prompt cache spared; empty where it was not used or no price is known",
    "answers": "how many",
    "first": "UTC, of the first of them",
    "last": "UTC, of the latest",
    "incident": "failed, retried, waited, cached, replayed, fell back, circuit opened or closed, or answer refused",
    "to": "the model that was asked instead",
    "restart": "whether words that were shown do not count any more",
    "duration": "seconds",
    "call": "the call's id, which is also the question's",
    "tool": "the tool's name",
    "privilege": "the tool's privilege",
    "arguments": "JSON; what ran, so after an edit the edited ones",
    "decision": "the latest of policy: allow, ask or deny",
    "decided_by": "who answered",
    "result": "what the model got to read",
    "asks": "why policy asks",
    "asked": "UTC, of the question",
    "decided": "UTC, of the answer",
    "edited": "the arguments that the person wrote, JSON; empty without an edit",
    "scope": "once, or run or session: allowed for the rest of it",
    "waited": "seconds from the question to the answer",
}
PER_VIEW = {
    ("egress", "time"): "UTC; right before the request was sent, or where it was local, when it had ended",
    ("egress", "host"): "where the provider answers; empty in this process",
    ("egress", "local"): "nothing left the machine",
    ("egress", "what"): "instructions, prompt, variable, answer, thinking, call, result, image, tool or answer type",
    ("egress", "name"): "the variable's, or the tool's",
    ("egress", "tables"): "the variables that it was made of",
    ("egress", "columns"): "those that stand in it",
    ("egress", "rows"): "how many rows stand in it, at most",
    ("egress", "of_rows"): "how many there are",
    ("egress", "bytes"): "of its text in UTF-8; of a variable in a prompt before masking",
    ("egress", "repeated"): "the provider's host had been sent it before, in this run",
    ("egress", "masked"): "JSON: how many values of the whole request, by mask",
    ("egress", "request"): "the number of the request",
    ("local_only", "name"): "the variable's",
    ("local_only", "since"): "UTC",
    ("local_only", "by"): "who marked it: a person, a call that made it, assent.local_only",
    ("local_only", "made_of"): "the marked variables that it was made of",
    ("audit", "act"): "the kind of the event (docs/architecture.md)",
    ("audit", "by"): "the person; of a call that was decided, policy",
    ("audit", "decision"): "of the policy: allow, ask, deny; of a person: approve, reject or happened",
    ("audit", "approved_by"): "of a call that was decided: who approved it",
    ("audit", "performed"): "UTC, when the call began after that; empty: it did not",
    ("audit", "rule"): "the line of a policy that decided",
    ("audit", "grant"): "the id of the grant that allowed it, or that was given or revoked",
    ("audit", "waiver"): "the id of the waiver that loosened it, or that was given or ended",
    ("audit", "reason"): "as policy or the person gave it",
    ("audit", "arguments"): "of the call; of an approval: those that the person edited",
    ("audit", "policy_version"): "the digest of all rules that held",
    ("audit", "hash"): "of the event, in the chain",
    ("runs", "status"): "running, suspended, paused, finished, cancelled or failed",
    ("runs", "reason"): "why it is suspended, paused, cancelled or failed",
    ("runs", "seconds"): "from the first event to the latest, waiting included",
    ("tool_calls", "status"): "waiting, expired, approved, decided, started, finished or failed",
    ("tool_calls", "verdict"): "what the person said: approve, reject or happened",
    ("tool_calls", "seconds"): "how long it ran",
    ("incidents", "seconds"): "how long a wait was, or is to be",
    ("incidents", "reason"): "why",
    ("incidents", "model"): "whom it befell",
    ("risk", "reservation"): "the call's id, or its own where one's own code has reserved",
    ("risk", "status"): "reserved, committed or rolled back; only the last of these counts no more",
    ("risk", "amounts"): "JSON: what counts, by argument; `amounts ->> 'dollars'`",
    ("risk", "reserved"): "UTC",
    ("risk", "settled"): "UTC, when it was committed or rolled back",
    ("memory", "id"): "the item's id; `%agent memory forget` takes it",
    ("memory", "kind"): "fact, preference, turn (of a conversation) or file",
    ("memory", "collection"): "its collection's name; empty: none",
    ("memory", "source"): "a path, or what else it is from",
    ("memory", "place"): "where in the source, such as lines 3-9",
    ("memory", "title"): "its title, which is searched too",
    ("memory", "text"): "what is remembered",
    ("memory", "tags"): "a list; archived and do_not_rag keep it from searches that do not name them",
    ("memory", "dated"): "UTC, when it was so; empty where that is no matter of time",
    ("memory", "time"): "UTC, when it was remembered",
    ("memory", "agent"): "the agent that it is for alone; empty: all",
    ("memory", "user"): "whose it is",
    ("memory", "run"): "the run that has added it; empty: a person",
    ("notebooks", "first"): "UTC, when it was seen first",
    ("notebooks", "last"): "UTC, when it was seen or asked an agent last",
    ("notebooks", "runs"): "the ids of the runs that were started in it, a list; `len(runs)` is how many",
    ("taint", "source"): "the kind of source: file, web, mail, agent, tool, process, code, or a word of a tool's own",
    ("taint", "name"): "which: a path, a URL or host:port, the agent's or the tool's name",
    ("taint", "kind"): "run_started, call_finished or cell_ran",
    ("trust", "trust"): "its id",
    ("trust", "source"): "KIND:NAME, as it is meant; * and ** are globs",
    ("trust", "scope"): "run, session or workspace",
    ("trust", "run"): "the run that it is for; empty: any",
    ("trust", "reason"): "why, in the words of whoever gave it",
    ("trust", "by"): "who vouched for it",
    ("trust", "given"): "UTC",
    ("trust", "until"): "UTC, when it ends by itself",
    ("trust", "revoked"): "UTC, when a person ended it; empty otherwise",
    ("trust", "revoked_by"): "who did",
    ("waivers", "tool"): "the tool whose rules it loosens; empty where it is a budget",
    ("waivers", "agent"): "the one agent that it is for; empty: all",
    ("waivers", "user"): "whose runs it is for; *: everybody's of the tenant",
    ("waivers", "reason"): "why, in the words of whoever gave it",
    ("waivers", "by"): "who gave it",
    ("waivers", "ended"): "UTC, when a person ended it before its time; empty otherwise",
    ("approvals", "verdict"): "pending, approve, reject, happened, expired, or closed without an answer",
    ("approvals", "until"): "UTC, when the question expires; empty where it does not",
    ("grants", "id"): "the call whose approval gave it",
    ("grants", "scope"): "run or session",
    ("grants", "by"): "who gave it",
    ("grants", "status"): "holds, revoked, expired, or over with its run or session",
    ("grants", "revoked"): "UTC, when it was revoked, or its session ended",
    ("grants", "revoked_by"): "who revoked it",
    ("grants", "run"): "the run in which it was given",
    ("grants", "session"): "the session that it is for; empty where it is for the run",
    ("grants", "policy_version"): "the rules and tools under which it holds",
    ("grants", "identity"): "the tool's code and schema when it was given, as a digest",
    ("grants", "user"): "whose runs it is for",
    ("approvals", "reason"): "what the person wrote",
    ("approvals", "arguments"): "JSON; what the agent proposed",
}


def page() -> str:
    """The whole reference as Markdown."""
    parts = [
        "# Reference\n\nWritten by `docs/reference.py` from the code; a test keeps the two the same.",
        *_magics(),
        _command_line(),
        *_settings(),
        _privileges(),
        *_models(),
        *_views(),
        *_python(),
    ]
    return "\n\n".join(parts) + "\n"


def _magics() -> Iterator[str]:
    yield "## Magics"
    cells = [
        ("`%%agent [NAME] [options]`", "run an agent on the prompt in the cell body; `{name}` tells it a variable"),
        ("`%%agent sql [NAME <<]`", "read the workspace's views and the notebook's DataFrames by SQL"),
        ("`%agent`", "what is loaded, and what waits"),
    ]
    lines = [(f"`%agent {command.usage}`", command.help + _options(command.options)) for command in COMMANDS.values()]
    yield _table(("magic", "does"), [*cells, *lines])
    yield "Options of `%%agent`; `%agent ask` takes them before its prompt:"
    yield _table(("option", "meaning"), [(f"`{name}`", option.help) for name, option in options.RUN.items()])
    only_new = {name: option for name, option in options.NEW.items() if name not in options.RUN}
    only_fork = {name: option for name, option in options.FORK.items() if name not in options.RUN}
    others = {**options.RUNS, **only_new, **options.APPROVE, **options.STOP, **only_fork}
    others |= {**options.RESTORE, **options.COMPACT}
    yield "Options of the other commands that `%%agent` does not have:"
    yield _table(("option", "meaning"), [(f"`{name}`", option.help) for name, option in others.items()])


def _options(known: Mapping[str, Option]) -> str:
    names = ", ".join(f"`{name}`" for name in known)
    return f" ({names})" if known and known is not options.RUN else ""


def _command_line() -> str:
    (commands,) = [action for action in parser()._actions if isinstance(action, argparse._SubParsersAction)]
    rows = [(f"`assent {item.dest}`", item.help) for item in commands._choices_actions]
    table = _table(("command", "does"), rows)
    return f"## Command line\n\n{table}\n\n`assent COMMAND --help` lists a command's options."


def _settings() -> Iterator[str]:
    yield "## Settings\n\n`%config Assent.NAME = …` goes over the environment, that over the workspace's `config.toml`."
    rows = [_setting(item.name, getattr(Config(), item.name)) for item in fields(Config)]
    yield _table(("setting", "default", "environment", "%config", "meaning"), rows)
    yield _table(("variable", "meaning"), [(f"`{name}`", meaning) for name, meaning in PLACES.items()])
    yield "Fields of an agent, in `[agents.NAME]` and in `assent.Agent`:"
    agent = Agent()
    yield _table(
        ("field", "default", "meaning"),
        [(f"`{i.name}`", _value(getattr(agent, i.name)), AGENT[i.name]) for i in fields(Agent)],
    )
    yield "Fields of a model, in `[models.NAME]`:"
    model = ModelSettings()
    yield _table(
        ("field", "default", "meaning"),
        [(f"`{i.name}`", _value(getattr(model, i.name)), MODEL[i.name]) for i in fields(ModelSettings)],
    )


def _setting(name: str, default: Any) -> tuple[str, ...]:
    in_notebook = "yes" if name in Assent().trait_names(config=True) else ""
    return f"`{name}`", _value(default), _variable(name), in_notebook, SETTINGS[name]


def _variable(setting: str) -> str:
    name = f"ASSENT_{setting.upper()}"
    return f"`{name}`" if from_environment(Config(), {name: _SAMPLES[setting]}) != Config() else ""


def _value(value: Any) -> str:
    if isinstance(value, str) and len(value) > 60:
        return "a careful data analyst's"
    return "" if value in ("", None, ()) or value == {} else f"`{value}`"


def _privileges() -> str:
    rows = []
    for level in LEVELS:
        verdicts = [decide(Call("t", {}), facts({"t": level}, {"t": mode})) for mode in ("auto", "ask", "disabled")]
        rows.append((f"`{level}`", *[_verdict(item) for item in verdicts]))
    table = _table(("privilege", "policy auto", "policy ask", "policy disabled"), rows)
    return (
        f"## Privileges\n\n{table}\n\nAn unknown tool, privilege or policy is denied, and a tool that no policy covers."
    )


def _verdict(decision: Any) -> str:
    if decision.name != "ask":
        return str(decision.name)
    who = "two people" if decision.approvers == 2 else "a person"
    return f"asks {who}" + ("; may be allowed for the run or session" if decision.lasting else "; each time")


def _models() -> Iterator[str]:
    yield "## Models\n\nA model is named `provider:model`; a provider alone gives its default."
    rows = [_provider(row) for row in ENDPOINTS]
    yield _table(("provider", "what", "environment", "default model"), rows)
    local = [(f"`local:{row.name}`", row.title, f"{row.size / 1e9:.1f} GB", row.note) for row in TABLE]
    yield _table(("local model", "what", "download", "note"), local)


def _provider(row: Endpoint) -> tuple[str, ...]:
    variables = ", ".join([f"`{name}`" for name in (*row.keys, *row.bases)])
    return f"`{row.name}`", row.title, variables, row.model or "the first that is served"


def _views() -> Iterator[str]:
    yield "## Views\n\n`%agent sql` reads them, with the notebook's DataFrames as tables beside them."
    with tempfile.TemporaryDirectory() as folder:
        connection = database.connect(Path(folder) / database.FILE)
        for view in VIEWS:
            described = connection.execute(f"DESCRIBE {view}").fetchall()
            rows = [(f"`{name}`", kind, PER_VIEW.get((view, name)) or COLUMNS[name]) for name, kind, *_ in described]
            yield f"### {view}: {VIEW_MEANINGS[view]}\n\n{_table(('column', 'type', 'meaning'), rows)}"
        connection.close()


def _python() -> Iterator[str]:
    yield "## Python\n\n`import assent` gives these names and no others."
    yield _table(
        ("name", "what"), [(f"`{name}`", _first_line(getattr(assent, name))) for name in sorted(assent.__all__)]
    )
    tree = (errors.__doc__ or "").partition("\n\n")[2].strip()
    yield f"Errors:\n\n```text\n{tree}\n```"


def _first_line(thing: Any) -> str:
    return str(thing.__doc__).strip().partition("\n")[0]


def _table(head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(["| " + " | ".join([str(cell).replace("|", "\\|") for cell in line]) + " |" for line in lines])


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
