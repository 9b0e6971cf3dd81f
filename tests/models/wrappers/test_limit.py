"""Models within their limits, on real event loops."""

import asyncio
import threading
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from assent.core import messages
from assent.core.errors import ModelError
from assent.core.events import Kind
from assent.core.messages import Text, assistant
from assent.core.model import Answer, Delta, Model, Notice, Priority, Request, TextDelta, Usage
from assent.core.model_settings import ModelSettings
from assent.models.wrappers.limit import limit
from assent.models.wrappers.limiter import Limiter
from assent.models.wrappers.wrapped import Wrapped

ANSWER = Answer(assistant(Text("Yes.")), Usage(10, 5, cost=Decimal("0.25")))


class Counting:
    """A model that counts who asks it at the same time; `hold` keeps its answers back until it is set."""

    name = "scripted:counting"

    def __init__(self, *, held: bool = False) -> None:
        self.inside = self.most = self.begun = self.ended = 0
        self.agents: list[str] = []
        self.hold = asyncio.Event()
        if not held:
            self.hold.set()
        self._watch = threading.Lock()

    async def stream(self, request: Request) -> AsyncIterator[Delta | Answer]:
        with self._watch:
            self.inside, self.begun = self.inside + 1, self.begun + 1
            self.most = max(self.most, self.inside)
            self.agents.append(request.agent)
        try:
            yield TextDelta("Yes.")
            if not self.hold.is_set():
                await self.hold.wait()
            await asyncio.sleep(0)
            yield ANSWER
        finally:
            with self._watch:
                self.inside, self.ended = self.inside - 1, self.ended + 1


def within(model: Model, **settings: Any) -> Wrapped:
    return limit(model, Limiter(ModelSettings(**settings)))


def question(agent: str = "", priority: Priority = "mid") -> Request:
    return Request([messages.user("?")], agent=agent, priority=priority)


async def ask(model: Model, request: Request | None = None) -> list[Delta | Answer]:
    return [item async for item in model.stream(request or question())]


async def turns_of_the_loop() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_who_need_not_wait_is_told_nothing() -> None:
    model = within(Counting(), requests_per_minute=600, tokens_per_minute=600_000, concurrency=3, dollars_per_hour=9.0)
    assert model.name == "scripted:counting"
    assert asyncio.run(ask(model)) == [TextDelta("Yes."), ANSWER]


def test_who_waits_says_so_first_and_then_how_long() -> None:
    async def scene() -> list[Delta | Answer]:
        inner = Counting(held=True)
        model = within(inner, concurrency=1)
        first = asyncio.create_task(ask(model))
        await turns_of_the_loop()
        stream = model.stream(question())
        told = [await anext(stream)]
        inner.hold.set()
        told += [item async for item in stream]
        await first
        return told

    waiting, waited, *rest = asyncio.run(scene())
    assert waiting == Notice(None, "scripted:counting", "waiting for the limit of 1 request at once")
    assert isinstance(waited, Notice)
    assert (waited.kind, waited.reason) == (Kind.MODEL_WAITED, "limit of 1 request at once")
    assert waited.seconds is not None
    assert 0 < waited.seconds < 10
    assert rest == [TextDelta("Yes."), ANSWER]


def test_requests_a_minute_are_kept_back_by_a_real_timer() -> None:
    async def scene() -> float:
        model = within(Counting(), requests_per_minute=120)  # 20 at once, then 2 a second
        began = asyncio.get_running_loop().time()
        answers = await asyncio.gather(*[ask(model) for _ in range(21)])
        assert sum(isinstance(items[0], Notice) for items in answers) == 1
        assert all(items[-1] == ANSWER for items in answers)
        return asyncio.get_running_loop().time() - began

    assert asyncio.run(scene()) >= 0.49  # one more at 2 a second; what took time before it counts too


def test_a_hundred_at_once_are_never_more_inside_than_may_be() -> None:
    async def scene() -> Counting:
        inner = Counting()
        model = within(inner, concurrency=7)
        answers = await asyncio.gather(*[ask(model) for _ in range(100)])
        assert all(items[-1] == ANSWER for items in answers)
        return inner

    inner = asyncio.run(scene())
    assert (inner.most, inner.begun, inner.ended) == (7, 100, 100)


