"""What is allowed for a run or a session: how far it reaches, and that it ends when it is revoked, whoever does it."""

import asyncio
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.support.calls import call
from tests.support.deeds import done, mail
from tests.support.peer import Peer
from tests.support.sessions import approve, opened, ran, resumed

from assent.app import Session
from assent.core.clock import CLOCK
from assent.core.commands import ForkRun
from assent.core.config import Config
from assent.core.errors import NotFound
from assent.core.events import Event, Kind
from assent.core.grant import act_digest
from assent.runs.lasting import LASTS, Lasting, Register, from_event, revocation
from assent.runs.result import Result
from assent.store.access import Access
from assent.tools.tool import Tool, tool


def allowed(session: Session, scope: str = "session", *tools: Tool[Any, Any], **options: Any) -> Result:
    """A run whose one mail was approved for longer."""
    run = ran(session, *(tools or (mail,)), **options).run
    approve(session, f"{run}.1", scope=scope)
    result = resumed(session, run)
    assert result.status == "finished"
    return result


def given(session: Session) -> Event:
    return session.journal.events(kind=Kind.GRANT_GIVEN)[-1]


def statuses(session: Session) -> list[str]:
    return [status for (status,) in session.journal.select("SELECT status FROM grants")]


ONE, TWO = call("mail", to="ada"), call("mail", to="ben")


def test_a_grant_for_the_session_covers_later_runs_of_it(tmp_path: Path) -> None:
    with opened(tmp_path, ONE, "done") as session:
        first = allowed(session)
        assert ran(session, mail).status == "finished"
        assert done == ["ada", "ada"]
        decided = session.journal.events(kind=Kind.CALL_DECIDED)[-1]
        assert (decided.body["reason"], decided.body["grant"]) == ("allowed for this session", f"{first.run}.1")
        assert decided.body["given_by"] == given(session).body["by"] != ""
        rows = session.journal.select('SELECT "grant" FROM tool_calls')
        assert rows == [("",), (f"{first.run}.1",)]
        assert asyncio.run(session.drain(ForkRun(first.run, 0))).status == "finished"
        assert statuses(session) == ["holds"]


def test_it_ends_with_the_session(tmp_path: Path) -> None:
    with opened(tmp_path, ONE, "done") as session:
        allowed(session)
    with opened(tmp_path, ONE, "done", tools=(mail,)) as session:
        assert ran(session, mail).status == "suspended"
        assert statuses(session) == ["over"]


def test_another_session_beside_it_is_none_of_its(tmp_path: Path) -> None:
    with opened(tmp_path, ONE, "done") as session, opened(tmp_path, ONE, "done") as other:
        allowed(session)
        assert ran(other, mail).status == "suspended"


def test_it_is_no_other_users_and_no_other_tenants(tmp_path: Path) -> None:
    whose = [Access("default", "ana"), Access("default", "ben"), Access("north", "ana")]
    with ExitStack() as stack:
        ana, ben, north = [stack.enter_context(opened(tmp_path, ONE, "done", access=item)) for item in whose]
        mine = allowed(ana)
        for other in (ben, north):
            assert ran(other, mail).status == "suspended"
            assert other.journal.select("SELECT count(*) FROM grants") == [(0,)]
            with pytest.raises(NotFound, match="Nothing is allowed under"):
                other.revoke(f"{mine.run}.1")


@pytest.mark.parametrize("change", ["agent's policy", "tool", "rules"])
def test_it_holds_for_the_same_tool_under_the_same_rules_alone(tmp_path: Path, change: str) -> None:
    @tool(name="mail", privilege="execute_risky")
    def other(to: str) -> str:
        done.append(f"the other one, to {to}")
        return "sent"

    with opened(tmp_path, ONE, "done") as session:
        allowed(session)
        if change == "rules":
            session.config = Config(policy={"mail": "ask"})
        options: dict[str, Any] = {"policy": {"mail": "ask"}} if change == "agent's policy" else {}
        assert ran(session, other if change == "tool" else mail, **options).status == "suspended"
        assert done == ["ada"]


