"""A model made of others: what every wrapper gives back."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from assent.core.model import Answer, Delta, Model, Request

Stream = AsyncIterator[Delta | Answer]


@dataclass(frozen=True, slots=True)
class Wrapped:
    """`inner` are the models that `stream` asks; closing this one closes them."""

    name: str
    stream: Callable[[Request], Stream]
    inner: tuple[Model, ...]

    async def aclose(self) -> None:
        """Close the connections of the models inside."""
        for model in self.inner:
            if hasattr(model, "aclose"):
                await model.aclose()


def asked(model: Model, request: Request) -> aclosing[AsyncGenerator[Delta | Answer]]:
    """The model's stream, closed at the end of the block: a wrapper that is left early must not leave it open."""
    stream: Any = model.stream(request)
    return aclosing(stream if hasattr(stream, "aclose") else _closable(stream))


async def _closable(stream: Stream) -> AsyncGenerator[Delta | Answer]:
    """For a model whose stream is an iterator that cannot be closed."""
    async for item in stream:
        yield item
