"""A run that remembers and recalls, by its tools or by its code: as memory is told of it."""

from assent.core.errors import ConfigError
from assent.core.ids import run_of
from assent.core.taint import Sources
from assent.memory.caller import Caller
from assent.runs.descent import performer
from assent.runs.outgoing import carried
from assent.runs.run import Run
from assent.tools.idempotency import call_at_work


def caller() -> Caller | None:
    """The run whose call this is; None where it is no call. `ConfigError` where that run cannot be asked any more."""
    call = call_at_work()
    if not call:
        return None
    run = performer(run_of(call))
    if run is None:
        raise ConfigError(
            f"This was started by the call {call}, which is over or in another process: its run could not be told what "
            "it reads. Use memory within the call, or in a cell of your own."
        )

    def read(sources: Sources) -> None:
        run.noted += sources

    return Caller(run.state.scope, run.state.taint, lambda text: _withheld(run, text), read)


def _withheld(run: Run, text: str) -> str:
    """Memory is recalled in other runs, by other models: what must not reach these is not kept in it."""
    if run.entrance is None:
        return ""
    if local := run.entrance.marks.local(carried(run.state.cargo), run.rules.layers):
        return f"this run has read what is for models on this machine only ({', '.join(local)})"
    if run.entrance.cells(text):
        return "values of masked columns stand in it"
    return ""
