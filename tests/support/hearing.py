"""All that a model says to a request."""

import asyncio
from typing import Any


def heard(model: Any, request: Any) -> list[Any]:
    """The items of a stream, on an event loop of its own; the model's connections are closed afterwards."""

    async def hear() -> list[Any]:
        try:
            return [item async for item in model.stream(request)]
        finally:
            await model.aclose()

    return asyncio.run(hear())
