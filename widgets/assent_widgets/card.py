"""The approval card as a widget. Import it late: anywidget takes 0.2 s."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from assent.core.approval import Pending
from assent_widgets.approval import pending_bundle, view

_HERE = Path(__file__).parent
Handler = Callable[[Mapping[str, Any]], object]


class ApprovalCard(anywidget.AnyWidget):
    """Shows a call that waits for a person and sends what the person says of it.

    `status` is "pending" while the buttons live; "approved", "happened", "rejected", "expired" or another word once
    they do not. `message` is a note shown in the card. A handler gets {"type": "decision", "call", "verdict", "reason",
    "arguments", "scope", "outcome", "by", "passphrase"}.
    """

    _esm = _HERE / "card.js"
    _css = _HERE / "card.css"
    view = traitlets.Dict().tag(sync=True)
    status = traitlets.Unicode("pending").tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)

    def __init__(self, pending: Pending, **traits: Any) -> None:
        super().__init__(view=view(pending), **traits)
        self.pending = pending
        self._handlers: list[Handler] = []
        self.on_msg(self._receive)

    def on_decision(self, handler: Handler) -> None:
        """Call `handler` with the content of every decision."""
        self._handlers.append(handler)

    def heard(self, pending: Pending, message: str) -> None:
        """Tell who has approved by now, of the same call with the same arguments, and wait for somebody else."""
        self.pending = pending
        self.view = {**self.view, "approvals": view(pending)["approvals"]}
        self.message, self.status = message, "pending"
        self.send({"type": "heard"})

    def refuse(self, message: str) -> None:
        """Say why a decision was not taken; the buttons come alive again."""
        self.message, self.status = message, "pending"
        self.send({"type": "refused"})  # the card set its own status as it sent, so the trait alone may not change

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if isinstance(content, dict) and content.get("type") == "decision":
            for handler in self._handlers:
                handler(content)

    def _repr_mimebundle_(self, **_options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_() or ({}, {})
        return {**data, **pending_bundle(self.pending, running=True)}, metadata
