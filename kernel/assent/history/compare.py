"""Runs side by side: what was asked, what came of it, at what price, and where they first went different ways."""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from assent.core.errors import ConfigError
from assent.core.events import ENDINGS, Event, Kind
from assent.core.messages import from_json
from assent.history.history import short
from assent.runs import branch
from assent.runs.state import fold
from assent.store.window import Window

LINES = 40  # of a difference that are worth reading
_SHORT = 300  # characters of what a run did at a step
_IDLE = ENDINGS - {Kind.RUN_FINISHED, Kind.RUN_FAILED} | {Kind.RUN_RESUMED, Kind.APPROVAL_DECIDED}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`aspects` gives a value for each of `runs`; `difference` is that of the answers: lines that begin with - or +."""

    runs: tuple[str, ...]
    aspects: Mapping[str, tuple[Any, ...]]
    difference: str


def compare(journal: Window, runs: Sequence[str]) -> Comparison:
    """Two or more runs, by their full ids. Tokens, cost and seconds are a run's own, not of the steps that it shares.

    `seconds` is time at work, without the waiting for people and the pauses.
    """
    if len(set(runs)) < 2:
        raise ConfigError("Give two runs or more, different ones: %agent compare RUN RUN. %agent runs lists them.")
    told = [branch.events(journal, run) for run in runs]
    columns = [_column(journal.events(run), whole) for run, whole in zip(runs, told, strict=True)]
    aspects = {name: tuple([column[name] for column in columns]) for name in columns[0]}
    aspects |= _parting([_steps(whole) for whole in told])
    return Comparison(tuple(runs), aspects, _difference(runs, aspects["answer"]))


def _column(own: Sequence[Event], told: Sequence[Event]) -> dict[str, Any]:
    state = fold(told)
    answers = [event for event in own if event.kind is Kind.MODEL_ANSWERED]
    priced = [event.cost for event in answers if event.cost is not None]
    fork = own[0].body.get("fork")
    return {
        "question": own[0].body["prompt"],
        "fork of": f"{fork['run']} after step {fork['at']}" if fork else "",
        "model": ", ".join(dict.fromkeys([event.model or "" for event in answers])) or state.model,
        "status": state.status,
        "answer": state.answer or state.reason,
        "steps": state.step,
        "shared steps": fork["at"] if fork else 0,
        "calls": state.calls,
        "input tokens": sum([event.input_tokens or 0 for event in answers]),
        "output tokens": sum([event.output_tokens or 0 for event in answers]),
        "cost": float(sum(priced)) if priced else None,
        "seconds": round(sum(_worked(own)), 3),
    }


def _parting(runs: Sequence[Mapping[int, str]]) -> dict[str, tuple[Any, ...]]:
    """The first step at which not all runs did the same, and what each did there."""
    steps = sorted({step for did in runs for step in did})
    parted = [step for step in steps if len({did.get(step) for did in runs}) > 1]
    if not parted:
        return {"first difference": ("none",) * len(runs)}
    there = tuple([short(did.get(parted[0], "nothing"), _SHORT) for did in runs])
    return {"first difference": (f"step {parted[0]}",) * len(runs), "what it did there": there}


def _worked(own: Sequence[Event]) -> Iterator[float]:
    """The seconds that led to each event, but for what a person took, and what lay before a resume or a late ending."""
    for before, event in pairwise(own):
        if event.kind not in _IDLE:
            yield max(event.at - before.at, 0.0)


def _steps(told: Sequence[Event]) -> dict[int, str]:
    """What a run did at each step: the words, the calls with their arguments, what they gave."""
    found: dict[int, list[str]] = {}
    for event in told:
        words = found.setdefault(event.step or 0, [])
        if event.kind is Kind.MODEL_ANSWERED:
            message = from_json(event.body["message"])
            words += [message.text.strip()] if message.text.strip() else []
            words += [f"{call.name} {_plain(call.arguments)}" for call in message.calls]
        elif event.kind is Kind.CALL_FINISHED:
            words.append(f"{event.tool} gave: {event.body.get('text')}")
        elif event.kind is Kind.ANSWER_REFUSED:
            words.append(str(event.body.get("text")))
    return {step: "; ".join(words) for step, words in found.items() if step}


def _plain(arguments: str) -> str:
    """The same arguments in the same words, however the model spaced them."""
    try:
        return json.dumps(json.loads(arguments), ensure_ascii=False, sort_keys=True)
    except (ValueError, RecursionError):
        return arguments


def _difference(runs: Sequence[str], answers: Sequence[Any]) -> str:
    first, *others = [str(answer).splitlines() for answer in answers]
    lines: list[str] = []
    for run, other in zip(runs[1:], others, strict=True):
        lines += difflib.unified_diff(first, other, runs[0], run, n=1, lineterm="")
    more = [f"… {len(lines) - LINES} more lines"] if len(lines) > LINES else []
    return "\n".join([*lines[:LINES], *more])
