"""What came of a run, for whoever asked for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assent.core.approval import Pending
from assent.runs.run import ANSWER
from assent.runs.state import State, pending


@dataclass(frozen=True, slots=True)
class Result:
    """How a run stands once its stream has ended.

    `value` is what its last table-giving call gave, a DataFrame; `typed`, it is the answer itself, of the type that
    the run was given, and `text` the JSON that it was read from. `undone`: what a dry run would have done, in order, as
    pairs of a tool and its arguments.
    """

    run: str
    status: str
    text: str
    reason: str = ""
    value: Any = None
    pending: tuple[Pending, ...] = ()
    typed: bool = False
    undone: tuple[tuple[str, Mapping[str, Any]], ...] = ()

    @property
    def partial(self) -> bool:
        """Whether `text` and `value` are not the answer, but what there was of it when the run was stopped."""
        return self.status != "finished" and bool(self.text or self.value is not None)

    @property
    def outcome(self) -> Any:
        """What a caller wants first: the value, or the text where there is none."""
        return self.text if self.value is None and not self.typed else self.value


def result_of(state: State, values: Mapping[str, Any]) -> Result:
    """The result of a run that stands so; `values` is what its calls and its answer gave."""
    typed = state.status == "finished" and ANSWER in values
    told = (*state.last_calls, *state.batch)  # a batch that was cut off has come to some results
    tables = [values[call] for call in told if call in values and hasattr(values[call], "columns")]
    value = values[ANSWER] if typed else tables[-1] if tables and state.output is None else None
    text = state.answer or state.partial
    waiting, undone = tuple(pending(state)), tuple(state.undone)
    return Result(state.run, state.status, text, state.reason, value, waiting, typed, undone)
