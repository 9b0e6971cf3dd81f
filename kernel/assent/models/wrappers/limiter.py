"""What a model may be asked in a minute, in an hour and at once; room goes by priority, then by arrival."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Protocol, get_args

from assent.core.model import Priority, Usage
from assent.core.model_settings import ModelSettings
from assent.models.wrappers.bucket import SOON, Bucket
from assent.models.wrappers.spending import SHARE, Spending

GUESS = 1_000.0  # tokens of a request as long as no answer has told
_LATE = 1.0  # seconds after which a timer is given up: its event loop may be held up, others are not

Spent = Callable[[], Iterable[tuple[float, Decimal | None]]]


class Timer(Protocol):
    """What `Bell.later` gives."""

    def cancel(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Bell:
    """How a limiter reaches whoever waits, from any thread: `ring` at the end of the wait, `later` calls back.

    Both raise RuntimeError once nobody is there any more, and must not call the limiter before they return.
    """

    ring: Callable[[], None]
    later: Callable[[float, Callable[[], None]], Timer]


@dataclass(slots=True, eq=False)
class Turn:
    """A request on its way through a limiter; only the limiter changes it, but for the last three.

    `reason` is the limit that it waits or waited for, `seconds` about how long it will, None where nobody can say.
    `refused` is in how many seconds there would be room, for one that is not to wait that long. Whoever asks the model
    says so by `asked`, and what came of it by `usage` and `cost`.
    """

    priority: Priority = "mid"
    bell: Bell | None = None
    granted: bool = False
    reason: str = ""
    seconds: float | None = None
    refused: float | None = None
    tokens: float = 0.0  # what it was taken to need
    asked: bool = False
    usage: Usage | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Full:
    """Why nothing goes now: which limit, in how many seconds it gives room, None for when another one is done.

    `each` is how many seconds a further one takes; `refused` that nobody is to wait so long.
    """

    reason: str
    seconds: float | None
    each: float = 0.0
    refused: bool = False


class Limiter:
    """The limits of one model, and who waits for them. Every method may be called from any thread.

    - Requests a minute and tokens a minute are each a `Bucket`. Tokens are input and output, cached ones included. A
      request takes what answers took of late (no conversation is read again), its answer's usage corrects that, and
      one that needs more than the bucket holds goes when it is full. Without an answer, or without its usage, what
      was taken stands.
    - A request counts among those at once until its `leave`.
    - Dollars an hour are those of answers in the last hour, `spent` included: (age in seconds, cost) of answers before
      this process. Those under way count as much as one did of late; a cost that nobody knows counts for nothing.
      Who would wait for money longer than `longest_wait` is refused.

    "critical" goes before "high", "mid" and "low", first come first served within each; so "low" may starve while
    others keep coming. Each grant wakes the one that it is for, and one timer serves all that wait.
    """

    def __init__(
        self, settings: ModelSettings, spent: Spent = lambda: (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.clock = clock
        self._lock = threading.RLock()  # the collector may close a lost stream, which leaves, within any method
        self._queues: dict[Priority, OrderedDict[Turn, None]] = {rank: OrderedDict() for rank in get_args(Priority)}
        self._waiting = 0
        self._under_way = 0
        self._reason = ""  # what kept the queue back last
        self._timer: tuple[float, Turn, Timer] | None = None  # when it is due, on whose bell
        self._tokens_each = 0.0  # 0 until an answer has told
        self._at_once = settings.concurrency
        self._longest = settings.longest_wait
        self._requests = Bucket(settings.requests_per_minute, clock()) if settings.requests_per_minute else None
        self._tokens = Bucket(settings.tokens_per_minute, clock()) if settings.tokens_per_minute else None
        self.spending = Spending(Decimal(str(settings.dollars_per_hour))) if settings.dollars_per_hour else None
        if self.spending is not None:
            for age, cost in sorted(spent(), key=lambda item: -item[0]):
                self.spending.add(cost, clock() - age)
        self._reasons = {
            "requests": f"limit of {_counted(settings.requests_per_minute, 'request')} a minute",
            "tokens": f"limit of {_counted(settings.tokens_per_minute, 'token')} a minute",
            "at once": f"limit of {_counted(settings.concurrency, 'request')} at once",
            "dollars": f"limit of ${settings.dollars_per_hour:g} an hour",
        }

    def enter(self) -> Turn | None:
        """A turn at once, or None where one has to `queue`."""
        with self._lock:
            if self._waiting or self._full(self.clock()) is not None:
                return None
            return self._taken(Turn())

    def queue(self, priority: Priority, bell: Bell) -> Turn:
        """A place in the queue; `bell` rings once the turn is granted or refused, which may be before this returns."""
        turn = Turn(priority, bell)
        with self._lock:
            ahead = sum([len(queue) for queue in self._ranks_to(priority)])
            self._queues[priority][turn] = None
            self._waiting += 1
            full = self._pump()
            if full is not None and turn in self._queues[priority]:
                turn.reason = full.reason
                turn.seconds = None if full.seconds is None else full.seconds + ahead * full.each
        return turn

    def leave(self, turn: Turn) -> None:
        """The end of a turn, also of one that is still in the queue; what was not asked is given back."""
        with self._lock:
            if turn.granted:
                self._settle(turn)
            elif turn in self._queues[turn.priority]:
                self._drop(turn)
            if self._waiting:
                self._pump()

    def _ranks_to(self, priority: Priority) -> list[OrderedDict[Turn, None]]:
        ranks = list(self._queues)
        return [self._queues[rank] for rank in ranks[: ranks.index(priority) + 1]]

    def _full(self, now: float) -> Full | None:
        """What keeps the next request back; the same for whichever is the next."""
        if self.spending is not None and (seconds := self.spending.wait(self._under_way, now)) != 0:
            too_long = seconds is not None and seconds > self._longest
            return Full(self._reasons["dollars"], seconds, refused=too_long)
        if self._at_once and self._under_way >= self._at_once:
            return Full(self._reasons["at once"], None)
        if (bucket := self._requests) is not None and (wait := bucket.wait(1.0, now)):
            return Full(self._reasons["requests"], wait, 1 / bucket.rate)
        if (bucket := self._tokens) is not None:
            each = self._tokens_each or GUESS
            if wait := bucket.wait(each, now):
                return Full(self._reasons["tokens"], wait, each / bucket.rate)
        return None

    def _taken(self, turn: Turn) -> Turn:
        turn.granted = True
        self._under_way += 1
        if self._requests is not None:
            self._requests.level -= 1
        if self._tokens is not None:
            turn.tokens = self._tokens_each or GUESS
            self._tokens.level -= turn.tokens
        return turn

    def _settle(self, turn: Turn) -> None:
        turn.granted = False
        self._under_way -= 1
        if not turn.asked:
            self._give_back(turn)
            return
        if self.spending is not None:
            self.spending.add(turn.cost, self.clock())
        if self._tokens is not None and turn.usage is not None:
            used = (turn.usage.input or 0) + (turn.usage.output or 0)
            if used > 0:
                self._tokens.level += turn.tokens - used
                self._tokens_each += (used - self._tokens_each) / (SHARE if self._tokens_each else 1)

    def _give_back(self, turn: Turn) -> None:
        if self._requests is not None:
            self._requests.level += 1
        if self._tokens is not None:
            self._tokens.level += turn.tokens

    def _pump(self) -> Full | None:
        """Give out what room there is; what keeps the rest back, None where nobody is left."""
        while self._waiting:
            full = self._full(self.clock())
            turn = next(iter(next(filter(None, self._queues.values()))))
            if full is None:
                self._drop(turn)
                turn.reason = self._reason
                self._ring(self._taken(turn))
            elif full.refused:
                self._drop(turn)
                turn.reason, turn.refused = full.reason, full.seconds
                self._ring(turn)
            elif self._armed(turn, full):
                return full
        return None

    def _drop(self, turn: Turn) -> None:
        del self._queues[turn.priority][turn]
        self._waiting -= 1
        if self._timer is not None and self._timer[1] is turn:
            self._timer[2].cancel()
            self._timer = None

    def _ring(self, turn: Turn) -> None:
        assert turn.bell is not None
        try:
            turn.bell.ring()
        except RuntimeError:  # its event loop is closed: nobody will take the turn, nor leave it
            if turn.granted:
                self._settle(turn)

    def _armed(self, turn: Turn, full: Full) -> bool:
        """See to it that the queue is looked at again in time; False where nobody is left behind `turn`."""
        self._reason = full.reason
        if full.seconds is None:
            return True
        now = self.clock()
        due = now + full.seconds
        if self._timer is not None:
            if now - _LATE <= self._timer[0] <= due + SOON:
                return True
            self._timer[2].cancel()
            self._timer = None
        assert turn.bell is not None
        try:
            self._timer = (due, turn, turn.bell.later(full.seconds, partial(self._tick, due)))
        except RuntimeError:
            self._drop(turn)
            return False
        return True

    def _tick(self, due: float) -> None:
        with self._lock:
            if self._timer is not None and self._timer[0] == due:  # even if it rings early, as some loops' timers do
                self._timer = None
            self._pump()


def limiter_of(settings: ModelSettings, spent: Spent = lambda: ()) -> Limiter | None:
    """The limiter of a model with these settings, None where they limit nothing. `spent` as `Limiter` says."""
    limits = (
        settings.requests_per_minute, settings.tokens_per_minute, settings.concurrency, settings.dollars_per_hour
    )  # fmt: skip
    return Limiter(settings, spent) if any(limits) else None


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
