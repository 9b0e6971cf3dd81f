"""A recorded run as it stays in the notebook: without what is another each time, so that a replay shows the same."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from assent_widgets.blocks import Item
from assent_widgets.calls import Call
from assent_widgets.summary import Summary

_PASSING = re.compile(r"\.notice\.|\.budget\.|^budget$")  # in keys: what befell requests, and what they cost
_PLAYER = re.compile(
    r"\brecording [^\n]*? \(([^()\n]*)\)(?=[.,:]?(?:\s|$))"
)  # who answers in a replay, for the person who did so then
_GRANT = re.compile(r" \(grant [^()\s]+\)(?=\.$)")  # it is called after the run
_OTHER_EACH_TIME = ("run", "model", "input_tokens", "output_tokens", "cost", "seconds")


def lasting(items: Mapping[str, Item]) -> Iterable[Item]:
    """The items without times, costs, ids, and what happened to requests on their way."""
    for key, item in items.items():
        if isinstance(item, Summary):
            yield replace(item, recorded=True)
        elif isinstance(item, Call):
            said = [_GRANT.sub("", _PLAYER.sub(r"\1", words)) for words in item.said]
            yield replace(item, id="", duration=None, said=said)
        elif not _PASSING.search(key):
            yield item


def lasting_json(short: Mapping[str, Any]) -> dict[str, Any]:
    """The totals of a run without those that are others each time."""
    return {name: value for name, value in short.items() if name not in _OTHER_EACH_TIME}
