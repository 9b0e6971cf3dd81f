"""What a call has brought into its run, from the tool's word, the code's doings and the variables that it read."""

from typing import Any

from assent.core.taint import Source, Sources, merged, to_json
from assent.runs.act import act_of
from assent.runs.call_state import CallState
from assent.runs.carried import resolved
from assent.runs.run import Run
from assent.tools.declared import brought
from assent.tools.tool import Output, Tool

_WRITTEN = ("bound", "changed", "maybe", "files")


def taint_of(run: Run, tool: Tool[Any, Any], call: CallState, output: Output) -> list[dict[str, str]]:
    """For the body of CALL_FINISHED: the sources of what a call gave, and of what it wrote.

    What a call writes carries all that its run has read: the model that has read it wrote the code.
    """
    told = tuple([item for item in output.sources or () if isinstance(item, Source)])
    given = told if output.sources is not None else None
    said = brought(tool.name, tool.source, act_of(run, call).forms[0], output.text, given)
    noted, run.noted[:] = tuple(run.noted), []
    found = merged(*[resolved(source, run.carried) for source in (*said, *noted)])
    wrote = output.touched or {}
    whole = merged(run.state.taint, found) if any(wrote.get(how) for how in _WRITTEN) else found
    if wrote:
        run.carried.wrote(wrote, whole)
    return to_json(whole)


def answer_of(run: Run) -> Sources:
    """What the answer of a run carries to whoever gets it: what it has read, and that an agent said it."""
    return merged(run.state.taint, (Source("agent", run.state.agent.name),))
