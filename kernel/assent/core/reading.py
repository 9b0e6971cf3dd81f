"""How a tool reads the arguments of a call: what a rule must judge besides the words that a model wrote."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Reading:
    """The arguments once the tool's types have stripped, coerced, renamed and filled them in.

    `values` are what the function is called with. `gets` says the same in JSON, by the names of fields and by those
    that the call used for them; None where that is what was written. `bound` is the digest of `gets` without what only
    fills in what was left out, "" where that is what was written: an approval is good for these alone.
    `model` is the tool's own of them, of which all this is said.
    """

    arguments: Mapping[str, Any]
    values: Mapping[str, Any] = field(repr=False)
    gets: Mapping[str, Any] | None = None
    bound: str = ""
    model: Any = field(default=None, repr=False)


def to_json(reading: Reading | None) -> dict[str, Any]:
    """What an event keeps of it besides the arguments: nothing where the tool gets what was written."""
    if reading is None:
        return {}
    gets = {} if reading.gets is None else {"gets": reading.gets}
    return gets | ({"bound": reading.bound} if reading.bound else {})
