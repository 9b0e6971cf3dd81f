"""How a run ended without an answer, in words: why, and how to go on with it."""

from assent.core.events import Event, Kind
from assent_widgets.render import Words


def why(event: Event) -> str:
    """The reason, or the error."""
    return str(event.body.get("reason") or event.body.get("error") or "")


def way_on(event: Event) -> str:
    """How to go on; "" where a budget stopped the run and says it itself: as it is, it would only stop again."""
    if event.kind is Kind.RUN_SUSPENDED and "budget" in event.body and "%agent resume " in why(event):
        return ""
    return f"%agent resume {event.run} goes on with it."


def ending(event: Event) -> Words:
    """Why a run ended, and what to do."""
    reason, go_on = why(event), way_on(event)
    if event.body.get("partial"):
        go_on = f"The answer above is partial. {go_on}"
    match event.kind:
        case Kind.RUN_SUSPENDED if "budget" in event.body:
            return Words(f"{reason}\n{go_on}".rstrip(), "note", "Suspended:")
        case Kind.RUN_SUSPENDED:
            return Words(f"{reason}\n%agent pending shows what waits; {go_on}", "note", "Suspended:")
        case Kind.RUN_PAUSED:
            return Words(f"{reason}\n{go_on}", "note", "Paused:")
        case Kind.RUN_CANCELLED:
            return Words(f"{reason}\n{go_on}", "note", "Cancelled:")
        case _:
            return Words(f"{reason}\n{go_on}", "error", "The run failed.")
