"""The cards that stand open in this kernel: what is decided of a call, wherever it is, settles all of its cards."""

import contextvars
import functools
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from IPython.display import display

from assent.core.approval import Decided, Pending
from assent.core.commands import Decide
from assent.core.errors import AssentError
from assent.core.grant import act_digest
from assent.jupyter.gate import GATE
from assent_widgets.approval import decided_bundle, expired_bundle, unseen

Decider = Callable[[Decide], object]


class Card:
    """One approval card in a notebook, alive until it is settled or expires. Any thread may call it."""

    def __init__(self, pending: Pending, decide: Decider, *, beside_transcript: bool) -> None:
        self._decide = decide
        self._beside_transcript = beside_transcript
        self._context = contextvars.copy_context()  # says which cell the card stands in
        self._open(pending)
        self._handle = display(self._widget, display_id=True)

    def _open(self, pending: Pending) -> None:
        from assent_widgets.card import ApprovalCard  # anywidget takes 0.2 s to import

        self.pending = pending
        self._shown = act_digest(pending.tool, pending.arguments)
        self._widget = ApprovalCard(pending)
        self._comm = self._widget.comm.comm_id
        clicked = functools.partial(self._clicked, self._shown)  # a click on an older form means what that one shows
        self._widget.on_decision(clicked)
        GATE.open(self._comm, clicked)

    def ask_again(self, message: str) -> None:
        """Bring the buttons back to life, with a note."""
        self._in_cell(self._widget.refuse, message)

    def ask_anew(self, pending: Pending, message: str) -> None:
        """Ask about the call as it is now: a card must never show other arguments than it approves."""
        if act_digest(pending.tool, pending.arguments) != self._shown:
            self._reopen(pending)
            self.ask_again(message)
        else:
            self.pending = pending
            self._in_cell(self._widget.heard, pending, message)

    def renew(self, pending: Pending) -> None:
        """Show the question as it is put now, where it is put in other words: for another reason, with other notes."""
        if replace(pending, approved_by=()) != replace(self.pending, approved_by=()):
            self._reopen(pending)

    def close(self, status: str, bundle: Mapping[str, Any] | None = None) -> None:
        """Take the buttons away, and leave the static form in their place if there is one."""
        GATE.close(self._comm)
        self._in_cell(setattr, self._widget, "status", status)
        if bundle is not None:
            shown = unseen(bundle) if self._beside_transcript else bundle
            self._in_cell(self._handle.update, shown, raw=True)

    def _reopen(self, pending: Pending) -> None:
        GATE.close(self._comm)
        self._in_cell(self._open, pending)
        self._in_cell(self._handle.update, self._widget)

    def _clicked(self, seen: str, content: Mapping[str, Any]) -> None:
        try:
            self._decide(command_of(content, self.pending.call, seen))
        except AssentError as error:
            self.ask_again(str(error))

    def _in_cell(self, act: Callable[..., object], *arguments: Any, **options: Any) -> None:
        self._context.copy().run(act, *arguments, **options)


class Board:
    """The open cards by call. Any thread may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cards: dict[str, list[Card]] = {}

    def show(self, pending: Pending, decide: Decider, *, beside_transcript: bool = False) -> None:
        """Display one more card for a call. A transcript beside it also tells what was decided."""
        card = Card(pending, decide, beside_transcript=beside_transcript)
        with self._lock:
            self._cards.setdefault(pending.call, []).append(card)

    def settle(self, call: str, decided: Decided) -> None:
        """Give all cards of a call their final form; the first who says so wins."""
        status = {"approve": "approved", "reject": "rejected"}.get(decided.verdict, decided.verdict)
        for card in self._taken(call):
            card.close(status, decided_bundle(card.pending, decided))

    def shows(self, call: str) -> bool:
        """Whether a card of the call stands open."""
        with self._lock:
            return call in self._cards

    def ask_anew(self, pending: Pending, message: str) -> None:
        """A voice was heard and another one is needed."""
        for card in self._open(pending.call):
            card.ask_anew(pending, message)

    def renew(self, pending: Pending) -> None:
        """The call was judged again, and asks still."""
        for card in self._open(pending.call):
            card.renew(pending)

    def withdraw(self, call: str) -> None:
        """The call was judged again, and asks no more."""
        for card in self._taken(call):
            card.close("expired", expired_bundle(card.pending))

    def keep(self, run: str, waiting: Collection[str]) -> None:
        """Expire the cards of a run whose calls wait no more."""
        with self._lock:
            gone = [call for call, cards in self._cards.items() if cards[0].pending.run == run and call not in waiting]
        for call in gone:
            self.withdraw(call)

    def close(self) -> None:
        """Nobody listens any more."""
        with self._lock:
            cards = [card for cards in self._cards.values() for card in cards]
            self._cards.clear()
        for card in cards:
            card.close("lost")

    def _open(self, call: str) -> list[Card]:
        with self._lock:
            return list(self._cards.get(call, ()))

    def _taken(self, call: str) -> list[Card]:
        with self._lock:
            return self._cards.pop(call, [])


def command_of(content: Mapping[str, Any], call: str, seen: str) -> Decide:
    """The command in a card's message: about the call that the card shows, whichever the message names."""
    scope: Any = content.get("scope")
    proof = str(content.get("passphrase") or "")
    return Decide(
        call=call,
        verdict="approve" if content.get("verdict") == "approve" else "reject",
        reason=str(content.get("reason") or ""),
        arguments=content.get("arguments"),
        scope=scope if scope in ("run", "session") else "once",
        outcome=content.get("outcome"),
        seen=seen,
        by=str(content.get("by") or "") if proof else "",  # a name alone is not for a click to say
        passphrase=proof,
    )
