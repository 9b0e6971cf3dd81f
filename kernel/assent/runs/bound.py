"""How long a model's next answer may become, so that no budget is passed by it: what is sent, and reckoned with."""

from collections.abc import Iterable

from assent.models.longest import longest
from assent.models.prices import Rates
from assent.runs.purse import Pot

LONGEST = 131_072  # tokens: no model writes more in one answer
TAKEN = 8_192  # tokens of an answer that models take to be asked for of which nobody knows how long they may write


def leeway(pots: Iterable[Pot], tokens: int, priced: Rates | None) -> int:
    """How many tokens an answer may have by what the run has reserved, after so many of input; `LONGEST` at most."""
    found = LONGEST
    for pot in pots:
        left = pot.left
        if "tokens" in left:
            found = min(found, int(left["tokens"]) - tokens)
        if "money" in left and priced is not None and priced.output:
            found = min(found, int((left["money"] - priced.input) / priced.output))
    return found


def bound(model: str, given: int | None, need: int, found: int) -> int | None:
    """What to ask for at most, where there is room for `found` tokens and the answer is reckoned at `need`.

    None where the model writes less anyway. `given` is what the agent says. Rounded down to a power of two, so that a
    cached answer is found again, but never below what it is reckoned at.
    """
    if given is not None:
        return min(given, found)
    known = longest(model)
    if found >= (known or LONGEST):
        return None
    rounded = 1 << max(found.bit_length() - 1, 0)
    most = min(rounded, TAKEN) if known is None else rounded
    return max(most, min(need, found))
