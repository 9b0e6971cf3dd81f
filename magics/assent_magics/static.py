"""A run where nobody watches (nbclient, papermill, nbval): one static display at its end."""

from IPython.display import display

from assent.core.approval import Decided, Pending
from assent.core.events import Event, Progress
from assent_widgets.approval import pending_bundle
from assent_widgets.transcript import Transcript


class StaticView:
    """Collects a run and shows it once it has ended, with what waits for a person under it."""

    def __init__(self, notebook: str | None = None, *, recorded: bool = False) -> None:
        self.transcript = Transcript(notebook=notebook, recorded=recorded)
        self._asked: dict[str, Pending] = {}

    def take(self, item: Event | Progress) -> None:
        self.transcript.apply(item)

    async def ask(self, pending: Pending) -> None:
        self._asked[pending.call] = pending

    def settle(self, call: str, decided: Decided) -> None:
        self._asked.pop(call, None)

    def withdraw(self, call: str) -> None:
        self._asked.pop(call, None)

    def end(self) -> None:
        display(self.transcript.bundle(), raw=True, metadata=self.transcript.metadata())
        for pending in self._asked.values():
            display(pending_bundle(pending), raw=True)
