"""What the limiter lets go when, on a clock that only these tests move."""

import asyncio
import bisect
import functools
import heapq
import itertools
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.core.model import Priority, Usage
from assent.core.model_settings import ModelSettings
from assent.models.wrappers.bucket import BURST
from assent.models.wrappers.limiter import GUESS, Bell, Limiter, Turn, limiter_of

RANKS: tuple[Priority, ...] = get_args(Priority)


@dataclass(eq=False)
class Alarm:
    """A timer of `World`."""

    call: Callable[[], None] | None

    def cancel(self) -> None:
        self.call = None


@dataclass
class World:
    """A clock and what is to happen when it has come so far."""

    now: float = 1_000.0
    due: list[tuple[float, int, Alarm]] = field(default_factory=list)
    number: Any = field(default_factory=itertools.count)

    def later(self, seconds: float, call: Callable[[], None]) -> Alarm:
        alarm = Alarm(call)
        heapq.heappush(self.due, (self.now + seconds, next(self.number), alarm))
        return alarm

    def run(self, until: float = float("inf")) -> None:
        """Let everything happen up to then."""
        while self.due and self.due[0][0] <= until:
            at, _, alarm = heapq.heappop(self.due)
            self.now = max(self.now, at)
            if alarm.call is not None:
                alarm.call()
        self.now = max(self.now, until) if until < float("inf") else self.now

    def bell(self, ring: Callable[[], None] = lambda: None) -> Bell:
        return Bell(ring, self.later)


def made(world: World, spent: Iterable[tuple[float, Decimal | None]] = (), **settings: Any) -> Limiter:
    return Limiter(ModelSettings(**settings), lambda: spent, lambda: world.now)


def arrive(limiter: Limiter, world: World, priority: Priority = "mid") -> Turn:
    return limiter.enter() or limiter.queue(priority, world.bell())


def finish(limiter: Limiter, turn: Turn, tokens: int | None = None, cost: str | None = None) -> None:
    turn.asked, turn.usage = True, Usage(input=tokens, output=0)
    turn.cost = None if cost is None else Decimal(cost)
    limiter.leave(turn)


def test_without_limits_there_is_no_limiter() -> None:
    assert limiter_of(ModelSettings()) is None
    assert limiter_of(ModelSettings(requests_per_minute=1)) is not None
    assert limiter_of(ModelSettings(tokens_per_minute=1)) is not None
    assert limiter_of(ModelSettings(concurrency=1)) is not None
    assert limiter_of(ModelSettings(dollars_per_hour=0.5)) is not None


def test_requests_a_minute_go_in_a_burst_and_then_at_their_pace() -> None:
    world = World()
    limiter = made(world, requests_per_minute=60)
    turns = [arrive(limiter, world) for _ in range(20)]
    assert [turn.granted for turn in turns] == [True] * 10 + [False] * 10
    assert turns[10].reason == "limit of 60 requests a minute"
    assert turns[10].seconds == pytest.approx(1)
    assert turns[19].seconds == pytest.approx(10)
    for passed in range(1, 11):
        world.run(1_000 + passed + 0.001)
        assert sum(turn.granted for turn in turns) == 10 + passed


def test_less_than_one_request_in_the_time_of_a_burst_is_still_one_at_once() -> None:
    world = World()
    limiter = made(world, requests_per_minute=1)
    first, second = arrive(limiter, world), arrive(limiter, world)
    assert (first.granted, second.granted) == (True, False)
    assert second.seconds == pytest.approx(60)
    world.run(1_059.9)
    assert not second.granted
    world.run()
    assert second.granted
    assert world.now == pytest.approx(1_060)


def test_a_place_among_those_at_once_is_taken_until_the_turn_ends() -> None:
    world = World()
    limiter = made(world, concurrency=2)
    first, second, third, fourth = [arrive(limiter, world) for _ in range(4)]
    assert [turn.granted for turn in (first, second, third, fourth)] == [True, True, False, False]
    assert (third.reason, third.seconds) == ("limit of 2 requests at once", None)
    finish(limiter, second)
    assert (third.granted, fourth.granted) == (True, False)
    finish(limiter, first)
    assert fourth.granted


