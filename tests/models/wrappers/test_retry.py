"""Asking again: when, how often, how long in between, and what is said of it."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from tests.support.attempts import ASKED, Attempts, answer, fault, hear, heard, notices, refusal

from assent.core.errors import ModelError
from assent.core.events import Kind
from assent.core.model import Notice
from assent.core.model_settings import ModelSettings
from assent.models.wrappers.retry import retry
from assent.models.wrappers.wrapped import Wrapped

FOUR = ModelSettings(attempts=4, backoff=0.5, longest_wait=60)


def tried(model: Attempts, settings: ModelSettings = FOUR, chosen: float = 1.0) -> tuple[list[Any], list[float]]:
    """What comes of asking, and how long was waited in between."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    return hear(retry(model, settings, sleep=sleep, random=lambda: chosen)), waits


def test_a_fault_that_passes_is_asked_again_and_said() -> None:
    end = answer()
    items, waits = tried(Attempts([fault()], ["done", end]))
    reason = "It has a fault (HTTP 500)."
    assert items == [Notice(Kind.MODEL_RETRIED, "maker:m", reason, 0.5, False, {"attempt": 1}), "done", end]
    assert waits == [0.5]


def test_what_was_shown_of_a_broken_answer_is_declared_void() -> None:
    end = answer()
    items, _ = tried(Attempts(["Half an ", fault()], [fault()], ["Whole", end]))
    assert [item if isinstance(item, str) else getattr(item, "restart", None) for item in items] == [
        "Half an ", True, False, "Whole", None,
    ]  # fmt: skip


def test_an_error_that_stays_is_raised_at_once_and_as_it_is() -> None:
    error = refusal()
    model = Attempts([error])
    assert tried(model) == ([error], [])
    assert len(model.asked) == 1


def test_attempts_end_and_the_error_says_how_many_were_made() -> None:
    model = Attempts([fault(status=503)])
    items, waits = tried(model)
    assert len(model.asked) == 4
    assert waits == [0.5, 1.0, 2.0]
    assert str(items[-1]) == "It has a fault (HTTP 500), after 4 attempts: run again later."
    assert (items[-1].status, items[-1].retryable) == (503, True)
    assert str(tried(Attempts([fault("It ended.")]))[0][-1]) == "It ended (after 4 attempts)."


def test_waits_are_a_random_part_of_a_doubled_time_and_never_too_long() -> None:
    many = ModelSettings(attempts=2000, backoff=1, longest_wait=8)
    assert tried(Attempts([fault()]), many)[1][:6] == [1, 2, 4, 8, 8, 8]
    assert tried(Attempts([fault()]), FOUR, 0.25)[1] == [0.125, 0.25, 0.5]
    assert tried(Attempts([fault()]), FOUR, 0.0)[1] == [0, 0, 0]


def test_the_servers_own_time_is_waited_at_least() -> None:
    items, waits = tried(Attempts([fault(retry_after=20.0)], [answer()]))
    assert waits == [20.5]
    assert notices(items)[0].seconds == 20.5
    assert tried(Attempts([fault(retry_after=0.0)], [answer()]))[1] == [0.5]


def test_a_server_that_asks_for_too_long_a_wait_fails_the_request_at_once() -> None:
    limited = fault("It is limiting requests (HTTP 429): run again in 3600 s.", status=429, retry_after=3600.0)
    model = Attempts([limited])
    items, waits = tried(model)
    assert (len(model.asked), waits) == (1, [])
    [error] = items
    assert str(error) == (
        "It is limiting requests (HTTP 429), and asks to wait for 3600 s, longer than longest_wait (60 s) allows: "
        "run again in 3600 s."
    )
    assert (error.status, error.retry_after) == (429, 3600)


def test_a_circuit_that_opens_ends_the_attempts() -> None:
    opened = Notice(Kind.CIRCUIT_OPENED, "maker:m", "It failed.", 30.0)
    model = Attempts([fault()], [opened, fault()])
    items, _ = tried(model)
    assert len(model.asked) == 2
    assert "for which it is left alone for 30 s now" in str(items[-1])


def test_a_cancellation_ends_the_wait_at_once() -> None:
    model = Attempts([fault(retry_after=50.0)])

    async def main() -> None:
        stream = retry(model, FOUR).stream(ASKED)
        assert isinstance(await anext(stream), Notice)
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    asyncio.run(asyncio.wait_for(main(), 10))
    assert len(model.asked) == 1


def test_a_stream_that_is_left_early_is_closed() -> None:
    model = Attempts(["one", "two", answer()])

    async def main() -> None:
        stream: Any = retry(model, FOUR).stream(ASKED)
        async with aclosing(stream):
            await anext(stream)
        assert model.closed == 1

    asyncio.run(main())


def test_each_attempt_is_closed_before_the_wait() -> None:
    model = Attempts(["x", fault()], [answer()])
    closed: list[int] = []

    async def sleep(seconds: float) -> None:
        closed.append(model.closed)

    hear(retry(model, FOUR, sleep=sleep))
    assert closed == [1]


def test_a_stream_that_cannot_be_closed_will_do() -> None:
    class Items:
        def __init__(self) -> None:
            self.left = [answer()]

        def __aiter__(self) -> "Items":
            return self

        async def __anext__(self) -> Any:
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop()

    assert len(hear(retry(Wrapped("maker:m", lambda request: Items(), ()), FOUR))) == 1


def test_runs_at_the_same_time_have_attempts_of_their_own() -> None:
    model = Attempts([fault()], [fault()], [answer()])

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)

    async def main() -> list[list[Any]]:
        asked = retry(model, ModelSettings(attempts=2), sleep=sleep)
        return list(await asyncio.gather(heard(asked), heard(asked)))

    assert [len(items) for items in asyncio.run(main())] == [2, 2]
    with pytest.raises(ModelError):
        raise hear(retry(Attempts([fault()]), ModelSettings(attempts=1)))[0]
