"""How much each measurement does."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """`rounds` are repetitions of which the median counts; `delay` is a slow tool's time, `wait` a slow model's (s)."""

    rounds: int = 7
    steps: int = 200
    short: int = 20  # steps of a short run
    runs: int = 30  # runs over which growth is summed
    calls: int = 8
    delay: float = 0.05
    agents: int = 10_000
    wait: float = 2.0
    starts: int = 7  # processes started for a figure of the cold start
    events: int = 10_000
    written: int = 100_000  # runs of a hundred events each, in a journal that is as if years old
    lasts: int = 2_500  # steps of a very long run
    kills: int = 20  # at each moment
    turns: int = 20_000  # of a limiter
    crowds: tuple[int, ...] = (1, 100, 1_000)  # agents at once, of which runs a second are counted
    shared: float = 10.0  # how long four processes write to one workspace (s)
    deaths: int = 5  # of its owner meanwhile
    lasting: float = 3.0  # about how long each of these counts goes on (s)


FULL = Sizes()
QUICK = Sizes(
    rounds=3, runs=10, agents=1_000, starts=3, events=2_000, written=10_000, kills=5, turns=5_000,
    shared=4.0, deaths=2, lasting=1.0,
)  # fmt: skip
TINY = Sizes(
    rounds=1, steps=12, short=3, runs=1, calls=2, delay=0.001, agents=3, wait=0.001, starts=1, events=20, written=20,
    lasts=3, kills=1, turns=10, crowds=(1, 3), shared=1.0, deaths=1, lasting=0.01,
)  # fmt: skip