def test_a_grant_for_the_run_is_no_later_runs(tmp_path: Path) -> None:
    with opened(tmp_path, ONE, "done") as session:
        allowed(session, "run")
        assert ran(session, mail).status == "suspended"
        assert statuses(session) == ["over"]


def test_a_run_goes_on_with_what_was_allowed_for_it_in_another_process(tmp_path: Path) -> None:
    with opened(tmp_path, ONE, TWO, "done") as session:
        run = ran(session, mail).run
        approve(session, f"{run}.1", scope="run")
    with opened(tmp_path, ONE, TWO, "done", tools=(mail,)) as session:
        assert resumed(session, run).status == "finished"
        assert done == ["ada", "ben"]


def test_revoked_it_is_asked_about_again_also_by_a_run_at_work(tmp_path: Path) -> None:
    @tool(privilege="execute_safe")
    def revoke() -> str:
        session.revoke(given(session).body["id"])
        return "revoked"

    with opened(tmp_path, ONE, TWO, call("revoke"), ONE, "done") as session:
        run = ran(session, mail, revoke).run
        approve(session, f"{run}.1", scope="session")
        assert resumed(session, run).status == "suspended"
        assert done == ["ada", "ben"]
        assert statuses(session) == ["revoked"]
        with pytest.raises(NotFound, match="grants lists what is"):
            session.revoke(f"{run}.1")


def test_revoked_between_the_decision_and_the_act_it_does_not_run(tmp_path: Path) -> None:
    @tool(privilege="execute_safe")
    def revoke() -> str:
        session.revoke(given(session).body["id"])
        return "revoked"

    with opened(tmp_path, ONE, [call("revoke"), TWO], "done") as session:
        run = ran(session, mail, revoke, parallel=1).run
        approve(session, f"{run}.1", scope="run")
        result = resumed(session, run)
        assert (result.status, done) == ("suspended", ["ada"])
        approve(session, result.pending[0].call)
        assert resumed(session, run).status == "finished"
        assert done == ["ada", "ben"]


def test_a_revocation_holds_though_the_news_of_it_have_not_come_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path, ONE, "done") as session:
        allowed(session)
        monkeypatch.setattr(Register, "hear", lambda self, events: None)
        session.revoke(given(session).body["id"])
        assert ran(session, mail).status == "suspended"
        assert done == ["ada"]


def test_also_where_a_rule_alone_asks_for_a_tool_that_would_run_on_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @tool(privilege="execute_safe")
    def save(name: str) -> None:
        done.append(name)

    with opened(tmp_path, call("save", name="a"), "done", tools=(save,)) as session:
        session.policy({"rule": [{"tool": "save", "mode": "ask"}]})
        allowed(session, "session", save)
        ran(session, save)
        decided = session.journal.events(kind=Kind.CALL_DECIDED)[-1]
        assert decided.body["grant"] == given(session).body["id"]  # who looks for why it ran finds it
        monkeypatch.setattr(Register, "hear", lambda self, events: None)
        session.revoke(given(session).body["id"])
        assert ran(session, save).status == "suspended"
        assert done == ["a", "a"]


def test_one_for_a_run_has_an_end_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path, ONE, [call("mail", to="ben")], "done") as session:
        run = ran(session, mail).run
        approve(session, f"{run}.1", scope="run")
        late = given(session).body["until"] + 1
        [until] = session.sql("SELECT until FROM grants")["until"]
        assert until.timestamp() == pytest.approx(late - 1)
        monkeypatch.setattr(CLOCK, "now", lambda: late)
        assert (resumed(session, run).status, done) == ("suspended", ["ada"])


