"""The gate: a message reaches the handler of its comm, on the thread that brings it, once."""

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from assent.jupyter.gate import Gate

APPROVE = {"type": "decision", "verdict": "approve"}


def test_a_message_reaches_the_handler_of_its_comm_only() -> None:
    gate, left, right = Gate(), list[Mapping[str, Any]](), list[Mapping[str, Any]]()
    gate.open("left", left.append)
    gate.open("right", right.append)
    assert gate.deliver("left", APPROVE)
    assert (left, right) == ([APPROVE], [])


def test_a_comm_without_a_handler_is_told() -> None:
    assert not Gate().deliver("nobody", APPROVE)


def test_a_closed_route_delivers_nothing() -> None:
    gate, heard = Gate(), list[Mapping[str, Any]]()
    gate.open("card", heard.append)
    gate.close("card")
    gate.close("card")
    assert not gate.deliver("card", APPROVE)
    assert not gate.is_open("card")
    assert heard == []


def test_a_second_open_replaces_the_first() -> None:
    gate, first, second = Gate(), list[Mapping[str, Any]](), list[Mapping[str, Any]]()
    gate.open("card", first.append)
    gate.open("card", second.append)
    gate.deliver("card", APPROVE)
    assert (first, second) == ([], [APPROVE])


def test_a_handler_may_close_its_own_route() -> None:
    gate = Gate()
    gate.open("card", lambda _: gate.close("card"))
    assert gate.deliver("card", APPROVE)
    assert not gate.is_open("card")


def test_what_a_handler_raises_is_raised_and_the_route_stays() -> None:
    gate = Gate()

    def refuse(content: Mapping[str, Any]) -> None:
        raise ValueError(content["verdict"])

    gate.open("card", refuse)
    with pytest.raises(ValueError, match="approve"):
        gate.deliver("card", APPROVE)
    assert gate.is_open("card")


def test_every_message_of_many_threads_is_delivered_once() -> None:
    gate, heard = Gate(), list[int]()
    gate.open("card", lambda content: heard.append(content["n"]))
    threads = [threading.Thread(target=gate.deliver, args=("card", {"n": n})) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(heard) == list(range(50))
