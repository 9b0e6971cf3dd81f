"""So much money an hour."""

from collections import deque
from decimal import Decimal

HOUR = 3600.0  # seconds
SHARE = 8  # of the latest answer in what the next one is expected to take: one part in so many


class Spending:
    """US dollars of the last hour. Kept by the second, and forgotten up to a second late."""

    def __init__(self, limit: Decimal) -> None:
        self.limit = limit
        self.total = Decimal(0)
        self.recent: Decimal | None = None  # what an answer costs of late
        self._slots: deque[tuple[float, Decimal]] = deque()  # the end of the second, what was spent in it

    def add(self, cost: Decimal | None, now: float) -> None:
        """Count what an answer cost; `now` must not go back. None, which is unknown, counts for nothing."""
        if cost is None or not cost.is_finite() or cost < 0:
            return
        self.recent = cost if self.recent is None else self.recent + (cost - self.recent) / SHARE
        self.total += cost
        end = now // 1 + 1
        if self._slots and self._slots[-1][0] >= end:
            end, before = self._slots.pop()
            cost += before
        self._slots.append((end, cost))

    def wait(self, under_way: int, now: float) -> float | None:
        """Seconds until there is room for one more; None until one of those under way is done."""
        while self._slots and self._slots[0][0] + HOUR <= now:
            self.total -= self._slots.popleft()[1]
        if self.total >= self.limit:
            return self._until_below(now)
        expected = self.total + under_way * self.recent if self.recent and under_way else self.total
        return 0.0 if expected < self.limit else None

    def _until_below(self, now: float) -> float:
        left, end = self.total, now
        for slot, cost in self._slots:
            left, end = left - cost, slot
            if left < self.limit:
                break
        return end + HOUR - now
