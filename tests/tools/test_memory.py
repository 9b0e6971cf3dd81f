"""`memory_search` and `memory_add`: what agents remember they find again, as their own, and a person sees it."""

from datetime import datetime
from pathlib import Path

from tests.support.calls import acted, by_prompt, call
from tests.support.sessions import kinds, opened, ran, results

from assent.core.agent import Agent
from assent.core.events import Kind, Scope
from assent.memory.item import Item
from assent.store.access import EVERYONE

BOTH = ("memory_search", "memory_add")
KEEPS = call("memory_add", text="The fiscal year begins in April.", collection="finance", dated="2026-04-01")


def test_what_a_run_adds_a_later_run_finds_with_source_and_score(tmp_path: Path) -> None:
    looks = call("memory_search", query="When does the fiscal year begin?")
    with opened(tmp_path, *by_prompt(keep=[KEEPS, "Kept."], look=[looks, "In April."])) as session:
        first = ran(session, *BOTH, prompt="keep")
        [kept] = results(session, first.run)
        assert Kind.MEMORY_ADDED in kinds(session, first.run)
        second = ran(session, *BOTH, prompt="look")
        [hit] = session.memory.search("When does the fiscal year begin?")
        [found] = results(session, second.run)
        head, text = found.text.split("\n")
        [told] = [event for event in session.events(second.run) if event.kind is Kind.CALL_FINISHED]
    assert kept.text == f"Remembered as {hit.id}."
    assert (hit.agent, hit.run, hit.user, hit.dated) == ("tester", first.run, session.user, datetime(2026, 4, 1))
    assert text == "The fiscal year begins in April."
    said = f"fact · finance · tester in the run {first.run} · as of 2026-04-01"
    assert head == f"[{hit.id} · score {hit.score:.2f} · {said}]"
    assert told.body["display"]["columns"] == ["score", "text", "kind", "collection", "from", "id"]
    assert told.body["display"]["rows"][0][:2] == [f"{hit.score:.2f}", "The fiscal year begins in April."]


def test_an_agent_finds_its_own_and_what_is_no_agents(tmp_path: Path) -> None:
    with opened(tmp_path, call("memory_search", query="tea"), "Done.") as session:
        scope = session.journal.scope
        session.memory.add([Item(text="tea of all")])
        session.memory.add([Item(text="tea of the tester")], scope(agent="tester"))
        session.memory.add([Item(text="tea of another")], scope(agent="another"))
        session.memory.add([Item(text="hidden tea", tags=["do_not_rag"])])
        [found] = results(session, ran(session, "memory_search").run)
    assert "tea of all" in found.text
    assert "tea of the tester" in found.text
    assert "another" not in found.text
    assert "hidden" not in found.text


def test_a_run_finds_only_its_users_also_in_an_administrators_session(tmp_path: Path) -> None:
    with opened(tmp_path, call("memory_search", query="tea"), "Done.", access=EVERYONE) as session:
        session.memory.add([Item(text="tea of ben")], Scope(tenant="default", user="ben"))
        session.memory.add([Item(text="my tea")])
        assert len(session.memory.search("tea")) == 2
        [found] = results(session, ran(session, "memory_search").run)
    assert "my tea" in found.text
    assert "ben" not in found.text


def test_what_makes_no_sense_is_said(tmp_path: Path) -> None:
    with opened(tmp_path) as session:
        search, add = (session.tools()[name] for name in BOTH)
        for query, said in (
            (" ", "give some words"),
            ("tea", "Nothing that is remembered"),
            ("the \x00 of", "Nothing"),
        ):
            assert said in acted_by_hand(search, query=query)
        assert "give a text" in acted_by_hand(add, text="\n")
        assert "less than or equal to 50" in acted(search, query="tea", count=51).text
        assert "Input should be 'fact' or 'preference'" in acted(add, text="tea", kind="turn").text
        assert session.memory.status().items == 0


def acted_by_hand(tool: object, **arguments: str) -> str:
    """What a tool says to a person who calls it."""
    said: str = tool(**arguments).text  # type: ignore[operator]  # tools are called like their functions
    return said


def test_adding_is_an_effect(tmp_path: Path) -> None:
    with opened(tmp_path, KEEPS, "Done.") as session:
        dry = ran(session, *BOTH, mode="dry-run")
        assert "Not performed" in results(session, dry.run)[0].text
        session.policy({"rule": [{"tool": "memory_add", "mode": "disabled"}]})
        assert "Denied" in results(session, ran(session, *BOTH).run)[0].text
        assert session.memory.status().items == 0
        session.policy({})
        ran(session, *BOTH)
        assert session.memory.status().items == 1


def test_agents_may_be_given_them_by_name(tmp_path: Path) -> None:
    with opened(tmp_path) as session:
        known = session.tools_of(Agent(name="a", tools=BOTH))
        assert {name: tool.privilege for name, tool in known.items()} == {
            "memory_search": "read_only",
            "memory_add": "execute_safe",
        }
        assert session.agent("analyst").tool_names == ("sql", "python")  # not unless they are named
