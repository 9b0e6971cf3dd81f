"""Asking other models where one fails."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from assent.core.errors import AssentError, ModelError
from assent.core.events import Kind
from assent.core.model import Answer, Model, Notice, Request
from assent.models.wrappers.reason import happened
from assent.models.wrappers.wrapped import Stream, Wrapped, asked

Failed = tuple[str, str]  # a model's name, and why it gave no answer


def fallback(model: Model, others: Sequence[str], find: Callable[[str], Model]) -> Wrapped:
    """`model`; on any `ModelError` the `others` in order, each found when it is needed, until one answers.

    One that cannot be found (no key, say) is passed over, and the next notice or error says why. The answer tells in
    `by` who gave it. The models that `find` gives are closed by whoever holds them.
    """

    async def stream(request: Request) -> Stream:
        failed: list[Failed] = []
        left, told, shown, at = list(others), 0, False, model
        while True:
            try:
                async with asked(at, request) as items:
                    async for item in items:
                        if type(item) is Notice:
                            shown = shown and not item.restart
                        elif type(item) is Answer and at is not model:
                            item = replace(item, by=item.by or at.name)
                        else:
                            shown = True
                        yield item
                return
            except ModelError as error:
                failed.append((at.name, happened(error)))
                status = error.status
            # In a thread, since a keyring or a server may have to be asked for what is found for the first time.
            if (found := await asyncio.to_thread(_next, left, find, failed)) is None:
                raise _nobody(failed, status)
            yield Notice(Kind.MODEL_FELL_BACK, at.name, _reason(failed[told:]), None, shown, {"to": found.name})
            told, shown, at = len(failed), False, found

    return Wrapped(model.name, stream, (model,))


def _next(left: list[str], find: Callable[[str], Model], failed: list[Failed]) -> Model | None:
    """The first model of those `left` which is there to be asked; those that are not join `failed`."""
    while left:
        name = left.pop(0)
        try:
            return find(name)
        except AssentError as error:
            failed.append((name, str(error).rstrip(".")))
    return None


def _reason(failed: Sequence[Failed]) -> str:
    (_, why), *missing = failed
    return "; ".join([why, *(f"{name} cannot stand in ({because})" for name, because in missing)]) + "."


def _nobody(failed: Sequence[Failed], status: int | None) -> ModelError:
    tried = "; ".join([f"{name} ({why})" for name, why in failed])
    return ModelError(f"No model answered, {tried}: run again later, or choose another model.", status=status)
