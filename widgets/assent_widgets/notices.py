"""What befell a request to a model on its way, in words: retried, waited for, cached, fallen back, left alone."""

from collections.abc import Mapping

from assent.core.events import Event, Kind
from assent_widgets.render import Words

_TITLES: Mapping[Kind, str] = {
    Kind.MODEL_RETRIED: "Asked again{seconds}:",
    Kind.MODEL_WAITED: "Waited{seconds}:",
    Kind.MODEL_CACHED: "From the cache:",
    Kind.MODEL_REPLAYED: "From the recording:",
    Kind.MODEL_FELL_BACK: "Asked {to} instead:",
    Kind.CIRCUIT_OPENED: "{model} is left alone{seconds}:",
    Kind.CIRCUIT_CLOSED: "{model} is asked again:",
    Kind.ANSWER_REFUSED: "The answer did not fit:",
}
NOTICES = frozenset(_TITLES)
_AHEAD = frozenset({Kind.MODEL_RETRIED, Kind.CIRCUIT_OPENED})  # their seconds are still to come
_VOID = " What was shown of its answer does not count."


def notice(event: Event) -> Words:
    """A line about one of `NOTICES`."""
    title = _TITLES[event.kind].format(
        seconds=_seconds(event), to=event.body.get("to", "another model"), model=event.model or "The model"
    )
    reason = str(event.body.get("reason") or _problems(str(event.body.get("text") or "")))
    return Words(reason + (_VOID if event.body.get("restart") else ""), "quiet", title)


def notice_line(event: Event) -> str:
    """The same as one line of plain text."""
    words = notice(event)
    return f"{words.title} {words.text}".strip()


def _problems(told: str) -> str:
    """What was wrong with an answer; the model was told more."""
    found = [line.removeprefix("- ") for line in told.splitlines() if line.startswith("- ")]
    return "; ".join(found) or told


def _seconds(event: Event) -> str:
    if event.duration is None:
        return ""
    if event.kind is Kind.MODEL_RETRIED and event.duration < 0.1:
        return " at once"
    way = ""
    if event.kind in _AHEAD:
        way = " in" if event.kind is Kind.MODEL_RETRIED else " for"
    return f"{way} {event.duration:.2g} s" if event.duration < 10 else f"{way} {event.duration:.0f} s"
