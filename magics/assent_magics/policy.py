"""`%agent policy`: what holds, more rules for this session, why a call is decided so, and examples to be kept."""

import json
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from IPython.display import display

from assent.core import people
from assent.core.errors import ConfigError
from assent.core.glob import is_glob
from assent.policy.entry import hint
from assent.policy.example import Example, examples
from assent.policy.explain import Explained
from assent.policy.loader import FILE
from assent.policy.overview import Row
from assent_magics import options
from assent_magics.desk import Desk
from assent_magics.interpolate import fill, variable, whole
from assent_magics.tables import table

_USAGE = (
    "%agent policy shows what holds; policy add TOOL MODE tightens it for this session, policy clear takes that back; "
    "policy explain TOOL amount=150 says why a call is decided so; policy test FILE runs examples."
)
_ADD = (
    '%agent policy add pay ask --when "amount > 100". What a file may say besides, it may say as TOML: '
    "%agent policy add 'agents.analyst.ceiling = \"execute_safe\"'."
)
_TITLES = {"when": "when, or what", "who": "who answers"}


def policy(desk: Desk, rest: str) -> Any:
    """What holds, as a table; more of it for this session; why a call is decided so; or whether examples hold."""
    verb, _, line = rest.strip().partition(" ")
    if verb == "explain":
        return _explain(desk, line)
    line = fill(line, desk.namespace)
    match verb:
        case "":
            return _overview(desk)
        case "add":
            return _add(desk, line)
        case "clear" if not line.strip():
            desk.session.policy({})
            print("What was said for this session only holds no more.")
            return None
        case "test":
            return _test(desk, line)
    raise ConfigError(f"{verb!r} is nothing that a policy can do. {_USAGE}")


def _overview(desk: Desk) -> Any:
    session = desk.session
    rows = session.policy()
    if all(row.layer == "built-in" for row in rows):
        print(f"No rules are written: only what is built in holds. Rules go into {desk.folder / FILE}.")
    return _shown(rows)


def _shown(rows: Sequence[Row]) -> Any:
    """What holds, as a table, and above it what there is to say of single lines."""
    for row in rows:
        if row.note:
            print(row.remark)
    return table(
        [{_TITLES.get(name, name): value for name, value in asdict(row).items() if name != "note"} for row in rows]
    )


def _add(desk: Desk, line: str) -> Any:
    words, given = options.split(line, options.POLICY_ADD)
    if "who" in given:
        given["who"] = list(dict.fromkeys(given["who"]))
    match words:
        case [text] if "=" in text and not given:
            values = _written(text)
        case [tool, "auto"] if "when" not in given:
            raise ConfigError(
                f"auto alone changes nothing for {tool}: a policy only tightens. With --when it runs on its own only "
                "where that holds; %agent waive loosens a rule for a while."
            )
        case [tool, mode]:
            values = {"rule": [{"tools" if is_glob(tool) else "tool": tool, "mode": mode, **given}]}
        case _:
            raise ConfigError(f"Give a tool and auto, ask or disabled: {_ADD}")
    unlisted = _unlisted(values)
    rows = desk.session.tighten(values)
    print("This holds from the next step of every run, until this kernel ends. %agent policy clear takes it back.")
    for name in unlisted:
        print(f"{name} cannot answer yet: {name!r} is not among %agent people. %agent people add {name} lists them.")
    return _shown([row for row in rows if row.layer == "session"])


def _unlisted(values: Mapping[str, Any]) -> list[str]:
    """Who is to answer, as written, and has no passphrase to do it with."""
    found = [values.get("ask"), *(rules if isinstance(rules := values.get("rule"), list) else [])]
    lists = [item.get("who") for item in found if isinstance(item, Mapping)]
    named = [name for who in lists if isinstance(who, list) for name in who if isinstance(name, str)]
    listed = people.names() if named else []
    return [name for name in dict.fromkeys(named) if name not in listed]


def _written(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"This is not TOML: {error}. {_ADD}") from None


