"""What a model reads of its calls: their results, and what became of what they proposed; and what that carries."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from assent.core.cargo import Cargo, joined
from assent.core.ids import proposer
from assent.core.messages import ToolResult
from assent.runs.call_state import CallState


def told(call: CallState, batch: Mapping[str, CallState]) -> ToolResult | None:
    """What the model reads of its call: the result, and what became of each proposal that it made."""
    outcomes = _outcomes(call, batch)
    if call.result is None or not outcomes:
        return call.result
    text = "\n".join([call.result.text, "What became of what it proposed:", *outcomes])
    return replace(call.result, text=text)


def _outcomes(call: CallState, batch: Mapping[str, CallState], margin: str = "") -> list[str]:
    made = [item for item in batch.values() if proposer(item.id) == call.id]
    lines: list[str] = []
    for number, item in enumerate(made, 1):
        text = item.result.text if item.result else ""
        short = text if len(text) <= item.short else f"{text[: item.short]} …"
        lines.append(f"{margin}{number}. {item.tool} {_final(item)}: {short}")
        lines += _outcomes(item, batch, margin + "   ")
    return lines


def _final(call: CallState) -> str:
    return written(call.arguments) if call.edited else call.proposed.arguments


def written(arguments: Mapping[str, Any]) -> str:
    """Arguments as a model reads and writes them."""
    return json.dumps(arguments, ensure_ascii=False)


def carried(call: CallState, batch: Mapping[str, CallState], text: str) -> Cargo:
    """What a result carries, and what became of the proposals that stand in it."""
    made = [item for item in batch.values() if item is call or item.id.startswith(f"{call.id}-")]
    if len(made) == 1:
        return call.carries
    pieces = [(call.result.text, call.carries)] if call.result else []
    for item in made:
        if item is not call and item.result:
            pieces += [_argued(item), (item.result.text[: item.short], item.carries)]
    return joined(text, pieces)


def _argued(call: CallState) -> tuple[str, Cargo]:
    """The arguments of a proposal as its proposer's result tells them, and where masked values stand in these."""
    text = _final(call)
    if not call.edited:
        return text, call.asked_with
    proposed = call.proposed.arguments
    kept = {(proposed[begin:end], name) for begin, end, name in call.asked_with.cells}
    places = [(*found.span(), name) for value, name in kept for found in re.finditer(re.escape(value), text)]
    return text, Cargo((), tuple(places))
