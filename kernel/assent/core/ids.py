"""Identifiers: short enough to type, random enough never to meet."""

import secrets

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # 32 signs, none that look alike


def new_id(length: int = 10) -> str:
    """A random identifier of `length` signs, 5 bits each."""
    return "".join([_ALPHABET[byte & 31] for byte in secrets.token_bytes(length)])


KERNEL = new_id()  # of this process: a namespace lives as long as it does


def call_id(run: str, place: int | str) -> str:
    """The id of a run's n-th tool call: stable, so it serves as an idempotency key."""
    return f"{run}.{place}"


def proposal_id(call: str, number: int) -> str:
    """The id of the n-th call that another call proposes: `RUN.3-1` is the first of `RUN.3`."""
    return f"{call}-{number}"


def proposer(call: str) -> str:
    """The call that proposed this one; "" for a model's own."""
    run, _, where = call.rpartition(".")
    above = where.rpartition("-")[0]
    return call_id(run, above) if above else ""


def run_of(call: str) -> str:
    """The run that a call id belongs to."""
    return call.rpartition(".")[0]


def ordinal(call: str) -> int:
    """Which of the calls that the models of its run proposed an id names, or comes from; the first is 1."""
    return place(call)[0]


def place(call: str) -> tuple[int, ...]:
    """Where a call stands among those of its run: (3,), or (3, 1) for the first that it proposes; to sort by."""
    return tuple([int(part) for part in call.rpartition(".")[2].split("-")])