def _explain(desk: Desk, line: str) -> Any:
    given, rest = options.leading(line, options.POLICY)
    given = {name: fill(value, desk.namespace) for name, value in given.items()}
    tool, _, arguments = rest.partition(" ")
    tool = fill(tool, desk.namespace)
    if not tool:
        raise ConfigError('Say which call: %agent policy explain pay amount=150 to=acme, or pay {"amount": 150}.')
    values = _arguments(arguments, desk.namespace)
    if problem := _misspelt(desk, tool, values):
        raise ConfigError(problem)
    explained = desk.session.explain(tool, values, **given)
    print(explained)
    agent = desk.session.agent(given.get("agent") or desk.session.config.agent)
    if tool in desk.session.tools() and tool not in desk.session.tools_of(agent):
        print(
            f"The agent {agent.name} does not have {tool}; %agent new NAME --tools {tool} makes one that does. "
            f"For such a one: %agent policy explain --agent NAME {rest}"
        )
    rows = [asdict(item) for item in explained.said]
    return table([{name: row[name] for name in ("voice", "line", "says", "decides", "why")} for row in rows])


def _test(desk: Desk, line: str) -> Any:
    words, _ = options.split(line, options.NONE)
    if len(words) != 1:
        raise ConfigError("Give one file: %agent policy test FILE.")
    path = Path(words[0]).expanduser()
    try:
        found = examples(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from None
    for item in found:
        if item.call not in desk.session.tools():  # it would be denied, and an example that expects that would hold
            raise item.entry.error(f"unknown tool {item.call!r}{hint(item.call, desk.session.tools())}", "call")
        if problem := _misspelt(desk, item.call, item.arguments):  # likewise where that asks
            raise item.entry.error(problem, "arguments")
    outcomes = [
        (item, desk.session.explain(item.call, item.arguments, agent=item.agent, user=item.user)) for item in found
    ]
    shown = table([_row(item, got) for item, got in outcomes])
    wrong = [(item, got) for item, got in outcomes if got.decision.name != item.expect]
    if wrong:
        display(shown)
        raise ConfigError(_failed(str(path), wrong, len(found)))
    print(f"{len(found)} examples, each as expected.")
    return shown


def _misspelt(desk: Desk, tool: str, arguments: Mapping[str, Any]) -> str:
    """What is wrong with the arguments' names, where the tool is known; "" if nothing is."""
    known = desk.session.tools().get(tool)
    there = known.schema.get("properties", {}) if known else arguments
    odd = [name for name in arguments if name not in there]
    return f"{tool} has no argument {odd[0]!r}{hint(odd[0], there)}" if odd else ""


def _failed(source: str, wrong: Sequence[tuple[Example, Explained]], many: int) -> str:
    lines = [f"{item.entry.source}:{item.entry.line}: expected {item.expect}, but {got}" for item, got in wrong]
    return "\n".join([f"{len(wrong)} of {many} examples in {source} came out otherwise:", *lines])


def _row(item: Example, got: Explained) -> dict[str, Any]:
    return {
        "line": item.entry.line, "call": item.call, "arguments": json.dumps(dict(item.arguments), ensure_ascii=False),
        "agent": item.agent, "expect": item.expect, "got": got.decision.name, "by": got.rule,
        "why": got.decision.reason,
    }  # fmt: skip


def _arguments(text: str, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """A call's arguments: JSON as it is written, NAME=VALUE, or `{name}` for a variable that holds all or one of them.

    A value that is no JSON is a text.
    """
    try:
        if (name := whole(text.strip())) and not isinstance(text := variable(name, namespace), str):
            return dict(text)
        if text.strip().startswith("{"):
            return dict(json.loads(text))
        pairs = [word.partition("=") for word in shlex.split(text)]
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"The arguments cannot be read: {error}. Write amount=150 to='two words', JSON, or {{name}} for a variable "
            "that holds them."
        ) from None
    if late := [name for name, *_ in pairs if name.startswith("--")]:
        raise ConfigError(f"{late[0]} stands before the tool: %agent policy explain {late[0]} NAME TOOL amount=150.")
    if odd := [name for name, sign, _ in pairs if not sign]:
        raise ConfigError(f"{odd[0]!r} is no argument: write NAME=VALUE, such as amount=150.")
    return {name: _value(value, namespace) for name, _, value in pairs}


def _value(text: str, namespace: Mapping[str, Any]) -> Any:
    if name := whole(text):
        return variable(name, namespace)
    try:
        return json.loads(fill(text, namespace))
    except ValueError:
        return fill(text, namespace)