def test_leaving_twice_gives_one_place_back() -> None:
    world = World()
    limiter = made(world, concurrency=1)
    turn = arrive(limiter, world)
    finish(limiter, turn)
    finish(limiter, turn)
    assert [arrive(limiter, world).granted for _ in range(2)] == [True, False]


def test_the_more_urgent_goes_first_and_within_a_rank_the_earlier() -> None:
    world = World()
    limiter = made(world, concurrency=1)
    held = arrive(limiter, world)
    order: list[str] = []
    turns: dict[str, Turn] = {}
    for number, rank in itertools.product(range(2), reversed(RANKS)):
        name = f"{rank} {number}"
        turns[name] = limiter.queue(rank, world.bell(functools.partial(order.append, name)))
    finish(limiter, held)
    while len(order) < len(turns):
        finish(limiter, turns[order[-1]])
    assert order == [f"{rank} {number}" for rank in RANKS for number in range(2)]


def test_nobody_overtakes_the_queue() -> None:
    world = World()
    limiter = made(world, requests_per_minute=60, concurrency=1)
    held, waiting = arrive(limiter, world), arrive(limiter, world)
    held.asked = True
    limiter.leave(held)
    assert waiting.granted
    assert not arrive(limiter, world).granted


def test_who_gives_up_waiting_leaves_no_trace() -> None:
    world = World()
    limiter = made(world, requests_per_minute=6)
    arrive(limiter, world)
    gone, stays = arrive(limiter, world), arrive(limiter, world, "low")
    limiter.leave(gone)  # the timer was set for this one
    limiter.leave(gone)
    world.run(1_010.001)
    assert (gone.granted, stays.granted) == (False, True)
    assert not any(alarm.call for _, _, alarm in world.due)


def test_who_gives_up_after_the_grant_gives_it_back() -> None:
    world = World()
    limiter = made(world, requests_per_minute=6, tokens_per_minute=6_000, concurrency=1)
    first, second = arrive(limiter, world), arrive(limiter, world)
    limiter.leave(first)  # nothing was asked
    assert second.granted
    finish(limiter, second)
    assert not arrive(limiter, world).granted


def test_tokens_are_taken_by_what_answers_used_of_late() -> None:
    world = World()
    limiter = made(world, tokens_per_minute=60_000)  # a bucket of 10,000
    finish(limiter, arrive(limiter, world), tokens=5_000)
    second, third = arrive(limiter, world), arrive(limiter, world)
    assert (second.granted, third.granted) == (True, False)
    assert third.reason == "limit of 60,000 tokens a minute"
    assert third.seconds == pytest.approx(5)
    finish(limiter, second, tokens=0)  # of no use: what was taken stands
    assert not third.granted
    world.run(1_005.001)
    assert third.granted


def test_an_answer_that_used_less_makes_room_at_once() -> None:
    world = World()
    limiter = made(world, tokens_per_minute=12_000)  # a bucket of 2,000: two guesses
    first, second, third = [arrive(limiter, world) for _ in range(3)]
    assert (second.granted, third.granted) == (True, False)
    finish(limiter, first, tokens=10)
    assert third.granted
    assert not any(alarm.call for _, _, alarm in world.due)


def test_an_answer_that_used_more_is_paid_off_before_the_next() -> None:
    world = World()
    limiter = made(world, tokens_per_minute=60_000)
    finish(limiter, arrive(limiter, world), tokens=40_000)  # 30,000 more than the bucket holds
    turn = arrive(limiter, world)
    assert turn.seconds == pytest.approx(40)  # until the bucket is full: it is taken to need more than that
    world.run()
    assert turn.granted
    assert world.now == pytest.approx(1_040)


def test_a_failed_request_keeps_what_it_was_taken_to_need() -> None:
    world = World()
    limiter = made(world, tokens_per_minute=6_000)  # a bucket of one guess
    turn = arrive(limiter, world)
    turn.asked = True
    limiter.leave(turn)
    assert arrive(limiter, world).seconds == pytest.approx(GUESS / 100)


def test_money_of_the_last_hour_counts_also_from_before_the_process() -> None:
    world = World()
    spent = [(3_000.0, Decimal("0.4")), (3_599.0, Decimal("0.5")), (4_000.0, Decimal(9)), (10.0, None)]
    limiter = made(world, spent, dollars_per_hour=1.0, longest_wait=5.0)
    finish(limiter, arrive(limiter, world), cost="0.1")
    turn = arrive(limiter, world)
    assert not turn.granted
    assert turn.refused is None
    assert turn.reason == "limit of $1 an hour"
    world.run()
    assert turn.granted
    assert 1_001 <= world.now <= 1_002