def test_two_event_loops_share_one_limit() -> None:
    inner = Counting()
    model = within(inner, concurrency=2)

    async def scene() -> None:
        await asyncio.gather(*[ask(model) for _ in range(100)])

    threads = [threading.Thread(target=asyncio.run, args=(scene(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)
    assert not any(thread.is_alive() for thread in threads)
    assert (inner.most, inner.begun, inner.ended) == (2, 200, 200)


def test_the_more_urgent_is_asked_first() -> None:
    async def scene() -> list[str]:
        inner = Counting(held=True)
        model = within(inner, concurrency=1)
        tasks = [asyncio.create_task(ask(model))]
        await turns_of_the_loop()
        order: tuple[Priority, ...] = ("low", "mid", "critical", "high", "mid")
        for number, priority in enumerate(order):
            tasks.append(asyncio.create_task(ask(model, question(f"{priority} {number}", priority))))
            await turns_of_the_loop()
        inner.hold.set()
        await asyncio.gather(*tasks)
        return inner.agents[1:]

    assert asyncio.run(scene()) == ["critical 2", "high 3", "mid 1", "mid 4", "low 0"]


@pytest.mark.parametrize("how", ["closed", "cancelled", "failed"])
def test_a_stream_that_ends_early_gives_its_place_back(how: str) -> None:
    class Failing(Counting):
        async def stream(self, request: Request) -> AsyncIterator[Delta | Answer]:
            yield TextDelta("Y")
            raise ModelError("broken")

    async def scene() -> None:
        inner = Failing() if how == "failed" else Counting(held=True)
        model = within(inner, concurrency=1)
        if how == "failed":
            with pytest.raises(ModelError, match="broken"):
                await ask(model)
        elif how == "closed":
            stream: Any = model.stream(question())
            await anext(stream)
            await stream.aclose()
        else:
            task = asyncio.create_task(ask(model))
            await turns_of_the_loop()
            assert inner.inside == 1
            task.cancel()
            await asyncio.wait([task])
        assert inner.inside == 0
        first: Any = model.stream(question())
        assert isinstance(await anext(first), TextDelta)  # and no notice of a wait
        await first.aclose()

    asyncio.run(scene())


@pytest.mark.parametrize("how", ["closed", "cancelled"])
def test_who_gives_up_waiting_is_not_asked_for_and_lets_the_next_go(how: str) -> None:
    async def scene() -> list[str]:
        inner = Counting(held=True)
        model = within(inner, concurrency=1)
        tasks = [asyncio.create_task(ask(model, question("first")))]
        await turns_of_the_loop()
        if how == "closed":
            stream: Any = model.stream(question("gone"))
            assert isinstance(await anext(stream), Notice)
        else:
            gone = asyncio.create_task(ask(model, question("gone")))
            await turns_of_the_loop()
        tasks.append(asyncio.create_task(ask(model, question("last"))))
        await turns_of_the_loop()
        if how == "closed":
            await stream.aclose()
        else:
            gone.cancel()
        inner.hold.set()
        await asyncio.gather(*tasks)
        return inner.agents

    assert asyncio.run(scene()) == ["first", "last"]


def test_who_is_cancelled_just_as_it_may_go_gives_the_place_to_the_next() -> None:
    async def scene() -> list[str]:
        inner = Counting(held=True)
        model = within(inner, concurrency=1)
        first: Any = model.stream(question("first"))
        await anext(first)
        gone = asyncio.create_task(ask(model, question("gone")))
        await turns_of_the_loop()
        last = asyncio.create_task(ask(model, question("last")))
        await turns_of_the_loop()
        await first.aclose()  # grants the place to the one that is cancelled before it has heard of it
        gone.cancel()
        inner.hold.set()
        await last
        return inner.agents

    assert asyncio.run(scene()) == ["first", "last"]


def test_spent_money_is_an_error_that_says_when_and_what_to_do() -> None:
    async def scene() -> None:
        model = within(Counting(), dollars_per_hour=0.5)
        await ask(model)
        await ask(model)
        with pytest.raises(ModelError, match=r"limit of \$0.5 an hour and has room again in 60 minutes: .*dollars_per"):
            await ask(model)

    asyncio.run(scene())


def test_who_waits_is_refused_when_the_money_is_spent_meanwhile() -> None:
    async def scene() -> Counting:
        inner = Counting(held=True)
        model = within(inner, dollars_per_hour=0.25, concurrency=1)
        first = asyncio.create_task(ask(model))
        await turns_of_the_loop()
        second = asyncio.create_task(ask(model))
        await turns_of_the_loop()
        inner.hold.set()
        await first
        with pytest.raises(ModelError, match="an hour"):
            await second
        return inner

    assert asyncio.run(scene()).begun == 1


def test_what_an_answer_used_holds_the_next_one_back() -> None:
    async def scene() -> Notice:
        model = within(Counting(), tokens_per_minute=60)  # a bucket of 10; the answer takes 15
        await ask(model)
        stream: Any = model.stream(question())
        notice = await anext(stream)
        await stream.aclose()
        assert isinstance(notice, Notice)
        return notice

    notice = asyncio.run(scene())
    assert notice.reason == "waiting for the limit of 60 tokens a minute"
    assert notice.seconds == pytest.approx(15, abs=0.5)
