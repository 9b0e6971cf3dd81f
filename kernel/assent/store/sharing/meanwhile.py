"""What was written while a process was away from its workspace: after one owner died, before it reached the next."""

from assent.core.errors import CutOff
from assent.core.events import CONTROL, Event, Kind
from assent.store.cut_off import Selects
from assent.store.rows import event_of
from assent.store.schema import IN_LIFECYCLE, SELECT

_MISSED = f"""
    {SELECT} WHERE seq > ? AND kind IN ({", ".join(f"'{kind}'" for kind in sorted(CONTROL))})
    AND NOT starts_with(batch, ?) ORDER BY seq"""
_CUT_OFF = f"""
    SELECT cut.run FROM events AS cut
    WHERE cut.seq > ? AND cut.kind = '{Kind.RUN_SUSPENDED}' AND NOT starts_with(cut.batch, ?) AND starts_with(
        (SELECT arg_max(batch, seq) FROM events AS before WHERE before.run = cut.run AND before.seq < cut.seq
            AND before.{IN_LIFECYCLE}), ?)"""


def missed(store: Selects, writer: str, since: int) -> list[Event]:
    """What others wrote after the event `since` that runs at work have to hear of, oldest first.

    `CutOff` where they have cut off a run of this `writer`, because it was away for too long: somebody else may
    have resumed it, so it must not go on here.
    """
    own = f"{writer}."
    if runs := [run for (run,) in store.select(_CUT_OFF, [since, own, own])]:
        raise CutOff(
            f"This process did not answer for some seconds while the workspace changed hands, so its run {runs[0]} was "
            f"suspended. It goes on by `%agent resume {runs[0]}`, here or in another notebook."
        )
    return [event_of(row) for row in store.select(_MISSED, [since, own])]