def test_who_would_wait_too_long_for_money_is_refused_and_so_are_all_behind() -> None:
    world = World()
    limiter = made(world, dollars_per_hour=0.3, concurrency=2, longest_wait=60.0)
    first, second = arrive(limiter, world), arrive(limiter, world)
    waiting = [arrive(limiter, world) for _ in range(3)]
    finish(limiter, first, cost="0.1")
    assert [turn.granted for turn in waiting] == [True, False, False]
    finish(limiter, second, cost="0.2")
    assert [turn.refused is not None for turn in waiting] == [False, True, True]
    assert waiting[1].refused == pytest.approx(3_600, abs=1)
    late = arrive(limiter, world)
    assert late.refused == pytest.approx(3_600, abs=1)
    world.run(1_000 + 3_602)
    assert arrive(limiter, world).granted


def test_money_that_is_under_way_counts_as_much_as_one_answer_cost_of_late() -> None:
    world = World()
    limiter = made(world, dollars_per_hour=1.0)
    finish(limiter, arrive(limiter, world), cost="0.4")
    first, second, third = [arrive(limiter, world) for _ in range(3)]
    assert [turn.granted for turn in (first, second, third)] == [True, True, False]  # 0.4, 0.8, 1.2
    assert (third.seconds, third.refused) == (None, None)
    finish(limiter, first, cost="0.1")
    assert third.granted


@pytest.mark.parametrize("cost", ["NaN", "-1", "Infinity"])
def test_a_cost_that_is_no_amount_counts_for_nothing(cost: str) -> None:
    world = World()
    limiter = made(world, dollars_per_hour=1.0)
    finish(limiter, arrive(limiter, world), cost=cost)
    assert arrive(limiter, world).granted


def test_whoever_is_not_there_any_more_does_not_hold_up_the_rest() -> None:
    world = World()
    limiter = made(world, requests_per_minute=6, concurrency=1)

    def closed(*_: object) -> Any:
        raise RuntimeError("Event loop is closed")

    held = arrive(limiter, world)
    gone = limiter.queue("critical", Bell(closed, world.later))
    also_gone = limiter.queue("critical", Bell(closed, closed))
    stays = arrive(limiter, world)
    held.asked = True
    limiter.leave(held)
    world.run()
    assert stays.reason == "limit of 6 requests a minute"
    assert (gone.granted, also_gone.granted, stays.granted) == (False, False, True)
    assert world.now == pytest.approx(1_010)


def test_a_timer_that_never_rings_is_replaced_by_the_next_that_comes() -> None:
    world = World()
    limiter = made(world, requests_per_minute=60)
    for _ in range(10):
        arrive(limiter, world)
    deaf = limiter.queue("mid", Bell(lambda: None, lambda seconds, call: Alarm(None)))
    world.run(1_000.5)
    first = arrive(limiter, world)
    world.run(1_002.5)
    assert not deaf.granted
    second = arrive(limiter, world)
    world.run()
    assert deaf.granted
    assert first.granted
    assert second.granted


def test_a_timer_that_rings_early_is_set_again() -> None:
    world = World()
    limiter = made(world, requests_per_minute=60)
    for _ in range(10):
        arrive(limiter, world)
    turn = limiter.queue("mid", Bell(lambda: None, lambda seconds, call: world.later(seconds * 0.999, call)))
    world.run(1_000.9995)
    assert not turn.granted
    world.run(1_001.1)
    assert turn.granted


@dataclass(frozen=True)
class Visit:
    """Somebody who comes `after` the one before, is `slow` to go in, stays for `stay`, and may lose patience before."""

    after: float
    priority: Priority
    slow: float
    stay: float
    patience: float | None


visits = st.lists(
    st.builds(
        Visit,
        after=st.sampled_from([0.0, 0.0, 0.01, 0.5, 7.0]),
        priority=st.sampled_from(RANKS),
        slow=st.sampled_from([0.0, 0.0, 2.0]),
        stay=st.sampled_from([0.0, 0.2, 3.0, 40.0]),
        patience=st.sampled_from([None, None, None, 0.0, 1.0, 30.0]),
    ),
    min_size=1,
    max_size=60,
)


