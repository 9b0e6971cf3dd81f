"""Who may give a waiver to whom, who hears of it, and that it ends by itself."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.calls import call
from tests.support.peer import Peer
from tests.support.sessions import opened, ran
from tests.support.waiting import eventually
from tests.support.workspaces import prepare

from assent.core.clock import AHEAD, CLOCK
from assent.core.errors import ConfigError, NotFound, StoreError
from assent.core.events import Event, Kind, Scope
from assent.core.waiver import EVERYBODY
from assent.runs.waivers import Waivers
from assent.store.access import EVERYONE, Access
from assent.store.journal import Journal
from assent.store.window import Window
from assent.tools.idempotency import keyed
from assent.tools.tool import tool

GIVEN = {"tool": "mail", "reason": "month end", "until": "2h", "by": "ana"}
ANA, BOB = Scope(user="ana", agent="analyst"), Scope(user="bob", agent="analyst")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(prepare(tmp_path / "w"))
    yield journal
    journal.close()


def of(house: Journal, user: str, access: Access | None = None) -> Waivers:
    return Waivers(Window(house, access or Access("default", user), "default", user))


def test_it_holds_for_ones_own_runs(house: Journal) -> None:
    waiver = of(house, "ana").give(**GIVEN)
    assert of(house, "ana").of(ANA, ()) == (waiver,)
    assert of(house, "bob").of(BOB, ()) == ()
    assert of(house, "bob").live() == []
    assert of(house, "ana").of(replace(ANA, tenant="other"), ()) == ()


def test_a_tools_call_gives_none(house: Journal) -> None:
    with keyed("r.1"), pytest.raises(ConfigError, match="a person's to give"):
        of(house, "ana").give(**GIVEN)
    assert of(house, "ana").live() == []


def test_of_one_agent_it_holds_for_that_one(house: Journal) -> None:
    waiver = of(house, "ana").give(**GIVEN, agent="analyst")
    assert of(house, "ana").of(ANA, ()) == (waiver,)
    assert of(house, "ana").of(replace(ANA, agent="clerk"), ()) == ()


@pytest.mark.parametrize("whom", ["bob", EVERYBODY])
def test_to_others_an_administrator_gives_it(house: Journal, whom: str) -> None:
    with pytest.raises(ConfigError, match="ASSENT_ADMIN"):
        of(house, "ana").give(**GIVEN, user=whom)
    waiver = of(house, "ana", EVERYONE).give(**GIVEN, user=whom)
    assert of(house, "bob").of(BOB, ()) == (waiver,)
    assert of(house, "bob").live() == [waiver]
    assert bool(of(house, "ana").of(ANA, ())) == (whom == EVERYBODY)
    with pytest.raises(ConfigError if whom == EVERYBODY else NotFound):
        of(house, "ana").end(waiver.id, "ana")


def test_nobody_writes_one_in_anothers_name_past_the_window(house: Journal) -> None:
    window = Window(house, Access("default", "ana"), "default", "ana")
    forged = Event(kind=Kind.WAIVER_GRANTED, user="bob", body=of(house, "ana").give(**GIVEN).to_json())
    with pytest.raises(StoreError):
        window.append([forged])


def test_it_ends_by_itself_or_before(house: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    waivers = of(house, "ana")
    first, second = waivers.give(**GIVEN), waivers.give(**{**GIVEN, "until": "3h"})
    assert waivers.end(first.id, "ana") == first
    with pytest.raises(NotFound):
        waivers.end(first.id, "ana")
    assert waivers.live() == [second]
    [row] = house.frame("SELECT * FROM waivers WHERE ended IS NOT NULL", {}).to_dict("records")
    assert (row["waiver"], row["by"], row["reason"], row["ended_by"]) == (first.id, "ana", "month end", "ana")
    later = CLOCK.now() + 3 * 3600 + 1
    monkeypatch.setattr(CLOCK, "now", lambda: later)
    assert waivers.live() == []
    assert waivers.of(ANA, ()) == ()


def test_one_given_by_a_clock_far_ahead_does_not_hold(house: Journal) -> None:
    waiver = of(house, "ana").give(**{**GIVEN, "until": "2100-01-01"})
    ahead = Event(
        kind=Kind.WAIVER_GRANTED, user="ana", at=CLOCK.now() + 10 * AHEAD, body={**waiver.to_json(), "id": "w"}
    )
    house.append([ahead]).result(5)
    assert of(house, "ana").live() == [waiver]


def test_a_later_process_knows_it(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "w")
    first = Journal(prepare(folder))
    waiver = of(first, "ana").give(**GIVEN)
    first.close()
    second = Journal(folder)
    try:
        assert of(second, "ana").live() == [waiver]
    finally:
        second.close()


@pytest.mark.slow
@pytest.mark.timeout(60)  # two processes begin: the other one, and the owner that both then share
def test_another_process_hears_of_it(house: Journal) -> None:
    waivers = of(house, "ana")
    assert waivers.live() == []
    begin = """
from pathlib import Path
from assent.runs.waivers import Waivers
from assent.store.access import Access
from assent.store.journal import Journal
from assent.store.window import Window
journal = Journal(Path(folder))
waivers = Waivers(Window(journal, Access("default", "ana"), "default", "ana"))
"""
    with Peer(house.folder, begin) as peer:
        given = peer.do("waivers.give(tool='mail', reason='month end', until='2h', by='ana').id")
        eventually(lambda: [item.id for item in waivers.live()] == [given])
        peer.do(f"waivers.end({given!r}, 'ana') and None")
        eventually(lambda: not waivers.live())
        peer.do("journal.close()")


@tool(privilege="read_only")
def mail() -> str:
    return "sent"


def test_a_run_is_loosened_and_says_by_what(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text('[[rule]]\ntool = "mail"\nmode = "ask"\n')
    with opened(tmp_path, [call("mail")], "done", tools=(mail,)) as session:
        assert ran(session, mail).status == "suspended"
        waiver = session.waivers.give(**GIVEN)
        run = ran(session, mail)
        assert run.status == "finished"
        [decided] = [event for event in session.events(run.run) if event.kind is Kind.CALL_DECIDED]
        assert list(waiver.note) in [list(note) for note in decided.body["notes"]]


def test_one_that_is_over_by_the_time_of_the_call_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text('[[rule]]\ntool = "mail"\nmode = "disabled"\n')
    with opened(tmp_path, lambda _: waivers.end(waiver.id, "ana") and [call("mail")], "done", tools=(mail,)) as session:
        waivers = session.waivers
        waiver = waivers.give(**GIVEN)
        run = ran(session, mail).run
        [decided] = [event for event in session.events(run) if event.kind is Kind.CALL_DECIDED]
        assert decided.decision == "deny"