def test_one_for_a_run_of_which_a_journal_says_no_end_holds_no_longer() -> None:
    told = Event(kind=Kind.GRANT_GIVEN, run="r", tool="mail", at=1000.0, body={
        "id": "r.1", "scope": "run", "policy_version": "", "by": "ana"})  # fmt: skip
    assert from_event(told).until == 1000 + LASTS


def test_the_view_says_so_too(tmp_path: Path) -> None:
    with opened(tmp_path) as session:
        told = Event(kind=Kind.GRANT_GIVEN, run="r", tool="mail", at=1000.0, user=session.journal.user, body={
            "id": "r.1", "scope": "run", "policy_version": "", "by": "ana"})  # fmt: skip
        session.journal.append([told]).result()
        assert session.journal.select("SELECT status, epoch(until) FROM grants") == [("expired", 1000 + LASTS)]


def test_it_expires_and_a_clock_that_goes_back_does_not_revive_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path, ONE, "done") as session:
        allowed(session)
        now = CLOCK.now()
        assert given(session).body["until"] == pytest.approx(now + LASTS, abs=30)
        monkeypatch.setattr(CLOCK, "_latest", now + LASTS + 1)
        monkeypatch.setattr(CLOCK, "_wall", lambda: now - LASTS)
        assert ran(session, mail).status == "suspended"


def test_an_edited_call_and_its_digest_are_not_what_is_allowed_but_the_tool(tmp_path: Path) -> None:
    with opened(tmp_path, ONE, "done") as session:
        run = ran(session, mail).run
        event = approve(session, f"{run}.1", scope="session", arguments={"to": "zoe"})
        assert event.body["digest"] == act_digest("mail", {"to": "zoe"})
        resumed(session, run)
        assert ran(session, mail).status == "finished"
        assert done == ["zoe", "ada"]


def grant(seq: int, kind: Kind = Kind.GRANT_GIVEN, **columns: Any) -> Event:
    body = {"id": "r.1", "policy_version": "v", "by": "ana", "scope": "run"}
    return Event(kind=kind, run="r", tool="mail", agent="a", user="ana", body=body, seq=seq, **columns)


def held(register: Register) -> list[Lasting]:
    return list(register.given(from_event(grant(1)).scope, "", "v").values())


def test_events_that_come_late_or_again_change_nothing() -> None:
    register = Register()
    register.hear([grant(1)])
    assert [item.id for item in held(register)] == ["r.1"]
    register.hear([grant(2, Kind.GRANT_REVOKED)])
    register.hear([grant(1)])
    assert held(register) == []
    register.hear([grant(3)])
    register.hear([grant(2, Kind.GRANT_REVOKED)])
    assert [item.seq for item in held(register)] == [3]


def test_a_revocation_names_what_it_ends_and_whose_it_is() -> None:
    event = revocation(from_event(grant(1)), "ben", "enough")
    assert (event.kind, event.run, event.user, event.tool) == (Kind.GRANT_REVOKED, "r", "ana", "mail")
    assert event.body == {"id": "r.1", "by": "ben", "reason": "enough"}


_ANOTHER_KERNEL = """
from pathlib import Path
from assent.app import Session
from assent.core.config import Config
session = Session(Path(folder), config=Config())
"""


def test_what_another_kernel_revokes_a_run_at_work_may_do_no_more(tmp_path: Path) -> None:
    @tool(privilege="execute_safe")
    def wait() -> str:
        peers[0].do(f"session.revoke({given(session).body['id']!r}).id")
        return "revoked elsewhere"

    peers: list[Peer] = []
    with opened(tmp_path, ONE, call("wait"), TWO, "done") as session:
        run = ran(session, mail, wait).run
        approve(session, f"{run}.1", scope="session")
        with Peer(tmp_path, _ANOTHER_KERNEL) as peer:
            peers.append(peer)
            result = resumed(session, run)
            assert (result.status, done) == ("suspended", ["ada"])
            assert statuses(session) == ["revoked"]
