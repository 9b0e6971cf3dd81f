"""Which runs may be forgotten: old ones that are over, and nobody needs any more."""

from typing import Any

import pytest

from assent.core.events import Event, Kind
from assent.core.retention import Retention
from assent.store.journal import Journal
from assent.store.retention import forgettable

DAY = 86400.0
NOW = 100 * DAY
RULES = Retention(10 * DAY)


def begun(run: str, day: float = 1, **more: Any) -> Event:
    fork = {"fork": {"run": more.pop("origin"), "at": 1, "seq": 2}} if "origin" in more else {}
    return Event(kind=Kind.RUN_STARTED, run=run, at=day * DAY, body={"prompt": "p"} | fork, **more)


def ended(run: str, kind: Kind = Kind.RUN_FINISHED, day: float = 1) -> Event:
    return Event(kind=kind, run=run, at=day * DAY, body={})


def found(journal: Journal, *events: Event, rules: Retention = RULES) -> set[str]:
    journal.append(events).result(5)
    return set(forgettable(journal.select, rules, NOW))


@pytest.mark.parametrize("kind", [Kind.RUN_FINISHED, Kind.RUN_CANCELLED, Kind.RUN_FAILED])
def test_a_run_that_ended_long_ago(journal: Journal, kind: Kind) -> None:
    assert found(journal, begun("r"), ended("r", kind)) == {"r"}


def test_a_run_that_ended_lately_is_kept(journal: Journal) -> None:
    assert found(journal, begun("r"), ended("r", day=91)) == set()
    assert found(journal, begun("s"), ended("s", day=89)) == {"s"}


@pytest.mark.parametrize("kind", [Kind.RUN_SUSPENDED, Kind.RUN_PAUSED, Kind.RUN_RESUMED])
def test_a_run_that_can_go_on_is_kept_however_old(journal: Journal, kind: Kind) -> None:
    assert found(journal, begun("r"), ended("r", kind), begun("s"), ended("s")) == {"s"}


def test_without_an_age_everything_is_kept(journal: Journal) -> None:
    assert found(journal, begun("r"), ended("r"), rules=Retention()) == set()


def test_what_is_named_is_kept(journal: Journal) -> None:
    events = [
        begun("abc1", agent="ada"),
        ended("abc1"),
        begun("xyz1", agent="eve"),
        ended("xyz1"),
        begun("q"),
        ended("q"),
    ]
    assert found(journal, *events, rules=Retention(DAY, ("abc", "eve"))) == {"q"}


def test_parents_and_children_are_kept_together(journal: Journal) -> None:
    family = [begun("p"), ended("p"), begun("c", parent="p"), ended("c"), begun("g", parent="c")]
    assert found(journal, *family) == set()
    assert found(journal, ended("g")) == {"p", "c", "g"}


def test_what_a_fork_goes_on_from_is_kept_as_long_as_the_fork(journal: Journal) -> None:
    line = [begun("a"), ended("a"), begun("b", origin="a"), ended("b"), begun("c", origin="b"), ended("c", day=95)]
    assert found(journal, *line) == set()


def test_a_fork_does_not_outlive_its_run_for_its_sake(journal: Journal) -> None:
    assert found(journal, begun("a"), ended("a", day=95), begun("b", origin="a"), ended("b")) == {"b"}
