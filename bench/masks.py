"""What masking costs: a question of 100 kB, and the look for a column's values in a result."""

import random
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import pandas as pd

from assent.core.mask import KINDS, Mask
from assent.models.masking.vault import Vault
from assent.tools.cells import cells
from assent.tools.sql import table_text
from bench.report import Figure
from bench.sizes import Sizes

SIZE = 100_000  # characters
WORDS = ("the", "region", "sold", "1,204", "units", "more than", "in 2025,", "(as told)", "3.5 %", "order-77812", "of")


def measure(sizes: Sizes) -> list[Figure]:
    """CPU milliseconds, each text masked for the first time."""
    text, rules = _text(), [Mask(kind=kind) for kind in KINDS]
    frame = pd.DataFrame({"name": [f"Name{number} Surname{number}" for number in range(100_000)]})
    shown = table_text(frame)
    works: dict[str, Callable[[], Any]] = {
        "mask 100 kB by one rule, e-mail": lambda: Vault(rules[:1]).masked(text),
        f"mask 100 kB by all {len(KINDS)} kinds": lambda: Vault(rules).masked(text),
        "look for 100,000 names in a result of 50 rows": lambda: cells(shown, [frame], lambda name: name),
    }
    return [Figure(name, _spent(work, sizes.rounds), "ms") for name, work in works.items()]


def _spent(work: Callable[[], Any], rounds: int) -> float:
    spent = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return median(spent) * 1000


def _text() -> str:
    """Words, with an address in every fiftieth place, and a card in every hundredth."""
    chance, pieces, length = random.Random(7), list[str](), 0
    while length < SIZE:
        number = len(pieces)
        piece = chance.choice(WORDS) if number % 50 else f"user{chance.randrange(300)}@example.com"
        pieces.append("4111 1111 1111 1111" if number % 100 == 1 else piece)
        length += len(pieces[-1]) + 1
    return " ".join(pieces)[:SIZE]
