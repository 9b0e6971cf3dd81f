"""Identifiers: short enough to type, random enough never to meet."""

import secrets

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # 32 signs, none that look alike


def new_id(length: int = 10) -> str:
    """A random identifier of `length` signs, 5 bits each."""
    return "".join([_ALPHABET[byte & 31] for byte in secrets.token_bytes(length)])


KERNEL = new_id()  # of this process: a namespace lives as long as it does


def call_id(run: str, ordinal: int) -> str:
    """The id of a run's n-th tool call: stable, so it serves as an idempotency key."""
    return f"{run}.{ordinal}"


def run_of(call: str) -> str:
    """The run that a call id belongs to."""
    return call.rpartition(".")[0]


def ordinal(call: str) -> int:
    """Which of its run's calls an id names, the first being 1."""
    return int(call.rpartition(".")[2])
