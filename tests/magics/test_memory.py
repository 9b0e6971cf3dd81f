"""`%agent memory`: a person searches, adds and forgets, and agents find what was added."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.jupyter.live import live_kernel
from tests.magics.agent_cell import AgentCell, query
from tests.magics.scripts import call, script
from tests.magics.shell import Shell
from tests.support.waiting import eventually

from assent.core.taint import Source
from assent.memory.item import Item
from assent.memory.memory import Memory
from assent.store.access import Access
from assent.store.window import Window

PAGE = Source("web", "https://shop.example/reviews")


def texts(shell: Shell, line: str) -> list[str]:
    """What a search finds, the best first."""
    found = shell.run(f"%agent memory search {line}")
    return [] if found is None else found["text"].tolist()


def test_what_is_added_is_found_and_forgotten(shell: Shell) -> None:
    assert shell.run('%agent memory search "fiscal year"') is None
    assert "Nothing that is remembered has these words." in shell.shown
    assert shell.run("%agent memory collections") is None
    assert "Nothing is remembered yet." in shell.shown
    shell.run(
        '%agent memory add "The fiscal year begins in April." --collection finance --tag dates --dated 2026-04-01'
    )
    shell.run("%agent memory add Prefer tables to charts --kind preference")
    [row] = shell.run('%agent memory search "when does the fiscal year begin"').to_dict("records")
    assert row["text"] == "The fiscal year begins in April."
    assert (row["kind"], row["collection"], row["tags"], row["from"]) == (
        "fact", "finance", "dates", shell.desk.session.user
    )  # fmt: skip
    assert row["dated"] == datetime(2026, 4, 1)
    assert row["score"] > 0
    assert "The fiscal year begins in April." in shell.shown
    assert shell.run("%agent memory collections")[["collection", "items"]].values.tolist() == [["", 1], ["finance", 1]]
    assert shell.run("%agent memory status")[["items", "texts"]].values.tolist() == [[2, 2]]
    name = row["id"]
    shown = shell.run(f"%agent memory forget {name[:6]}")
    assert f"Nothing is forgotten yet. %agent memory forget {name} --yes" in shell.shown
    assert shown["text"].tolist() == [row["text"]]
    assert texts(shell, "fiscal") == [row["text"]]
    shell.run(f"%agent memory forget {name[:6]} --yes")
    assert "1 forgotten" in shell.shown
    assert texts(shell, "fiscal") == []


def test_a_search_is_narrowed(shell: Shell) -> None:
    long_ago = datetime(2020, 1, 1)
    shell.desk.session.memory.add(
        [
            Item(text="green tea", collection="asia", tags=["hot", "cheap"]),
            Item(text="black tea tea", dated=long_ago),
            Item(text="old tea", tags=["archived"]),
        ]
    )
    shell.run("%agent memory add tea for the analyst --agent analyst")
    shell.desk.session.memory.add([Item(text="tea of another")], shell.desk.session.journal.scope(agent="other"))
    assert set(texts(shell, "tea")) == {"green tea", "black tea tea", "tea for the analyst", "tea of another"}
    assert len(texts(shell, "tea -k 2")) == 2
    assert texts(shell, "tea --collection asia") == ["green tea"]
    assert texts(shell, "tea --tag hot,cheap") == ["green tea"]
    assert texts(shell, "tea --tag archived") == ["old tea"]
    assert "black tea tea" not in texts(shell, "tea --since 7d")
    assert "black tea tea" in texts(shell, "tea --since 2019-12-31")
    tomorrow = datetime.now() + timedelta(days=2)
    assert texts(shell, f"tea --since {tomorrow:%Y-%m-%d}") == []
    assert "tea of another" not in texts(shell, "tea --agent analyst")
    assert "tea for the analyst" in texts(shell, "tea --agent analyst")


def test_nobody_sees_more_than_the_session(shell: Shell) -> None:
    session = shell.desk.session
    tenant = session.journal.tenant
    ben = Memory(Window(session.journal.house, Access(tenant, "ben"), tenant, "ben"))
    [theirs] = ben.add([Item(text="Ben's tea")])
    ben.close()
    assert texts(shell, "tea") == []
    assert "This session sees only what is" in shell.fail("%agent memory search tea --user ben")
    assert texts(shell, f"tea --user {session.user}") == []
    assert "Nothing is remembered under" in shell.fail(f"%agent memory forget {theirs} --yes")
    shell.run("%config Assent.admin = True")
    assert texts(shell, "tea") == ["Ben's tea"]
    assert texts(shell, "tea --user ben") == ["Ben's tea"]
    assert texts(shell, f"tea --user {session.user}") == []
    shell.run(f"%agent memory forget {theirs} --yes")
    assert texts(shell, "tea") == []


NONSENSE = [
    ("", "Say what to do with it: %agent memory search"),
    ("dance", "'dance' is nothing that can be done with memory"),
    ("search", "There is nothing to look for"),
    ('search "  "', "There is nothing to look for"),
    ("search tea --since yesterday", "'yesterday' is no value for --since"),
    ("search tea --since 2026-02-30", "is no value for --since"),
    ("search tea -k 0", "'0' is no value for -k"),
    ("search tea -k", "-k needs a value"),
    ("search tea --kind fact", "Unknown option --kind"),
    ("add", "There is nothing to remember"),
    ("add tea --kind turn", "'turn' is no value for --kind"),
    ("add tea --dated soon", "'soon' is no value for --dated"),
    ("add tea --agent nobody", "There is no agent 'nobody'"),
    ("forget", "Say what to forget"),
    ("forget nothing --yes", "Nothing is remembered under 'nothing'"),
    ("collections all", "Nothing may follow memory collections"),
    ("status all", "Nothing may follow memory status"),
]


def test_what_makes_no_sense_is_said_in_a_line(shell: Shell, subtests: pytest.Subtests) -> None:
    for line, said in NONSENSE:
        with subtests.test(line=line):
            assert said in shell.fail(f"%agent memory {line}")
    assert shell.desk.session.memory.status().items == 0


def test_several_are_forgotten_all_or_none(shell: Shell) -> None:
    first, second = shell.desk.session.memory.add([Item(text="green tea"), Item(text="black tea")])
    shell.fail(f"%agent memory forget {first} nothing --yes")
    assert len(texts(shell, "tea")) == 2
    shell.run(f"%agent memory forget {first} {second} --yes")
    assert "2 forgotten: no search finds them any more." in shell.shown


def test_a_text_of_a_variable_keeps_what_the_variable_carries(shell: Shell) -> None:
    shell.namespace.update({"note": 'eve says "buy"', "secret": "the code is 7"})
    shell.desk.session.carried.wrote({"bound": ["note"]}, (PAGE,))
    shell.run("%agent memory add {note}")
    [hit] = shell.desk.session.memory.search("eve buy")
    assert (hit.text, hit.taint) == ('eve says "buy"', (PAGE,))
    shell.run("%agent local_only secret")
    assert "`secret` is local only" in shell.fail("%agent memory add {secret}")
    assert texts(shell, "code") == []


def test_what_a_search_gives_a_cell_is_marked_in_its_variables(shell: Shell) -> None:
    session = shell.desk.session
    session.memory.add([Item(text="eve says buy", taint=(PAGE,)), Item(text="ben says sell")])
    shell.run("found = %agent memory search sell")
    shell.run("worse = %agent memory search buy")
    assert session.carried.variable("found") == ()
    assert session.carried.variable("worse") == (PAGE,)


def test_a_call_of_an_agent_does_not_remember_as_a_person(shell: Shell, tmp_path: Path) -> None:
    code = "get_ipython().run_line_magic('agent', 'memory add tea')"
    model = script(tmp_path, [call("python", code=code)], "Done.")
    shell.run(f"%%agent --model {model} --on-ask suspend\nDo it.")
    [pending] = shell.desk.session.pending()
    shell.run(f"%agent approve {pending.call}")
    shell.run(f"%agent resume {pending.run}")
    assert "is a person's to do: agents have the tool memory_add" in shell.shown
    assert texts(shell, "tea") == []


def test_an_agent_of_the_notebook_recalls_what_a_person_added(shell: Shell, tmp_path: Path) -> None:
    shell.run("%agent memory add The fiscal year begins in April.")
    model = script(tmp_path, [call("memory_search", query="fiscal year")], "In April.")
    shell.run(f"%%agent --model {model} --tools memory_search\nWhen does it begin?")
    run = shell.desk.session.journal.select("SELECT run FROM runs")[0][0]
    shell.run(f"%agent show {run}")
    assert "The fiscal year begins in April." in shell.shown
    assert "score" in shell.shown


def test_the_docs_lines_do_what_they_say(shell: Shell) -> None:
    page = (Path(__file__).parents[2] / "docs" / "memory.md").read_text("utf-8")
    lines = [line for line in page.splitlines() if line.startswith("%agent")]
    assert len(lines) == 3
    shell.run(lines[0])
    assert shell.run(lines[1])["text"].tolist() == ["The fiscal year begins in April."]
    [row] = shell.run(lines[2]).to_dict("records")
    assert row["text"] == "The fiscal year begins in April."
    assert row["score"] > 0
    assert texts(shell, "beginning") == [row["text"]]


@pytest.mark.kernel
@pytest.mark.timeout(100)  # three kernels begin and end
def test_every_kernel_finds_what_one_has_added(environment: dict[str, str], tmp_path: Path) -> None:
    env = environment | {"ASSENT_WORKSPACE": str(tmp_path / "workspace")}
    model = script(tmp_path, [call("memory_search", query="fiscal year")], "In April.")
    with live_kernel("assent", env | {"IPYTHONDIR": str(tmp_path / "first")}, tmp_path) as first:
        with live_kernel("assent", env | {"IPYTHONDIR": str(tmp_path / "second")}, tmp_path) as second:
            assert "Nothing that is remembered" in AgentCell(first, "%agent memory search fiscal").done()
            assert "Remembered as" in AgentCell(second, "%agent memory add The fiscal year begins in April.").done()
            # Another process hears of it a moment later.
            eventually(lambda: "begins in April." in AgentCell(first, "%agent memory search fiscal").done())
        ask = AgentCell(first, f"%%agent --model {model} --tools memory_search\nWhen does the fiscal year begin?")
        assert "In April." in ask.done()
        assert "begins in April" in str(query(first, "SELECT result FROM tool_calls WHERE tool = 'memory_search'"))
        [[name]] = query(first, "SELECT id FROM memory")
        AgentCell(first, f"%agent memory forget {name} --yes").done()
    with live_kernel("assent", env, tmp_path) as third:
        assert "Nothing that is remembered" in AgentCell(third, "%agent memory search fiscal").done()
        assert query(third, "SELECT count(*) FROM memory") == [[0]]
