"""Whether a final answer is one: where a run's answer has a type, it must fit, and is asked for once more if not."""

from assent.core.errors import AssentError
from assent.core.events import Event, Kind
from assent.runs.output import read
from assent.runs.run import ANSWER, Run

REPAIRS = 1  # times that a model is asked again before the run fails
_CUT = {
    "length": "was cut off at its token limit: raise the agent's max_tokens, or ask for less",
    "filter": "was cut off by the model's vendor: ask in other words",
}


def accept(run: Run) -> str | None:
    """The answer's text, its value kept beside it; None where it was refused and the model is to be asked again.

    `AssentError` once asking again is of no use. The refusal is recorded then, too, so that a resumed run goes on.
    """
    state, output = run.state, run.output
    text = state.messages[-1].text.strip()
    if output is None:
        return text
    try:
        text, run.values[ANSWER] = read(output, text)
    except ValueError as error:
        _refuse(run, str(error), output.text)
        return None
    return text


def again(run: Run) -> Event:
    """What the model is told of an answer that a budget has cut off; it is asked for anew where there is enough."""
    text = (
        f"The answer was cut off at {run.state.cut:,} tokens. Give the whole answer again, in fewer words if you can."
    )
    return run.event(Kind.ANSWER_REFUSED, step=run.state.step, model=run.model.name, body={"text": text})


def _refuse(run: Run, problems: str, kind: str) -> None:
    state = run.state
    cut = _CUT.get(state.stop)
    asked_enough = state.refused >= REPAIRS
    told = f"The answer {cut.partition(':')[0]}. Answer again, in fewer words." if cut else _told(problems, kind)
    run.record(run.event(Kind.ANSWER_REFUSED, step=state.step, model=run.model.name, body={"text": told}))
    if cut:
        raise AssentError(f"The answer, which must be of the type {kind}, {cut}. Then resume the run.")
    if asked_enough:
        found = problems.removeprefix("- ").replace("\n- ", "; ")
        raise AssentError(
            f"The answer does not fit the type {kind}, also when asked for again: {found}. "
            "Resume the run to ask once more, or use a larger model or a simpler type."
        )


def _told(problems: str, kind: str) -> str:
    return (
        f"The answer does not fit the type {kind}:\n{problems}\nGive the whole answer again, corrected, as JSON alone."
    )
