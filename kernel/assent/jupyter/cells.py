"""The analyst's cells: which variables each of them read and wrote. Kept in memory until a workspace is open."""

import contextlib
import hashlib
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assent.core.errors import AssentError
from assent.core.events import Event, Kind
from assent.core.ids import KERNEL
from assent.core.secrets import HIDDEN, hide
from assent.core.taint import to_json
from assent.jupyter import frontend
from assent.jupyter.frontend import Provenance
from assent.tools import touched
from assent.tools.touched import Begun, Touched

if TYPE_CHECKING:
    from assent.app import Session

_KEPT = 2_000  # cells that wait for a workspace
_NESTED = 8  # cells that run at once, each within the one before
_LONGEST = 20_000  # characters of a cell's source that are kept
_AGENT = re.compile(r"_magic\('(?:_agent_awaited|agent)'")  # as `assent_magics` names its magics
_SECRET = re.compile(
    r"""((?:key|secret|token|password|passwd|credentials?)["']?\]?\s*[=:,]\s*)(["'])(?:(?!\2)\S){12,}\2""",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Running:
    info: Any
    code: str
    begun: Begun
    place: Provenance


class Cells:
    """Listens to the cells of an IPython shell; `attach` says which session's journal keeps what they did."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._running: list[_Running] = []  # more than one where a cell runs cells
        self._waiting: deque[Event] = deque(maxlen=_KEPT)
        self._session: Session | None = None

    def attach(self, session: "Session") -> None:
        """Hand over what was kept, and from now on each cell as it ends."""
        self._session = session
        self._hand_over()

    def detach(self) -> None:
        """The session is closed."""
        self._session = None

    def begin(self, info: Any) -> None:
        """A cell begins to run; IPython's event `pre_run_cell`."""
        if self._is_off():
            return
        if not self._running:
            touched.by_calls.clear()
            if self._session is not None:
                self._session.carried.cell_begins()
        code = getattr(info, "transformed_cell", None) or info.raw_cell
        del self._running[:-_NESTED]  # whose end nobody told
        self._running.append(
            _Running(info, code, touched.begin(code, self._shell.user_ns), _place(getattr(info, "cell_id", None)))
        )

    def end(self, result: Any) -> None:
        """A cell has run; IPython's event `post_run_cell`."""
        found = [item for item in self._running if item.info is result.info]
        if not found:
            return
        cell = found[0]
        del self._running[self._running.index(cell) :]  # an inner cell whose end nobody told
        error = result.error_in_exec
        if result.error_before_exec is not None:
            return
        did = touched.end(cell.begun, self._shell.user_ns, failed=error is not None, apart=touched.by_calls)
        if _AGENT.search(cell.code) and not (did.bound or did.changed or did.deleted):
            return  # the run, or the command, speaks for itself
        body = _source(cell.info.raw_cell) | {"count": result.execution_count}
        if error is not None:
            body["error"] = type(error).__name__
        self._keep(cell.place, did, body)

    def answered(self, name: str, run: str, *, there: bool) -> None:
        """A run's answer was bound to a name; `there` says whether it had a value before."""
        if self._is_off():
            return
        touched.by_calls.add(name)
        did = Touched(changed=(name,)) if there else Touched(bound=(name,))
        self._keep(_place(None), did, {"run": run})

    def _is_off(self) -> bool:
        return self._session is not None and not self._session.config.lineage

    def _keep(self, place: Provenance, did: Touched, body: Mapping[str, Any]) -> None:
        account = did.to_json() | {"kernel": KERNEL}
        body = {**body, "touched": account}
        event = Event(kind=Kind.CELL_RAN, notebook=place.notebook, cell=place.cell, body=body)
        self._waiting.append(event)
        self._hand_over()

    def _hand_over(self) -> None:
        session = self._session
        if session is None or not self._waiting:
            return
        events = list(self._waiting)
        self._waiting.clear()
        if session.config.lineage:
            with contextlib.suppress(AssentError):  # a journal that cannot be written must not fail the analyst's cell
                for event in events:
                    if taint := session.carried.cell(event.body):
                        event.body["taint"] = to_json(taint)
                session.journal.post(events)
                for event in events:
                    session.cell(event.body)


def _place(cell: str | None) -> Provenance:
    place = frontend.provenance()
    return place if place.cell else Provenance(place.notebook, cell)


def _source(text: str) -> dict[str, str]:
    """A cell's source without keys, as far as it is kept; the digest is of all of it."""
    hidden = _SECRET.sub(lambda match: f"{match[1]}{match[2]}{HIDDEN}{match[2]}", hide(text))
    digest = hashlib.sha256(hidden.encode("utf-8", "replace")).hexdigest()[:16]
    return {"source": hidden if len(hidden) <= _LONGEST else hidden[:_LONGEST] + "…", "digest": digest}
