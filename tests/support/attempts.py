"""A model of which a test says what each attempt to ask it brings."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from assent.core.errors import ModelError
from assent.core.messages import Text, assistant, user
from assent.core.model import Answer, Delta, Model, Notice, Request, TextDelta, Usage

ASKED = Request((user("Go."),), agent="ada")


class Attempts:
    """Each attempt yields its items in order: words as deltas, errors raised, events waited for; the last one stays."""

    def __init__(self, *attempts: Sequence[Any], name: str = "maker:m") -> None:
        self.name = name
        self.asked: list[Request] = []
        self.closed = 0
        self._attempts = attempts

    async def stream(self, request: Request) -> AsyncIterator[Delta | Answer]:
        attempt = self._attempts[min(len(self.asked), len(self._attempts) - 1)]
        self.asked.append(request)
        try:
            for item in attempt:
                if isinstance(item, BaseException):
                    raise item
                if isinstance(item, asyncio.Event):
                    await item.wait()
                else:
                    yield TextDelta(item) if isinstance(item, str) else item
        finally:
            self.closed += 1


def answer(text: str = "done", stop: str = "stop", usage: Usage | None = None) -> Answer:
    return Answer(assistant(Text(text)), usage or Usage(7, 3), stop)


def fault(text: str = "It has a fault (HTTP 500): run again later.", **fields: Any) -> ModelError:
    """An error that may pass."""
    return ModelError(text, **{"status": 500, "retryable": True, **fields})


def refusal(text: str = "It rejected the request (HTTP 400): correct it.") -> ModelError:
    """An error that stays."""
    return ModelError(text, status=400)


async def heard(model: Model, request: Request = ASKED) -> list[Any]:
    """All that a stream gives; an error as its last item."""
    items: list[Any] = []
    try:
        async for item in model.stream(request):
            items.append(item.text if isinstance(item, TextDelta) else item)
    except ModelError as error:
        items.append(error)
    return items


def hear(model: Model, request: Request = ASKED) -> list[Any]:
    return asyncio.run(heard(model, request))


def notices(items: Sequence[Any]) -> list[Notice]:
    return [item for item in items if isinstance(item, Notice)]
