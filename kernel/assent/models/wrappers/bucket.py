"""So much a minute: it comes in steadily, and is taken in pieces."""

BURST = 10.0  # seconds' worth that a bucket which is left alone saves up
SOON = 1e-6  # seconds that are no wait: a timer is no more exact


class Bucket:
    """A token bucket: fills at `per_minute`, holds BURST seconds of that and at least 1, may be overdrawn.

    So in any minute at most `per_minute` + `size` are taken, and once more what the last one overdrew.
    """

    def __init__(self, per_minute: int, now: float) -> None:
        self.rate = per_minute / 60
        self.size = max(self.rate * BURST, 1.0)
        self.level = self.size
        self._at = now

    def wait(self, amount: float, now: float) -> float:
        """Seconds until `amount` is there, or the bucket full where that is less."""
        self.level = min(self.level + (now - self._at) * self.rate, self.size)
        self._at = now
        seconds = (min(amount, self.size) - self.level) / self.rate
        return seconds if seconds > SOON else 0.0
