"""What no cut may part on its way to a model: whatever the masks of a run would find in the whole of it."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from assent.core.cut import Span, Whole
from assent.core.errors import Withheld
from assent.models.masking.vault import Vault
from assent.runs.entered import Entrance
from assent.runs.run import Run


def of_run(run: Run) -> Whole | None:
    """For a run at work; None where nothing is masked. What it has masked before is known wherever it stands."""
    if run.outgoing is None or run.entrance is None or not run.entrance.masks:  # at every step: so this comes first
        return None
    return of_masks(run.entrance, run.outgoing.vaults())


def of_masks(entrance: Entrance, vaults: Sequence[Vault] = ()) -> Whole | None:
    """By the masks, what some vaults know, and the masked columns of the notebook's tables."""
    if not entrance.masks:
        return None
    lookouts = [Vault((rule,)) for rule in entrance.masks]

    def marked(text: str) -> Iterator[Span]:
        for vault in (*lookouts, *vaults):
            with contextlib.suppress(Withheld):  # of a mask's own function: the request will say so
                yield from vault.spans(text)

    def cells(text: str, value: Any) -> Iterator[Span]:
        for begin, end, _ in entrance.cells(text, [value]):
            yield begin, end

    return Whole(marked, cells)
