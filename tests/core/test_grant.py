"""A grant covers one act, once."""

import threading

import pytest

from assent.core.errors import GateError
from assent.core.grant import Grant, act_digest

ARGUMENTS = {"to": "ada", "text": "hello"}


def grant() -> Grant:
    return Grant("r", "r.1", "mail", ARGUMENTS, "v1")


@pytest.mark.parametrize(
    ("call", "tool", "arguments"),
    [
        ("r.2", "mail", ARGUMENTS),
        ("q.1", "mail", ARGUMENTS),
        ("r.1", "post", ARGUMENTS),
        ("r.1", "mail", ARGUMENTS | {"to": "eve"}),
        ("r.1", "mail", ARGUMENTS | {"copy": "eve"}),
        ("r.1", "mail", {}),
    ],
)
def test_it_covers_nothing_else_and_is_not_spent_by_trying(call: str, tool: str, arguments: dict[str, str]) -> None:
    given = grant()
    with pytest.raises(GateError, match="does not cover"):
        given.redeem(call, tool, arguments)
    given.redeem("r.1", "mail", dict(reversed(ARGUMENTS.items())))


def test_it_is_good_once_though_many_try_at_the_same_time() -> None:
    given, gate, redeemed, refused = grant(), threading.Barrier(20), [], []

    def redeem() -> None:
        gate.wait()
        try:
            given.redeem("r.1", "mail", ARGUMENTS)
            redeemed.append(1)
        except GateError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=redeem) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(redeemed) == 1
    assert len(refused) == 19
    assert all("already used" in text for text in refused)


def test_the_digest_is_of_tool_and_arguments() -> None:
    assert act_digest("mail", ARGUMENTS) == act_digest("mail", dict(reversed(ARGUMENTS.items())))
    assert act_digest("mail", ARGUMENTS) != act_digest("post", ARGUMENTS)
