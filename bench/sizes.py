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


FULL = Sizes()
QUICK = Sizes(rounds=3, runs=10, agents=1_000, starts=3, events=2_000)
TINY = Sizes(rounds=1, steps=12, short=3, runs=1, calls=2, delay=0.001, agents=3, wait=0.001, starts=1, events=20)
