"""A run shown while it runs, as a widget. Import it late: anywidget takes 0.2 s."""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from assent_widgets.transcript import Transcript

_HERE = Path(__file__).parent


class LiveRun(anywidget.AnyWidget):
    """Shows a transcript as it grows. The caller applies events to the transcript and calls `publish` now and then.

    Changes go out as custom messages, numbered: a view that missed one asks for everything. The state that a new
    view or a reloaded page receives holds all blocks. Traits change at the beginning and at the end only.
    """

    _esm = _HERE / "live.js"
    _css = _HERE / "live.css"
    run = traitlets.Unicode("").tag(sync=True)
    status = traitlets.Unicode("running").tag(sync=True)
    whole = traitlets.Dict().tag(sync=True)

    def __init__(self, transcript: Transcript, **traits: Any) -> None:
        self.transcript = transcript
        self._number = 0
        self._handlers: dict[str, list[Callable[[str], object]]] = {"pause": [], "stop": []}
        super().__init__(run=transcript.summary.run, status=transcript.status, **traits)
        self.on_msg(self._receive)

    def publish(self) -> None:
        """Send what changed since the last call."""
        if blocks := self.transcript.changed():
            self._number += 1
            self.send({"type": "blocks", **self._packet([asdict(block) for block in blocks])})
        self.run, self.status = self.transcript.summary.run, self.transcript.status

    def on_stop(self, handler: Callable[[str], object]) -> None:
        """Call `handler` with the run's id when a person asks to stop it."""
        self._handlers["stop"].append(handler)

    def on_pause(self, handler: Callable[[str], object]) -> None:
        """Call `handler` with the run's id when a person asks to pause it."""
        self._handlers["pause"].append(handler)

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """The synced state, with all blocks as they were last published."""
        state: dict[str, Any] = super().get_state(key, drop_defaults)
        return state | {"whole": self._whole()} if key is None else state

    def _whole(self) -> dict[str, Any]:
        return self._packet([asdict(block) for block in self.transcript.snapshot()])

    def _packet(self, blocks: list[dict[str, Any]]) -> dict[str, Any]:
        return {"blocks": blocks, "number": self._number, "seconds": self.transcript.summary.elapsed(time.time())}

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        match content:
            case {"type": "pause" | "stop" as wish}:
                for handler in self._handlers[wish]:
                    handler(self.run)
            case {"type": "refresh"}:
                self.send({"type": "whole", **self._whole()})

    def _repr_mimebundle_(self, **_options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_() or ({}, {})
        return {**data, **self.transcript.bundle()}, {**metadata, **self.transcript.metadata()}
