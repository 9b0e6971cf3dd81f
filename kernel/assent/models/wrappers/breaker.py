"""Leaving a model alone for a while that fails again and again."""

import math
import threading
import time
from collections.abc import Callable

from assent.core.errors import ModelError, OverLimit
from assent.core.events import Kind
from assent.core.model import Answer, Model, Notice, Request
from assent.core.model_settings import ModelSettings
from assent.models.wrappers.reason import happened
from assent.models.wrappers.wrapped import Stream, Wrapped, asked


class Circuit:
    """Counts failures in a row of one model, or of one model asked by one agent. Any thread may use it.

    After `settings.breaker` of them it is open and lets nobody through for `cool_down` seconds; then one request, the
    trial, which closes it by succeeding. A request that was under way when it opened changes nothing.
    """

    def __init__(self, model: str, agent: str, settings: ModelSettings, clock: Callable[[], float]) -> None:
        self._model = model
        self._agent = agent
        self._most = settings.breaker
        self._cool_down = settings.cool_down
        self._clock = clock
        self._lock = threading.RLock()  # the collector may close a lost stream, which leaves, within any method
        self._failures = 0
        self._opened: float | None = None
        self._trial: object | None = None
        self._last = ""

    def enter(self) -> object | None:
        """Let a request through, with a token if it is the trial; `ModelError` if the circuit is open."""
        if self._opened is None:
            return None
        with self._lock:
            if self._opened is None:
                return None
            left = self._opened + self._cool_down - self._clock()
            if left > 0 or self._trial is not None:
                raise self._refusal(left)
            self._trial = object()
            return self._trial

    def failed(self, token: object | None, error: ModelError) -> Notice | None:
        """Count a failure; a notice if it opens the circuit, or leaves it open after a trial."""
        with self._lock:
            self._last = happened(error)
            if self._opened is not None and (token is None or token is not self._trial):
                return None
            self._failures += 1
            if self._opened is None and self._failures < self._most:
                return None
            self._opened, self._trial = self._clock(), None
            return self._notice(Kind.CIRCUIT_OPENED, f"{self._failed()}: {self._last}.", self._cool_down)

    def succeeded(self, token: object | None) -> Notice | None:
        """Forget the failures; a notice if that closes the circuit."""
        if not self._failures:
            return None
        with self._lock:
            if self._opened is None:
                self._failures = 0
                return None
            if token is None or token is not self._trial:
                return None
            self._failures, self._opened, self._trial = 0, None, None
            return self._notice(Kind.CIRCUIT_CLOSED, "A trial request succeeded.", None)

    def leave(self, token: object | None) -> None:
        """Free the trial of a request that ended neither way."""
        if token is not None:
            with self._lock:
                if self._trial is token:
                    self._trial = None

    def _notice(self, kind: Kind, reason: str, seconds: float | None) -> Notice:
        return Notice(kind, self._model, reason, seconds, details={"by": self._agent} if self._agent else {})

    def _failed(self) -> str:
        whom = f" when the agent {self._agent} asked" if self._agent else ""
        times = f"{self._failures} times in a row" if self._failures > 1 else "once"
        return f"{self._model} failed {times}{whom}"

    def _refusal(self, left: float) -> ModelError:
        until = f"for another {math.ceil(left)} s" if left > 0 else "until a trial request has succeeded"
        why = f"{self._failed()} and is left alone {until} (last: {self._last})"
        return ModelError(f"{why}: run again later, or choose another model.")


def breaker(model: Model, settings: ModelSettings, *, clock: Callable[[], float] = time.monotonic) -> Wrapped:
    """`model` behind one circuit for all who ask and one for each agent; all runs must share what this gives back.

    The circuit for all counts failures that may pass, which are the server's; an agent's counts every one, so that an
    agent whose requests are refused is stopped and others are not. A request that was cancelled, or that a limit of
    ours kept back, counts neither way. Where both open or close at once, the notice is of the one for all.
    """
    common = Circuit(model.name, "", settings, clock)
    of_agents: dict[str, Circuit] = {}

    def circuits_of(agent: str) -> tuple[Circuit, ...]:
        if not agent:
            return (common,)
        own = of_agents.get(agent) or of_agents.setdefault(agent, Circuit(model.name, agent, settings, clock))
        return (common, own)

    async def stream(request: Request) -> Stream:
        entered = _entered(circuits_of(request.agent))
        try:
            async with asked(model, request) as items:
                async for item in items:
                    if type(item) is Answer:
                        told = [notice for circuit, token in entered if (notice := circuit.succeeded(token))]
                        for notice in told[:1]:
                            yield notice
                    yield item
        except OverLimit:
            raise
        except ModelError as error:
            counting = entered if error.retryable else entered[1:]
            told = [notice for circuit, token in counting if (notice := circuit.failed(token, error))]
            for notice in told[:1]:
                yield notice
            raise
        finally:
            for circuit, token in entered:
                circuit.leave(token)

    return Wrapped(model.name, stream, (model,))


def _entered(circuits: tuple[Circuit, ...]) -> list[tuple[Circuit, object | None]]:
    """The circuits with the tokens they gave; where one refuses, no other is kept waiting for a trial."""
    entered: list[tuple[Circuit, object | None]] = []
    try:
        for circuit in circuits:
            entered.append((circuit, circuit.enter()))
    except ModelError:
        for circuit, token in entered:
            circuit.leave(token)
        raise
    return entered
