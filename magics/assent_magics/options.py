"""The options of `%%agent` and its kin, as a table: parsing, completion and help all read it."""

import difflib
import keyword
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

from assent.core.budget import amount
from assent.core.commands import OnAsk
from assent.core.errors import ConfigError
from assent.core.model import Effort, Priority
from assent.core.run_mode import RUN_MODES
from assent.core.trust import SCOPES

_TOKEN = re.compile(r"""\s*(?:"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|(\S+))""")
_AGO = re.compile(r"(\d{1,4})\s*([hdw])")
_AGES = {"h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class Option:
    """`read` turns the word after the option into its value and raises ValueError; None makes the option a switch.

    `many`: the option may come again, and its values, which are tuples, add up.
    """

    read: Callable[[str], Any] | None
    help: str
    choices: tuple[str, ...] = ()
    many: bool = False


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def _dollars(text: str) -> Decimal:
    return amount("money", text.removeprefix("$"))


def _step(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError
    return value


def _name(text: str) -> str:
    if not text.isidentifier() or keyword.iskeyword(text):
        raise ValueError
    return text


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError
    return text


def _moment(text: str) -> datetime:
    value = datetime.fromisoformat(text.strip())
    return value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)


def _since(text: str) -> datetime:
    match = _AGO.fullmatch(text.strip())
    if match is None:
        return _moment(text)
    return datetime.now(UTC).replace(tzinfo=None) - timedelta(**{_AGES[match[2]]: int(match[1])})


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _some(text: str) -> tuple[str, ...]:
    if not (names := _names(text)):
        raise ValueError
    return names


def _one_of(choices: tuple[str, ...], help: str) -> Option:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError
        return text

    return Option(read, help, choices)


RUN: Mapping[str, Option] = {
    "--model": Option(_text, "the model, as provider:model; %agent models lists them"),
    "--into": Option(_name, "bind the result to this variable: a DataFrame where the answer is a table"),
    "--wait": Option(_seconds, "how long to wait in the cell for a person, in seconds (600)"),
    "--on-ask": _one_of(get_args(OnAsk), "when a call needs a person: wait, suspend or deny"),
    "--budget": Option(
        _dollars, "the most that the run may cost, 0 or more US dollars; then it is suspended, and can go on"
    ),
    "--max-steps": Option(_count, "the most model calls before the run stops (20)"),
    "--tools": Option(_names, "the tools it may use, separated by commas"),
    "--as-type": Option(_text, 'what the answer must be: a type, its name, or "region: str, revenue: float"'),
    "--image": Option(_some, "a picture for the model: a file, or a variable that holds a figure", many=True),
    "--effort": _one_of(get_args(Effort), "how much the model is to think: none, low, medium or high"),
    "--priority": _one_of(
        get_args(Priority), "who goes first where a limit makes requests wait: critical, high, mid or low"
    ),
    "--mode": _one_of(RUN_MODES, "auto; strict: a plan first, then each effect asks; dry-run: nothing is performed"),
    "--replay": Option(_text, "the recording that answers in place of a model; %agent record makes one"),
}
_ON: Mapping[str, Option] = {name: RUN[name] for name in ("--into", "--wait", "--on-ask", "--model")}
RESUME: Mapping[str, Option] = {
    **_ON,
    "--budget": Option(_dollars, "the most that the run may cost in all, 0 or more US dollars"),
}
FORK: Mapping[str, Option] = {
    "--at": Option(_step, "keep the steps up to this one, with what their calls gave; 0 begins anew"),
    "--prompt": Option(_text, "what you say after these steps, in quotes; at 0 it replaces the question"),
    "--edit": Option(_text, "a call's id, and behind it its new arguments: JSON, or the SQL or code itself, in quotes"),
    **_ON,
}
NEW: Mapping[str, Option] = {
    **{name: RUN[name] for name in ("--model", "--tools", "--max-steps", "--effort", "--priority")},
    "--instructions": Option(_text, "what the agent is told, in quotes"),
    "--description": Option(_text, "what the agent is for, in quotes"),
}
APPROVE: Mapping[str, Option] = {
    "--for-run": Option(None, "allow this tool for the rest of the run; for 12 hours at most"),
    "--for-session": Option(
        None, "allow it in later runs of this agent too, until this kernel ends; for 12 hours at most"
    ),
    "--as": Option(_text, "approve as this person, who is asked for the passphrase"),
    "--happened": Option(_text, "for an unknown outcome: it did happen, and this was the result"),
}
STOP: Mapping[str, Option] = {
    "--graceful": Option(_seconds, "let what is under way end, for at most so many seconds; then cut it off"),
    "--now": Option(None, "cut off what is under way: the model's answer, and the calls that have begun"),
}
LOCAL_ONLY: Mapping[str, Option] = {"--end": Option(None, "let remote models be sent what these variables hold again")}
RUNS: Mapping[str, Option] = {"--here": Option(None, "only those that were started in this notebook")}
RECORD: Mapping[str, Option] = {
    "--replay": Option(_text, "answer the runs that follow from this recording; no model is asked"),
    "--off": Option(None, "neither record nor answer from a recording any more"),
}
BACKUP: Mapping[str, Option] = {"--force": Option(None, "replace what is there; a workspace is kept beside")}
RESTORE: Mapping[str, Option] = {
    "--to": Option(_text, "make this folder the workspace of the backup"),
    **BACKUP,
}
AUDIT: Mapping[str, Option] = {
    "--force": Option(None, "export: replace the file; sign, anchor: though it does not fit what was signed before")
}
VERIFY: Mapping[str, Option] = {
    "--key": Option(_some, "a public key, or its file: only what it signed counts", many=True),
    "--anchor": Option(_some, "signed heads from outside: a file of them, or a repository with notes", many=True),
}
COMPACT: Mapping[str, Option] = {"--dry-run": Option(None, "only say what would be forgotten")}
TRUST: Mapping[str, Option] = {
    "--reason": Option(_text, "why, in quotes; whoever looks at it later reads it"),
    "--until": Option(_text, 'when it ends: 8h (if nothing is said), 3d, a date (to its end), "2026-11-30 14:00"; UTC'),
    "--scope": _one_of(SCOPES, "for one run, for this kernel's session (if nothing is said), or for the workspace"),
    "--run": Option(_text, "the run, where the scope is run"),
}
WAIVE: Mapping[str, Option] = {
    "--reason": Option(_text, "why, in quotes; everything that the waiver makes possible names it"),
    "--until": Option(_text, 'when it ends: 2h, 3d, a date (to its end), or "2026-11-30 14:00"; UTC'),
    "--budget": Option(None, "the word is the name of a budget, not of a tool"),
    "--agent": Option(_text, "only for this agent"),
    "--user": Option(_text, "an administrator's: for this person's runs, or * for everybody's"),
}
POLICY: Mapping[str, Option] = {
    "--agent": Option(_text, "explain, add: in a run of this agent"),
    "--user": Option(_text, "explain, add: in a run of this person"),
}
POLICY_ADD: Mapping[str, Option] = {
    "--when": Option(_text, 'add: only where this holds, such as "amount > 100"'),
    **POLICY,
    "--who": Option(_some, "add: only these may answer, separated by commas", many=True),
    "--approvers": Option(_count, "add: so many people must approve"),
    "--expires": Option(_text, "add: in this time it must be answered, such as 2h"),
}
MEMORY_SEARCH: Mapping[str, Option] = {
    "--collection": Option(_text, "search, add: in the collection of this name"),
    "--tag": Option(_some, "search, add: with these tags, separated by commas", many=True),
    "--agent": Option(_text, "search: what this agent would find; add: for this agent only"),
    "--user": Option(_text, "search, an administrator's: what is this person's"),
    "--since": Option(_since, 'search: what was so since then: 12h, 7d, 4w, a date, or "2026-11-30 14:00"; UTC'),
    "-k": Option(_count, "search: how many at most (10)"),
}
MEMORY_ADD: Mapping[str, Option] = {
    "--kind": _one_of(("fact", "preference"), "add: what it is, a fact (if nothing is said) or a preference"),
    "--dated": Option(_moment, "add: the date when it was so"),
    **{name: MEMORY_SEARCH[name] for name in ("--collection", "--tag", "--agent")},
}
MEMORY_FORGET: Mapping[str, Option] = {"--yes": Option(None, "forget: do it; else it is shown what would be forgotten")}
MEMORY: Mapping[str, Option] = {**MEMORY_SEARCH, **MEMORY_ADD, **MEMORY_FORGET}
NONE: Mapping[str, Option] = {}


def split(line: str, known: Mapping[str, Option]) -> tuple[list[str], dict[str, Any]]:
    """The words and the options of a line; `ConfigError` names what is wrong."""
    words: list[str] = []
    options: dict[str, Any] = {}
    rest = line.strip()
    while rest:
        token, rest = _token(rest)
        if token.startswith("--") or token in known:
            rest = _option(token, rest, known, options)
        else:
            words.append(token)
    return words, options


def one_run(words: Sequence[str], verb: str) -> str:
    """The one run that a command is about."""
    if len(words) != 1:
        raise ConfigError(f"Give one run: %agent {verb} RUN. %agent runs lists them.")
    return words[0]


def leading(line: str, known: Mapping[str, Option]) -> tuple[dict[str, Any], str]:
    """The options at the beginning of a line and the text after them, which is left exactly as it is."""
    options: dict[str, Any] = {}
    rest = line.strip()
    while rest.startswith("--"):
        token, rest = _token(rest)
        rest = _option(token, rest, known, options).strip()
    return options, rest


def meant(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about a command or option that is not there: what was meant, else what there is."""
    bare = {name.removeprefix("--"): name for name in known}
    close = difflib.get_close_matches(word.removeprefix("--"), bare, 1)
    return f"did you mean {bare[close[0]]}?" if close else f"there are {', '.join(bare.values())}."


def _option(token: str, rest: str, known: Mapping[str, Option], options: dict[str, Any]) -> str:
    name, equals, value = token.partition("=")
    option = known.get(name)
    if option is None:
        raise ConfigError(f"Unknown option {name}; {meant(name, known) if known else 'this command has none.'}")
    key = name.lstrip("-").replace("-", "_")
    if option.read is None:
        if equals:
            raise ConfigError(f"{name} takes no value, not {value!r}: {option.help}.")
        options[key] = True
        return rest
    if not equals:
        if not rest.strip():
            raise ConfigError(f"{name} needs a value: {option.help}.")
        value, rest = _token(rest)
    try:
        read = option.read(value)
        options[key] = options.get(key, ()) + read if option.many else read
    except ValueError:
        choices = f" Choose {', '.join(option.choices)}." if option.choices else ""
        raise ConfigError(f"{value!r} is no value for {name}: {option.help}.{choices}") from None
    return rest


def _token(text: str) -> tuple[str, str]:
    match = _TOKEN.match(text)
    assert match is not None  # the text has a sign that is not a space
    double, single, plain = match.groups()
    quoted = double if double is not None else single
    if quoted is None:
        return plain, text[match.end() :]
    quote = '"' if double is not None else "'"
    token = re.sub(rf"\\([\\{quote}])", r"\1", quoted)  # no other escape is ours: JSON and code have their own
    return token, text[match.end() :]