@given(visits, st.integers(0, 90), st.integers(0, 20), st.integers(0, 5), st.booleans())
def test_limits_hold_in_any_minute_the_order_holds_and_everybody_gets_in(
    coming: list[Visit], requests: int, thousands: int, at_once: int, dear: bool
) -> None:
    world = World()
    limiter = made(
        world, requests_per_minute=requests, tokens_per_minute=thousands * 1_000, concurrency=at_once,
        dollars_per_hour=0.1 if dear else 0.0, longest_wait=1e9,
    )  # fmt: skip
    queued: list[tuple[int, int]] = []
    begun: list[float] = []
    inside: list[int] = [0, 0]
    left: list[bool] = []

    def let_in(turn: Turn, visit: Visit) -> None:
        inside[0] += 1
        inside[1] = max(inside)
        turn.asked = True
        world.later(visit.stay, lambda: go(turn))

    def go(turn: Turn) -> None:
        inside[0] -= 1
        left.append(True)
        finish(limiter, turn, tokens=int(GUESS), cost="0.01")

    def come(number: int, visit: Visit) -> None:
        if (turn := limiter.enter()) is not None:
            assert not queued
            begun.append(world.now)
            let_in(turn, visit)
            return
        place = RANKS.index(visit.priority), number
        rung: list[float] = []
        waits = True

        def ring() -> None:
            assert queued.pop(0) == place
            rung.append(world.now)
            world.later(visit.slow, go_in)

        def go_in() -> None:
            nonlocal waits
            if waits:
                waits = False
                begun.append(rung[0])
                let_in(waiting, visit)

        def give_up() -> None:
            nonlocal waits
            if waits:
                waits = False
                if not rung:
                    queued.remove(place)
                limiter.leave(waiting)
                left.append(False)

        bisect.insort(queued, place)
        waiting = limiter.queue(visit.priority, world.bell(ring))
        if visit.patience is not None:
            world.later(visit.patience, give_up)

    at = 0.0
    for number, visit in enumerate(coming):
        at += visit.after
        world.later(at, functools.partial(come, number, visit))
    world.run()

    assert not queued
    assert len(left) == len(coming)
    assert inside[0] == 0
    if at_once:
        assert inside[1] <= at_once
    if requests:
        assert most_in_a_minute(begun) <= requests + max(requests * BURST / 60, 1) + 1e-3
    if thousands:
        bucket = thousands * 1_000 * BURST / 60
        assert most_in_a_minute(begun) * GUESS <= thousands * 1_000 + bucket + GUESS + 1
    if dear and at_once:
        assert most_in_a_minute(begun, 3_600.0) <= 10 + at_once
    assert arrive_when_idle(limiter, world)


def most_in_a_minute(times: list[float], span: float = 60.0) -> int:
    return max([sum(start <= time < start + span for time in times) for start in times], default=0)


def arrive_when_idle(limiter: Limiter, world: World) -> bool:
    """Whether the next one is let in at once after two quiet hours, and nothing is left of a timer."""
    world.run(world.now + 7_200)
    assert not any(alarm.call for _, _, alarm in world.due)
    return arrive(limiter, world).granted


def test_counts_are_exact_from_two_threads_with_an_event_loop_each() -> None:
    limiter = Limiter(ModelSettings(concurrency=3))
    inside, most, done = [0], [0], [0]
    watch = threading.Lock()

    async def visit() -> None:
        loop = asyncio.get_running_loop()
        turn = limiter.enter()
        if turn is None:
            rung = asyncio.Event()

            def ring(loop: asyncio.AbstractEventLoop = loop, rung: asyncio.Event = rung) -> None:
                loop.call_soon_threadsafe(rung.set)

            turn = limiter.queue("mid", Bell(ring, loop.call_later))
            await rung.wait()
        with watch:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        await asyncio.sleep(0)
        with watch:
            inside[0] -= 1
            done[0] += 1
        finish(limiter, turn)

    async def all_of_them() -> None:
        await asyncio.gather(*[visit() for _ in range(300)])

    threads = [threading.Thread(target=asyncio.run, args=(all_of_them(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)
    assert not any(thread.is_alive() for thread in threads)
    assert (done[0], inside[0]) == (600, 0)
    assert most[0] == 3
