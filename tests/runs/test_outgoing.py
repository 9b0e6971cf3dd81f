"""What leaves is in the journal, masked where rules want it, and what is local only does not leave."""

import asyncio
import collections
import functools
import json
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pytest
from tests.support.calls import call
from tests.support.chat_server import ChatServer, Received, Reply, calls, says
from tests.support.outside import QUICK, REMOTE, asked, gone_on, outside, sent
from tests.support.sessions import approve, opened, ran, results
from tests.support.waiting import eventually

from assent.core import mask, messages
from assent.core.cargo import Source
from assent.core.commands import ForkRun
from assent.core.config import Config
from assent.core.events import Kind
from assent.core.model import Destination, Request
from assent.models.masking.vault import Vault
from assent.models.scripted import ScriptedModel
from assent.policy.layers import NONE
from assent.runs.entered import Entrance
from assent.runs.marks import Marks
from assent.runs.outgoing import Outgoing
from assent.store.window import Window
from assent.tools.local_only import local_only
from assent.tools.proposal import Proposal
from assent.tools.tool import tool

EMAILS = ("anna@example.com", "ben@example.org")
MASKS = """
[[mask]]
kind = "email"
[[mask]]
column = "name"
restore = true
"""
SECRET = [[*EMAILS], ["Anna Schmidt", "Ben O'Hara"]]


def people() -> pd.DataFrame:
    return pd.DataFrame({"email": EMAILS, "age": [34, 57], "name": SECRET[1], "sex": ["F", "M"]})


def sql(query: str) -> Reply:
    return calls(("sql", json.dumps({"query": query})))


def python(code: str) -> Reply:
    return calls(("python", json.dumps({"code": code})))


def documented() -> str:
    """The query that the docs give for what has left."""
    text = (Path(__file__).parents[2] / "docs" / "governance.md").read_text("utf-8")
    return text.partition("%agent sql SELECT DISTINCT")[2].partition("\n")[0]


def test_egress_names_tables_columns_rows_and_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = [sql("SELECT name, age FROM people"), says("Two.")]
    told = (Source("variable", "people", ("people",), ("email", "age"), 3, 2000, 20),)
    with outside(tmp_path, monkeypatch, script, {"people": people()}) as (session, server):
        asked(session, "How many people are there in all?", "sql", told=told)
        rows = session.sql("SELECT * FROM egress ORDER BY request").to_dict("records")
        left = session.sql(f"SELECT DISTINCT{documented()}").to_dict("records")
        looked = session.sql("FROM egress")._repr_html_()  # a notebook shows twenty columns, and hides the rest
    for name in ("model", "what", "name", "tables", "columns", "rows", "of_rows", "bytes", "masked", "host"):
        assert f"<th>{name}</th>" in looked
    first, second = server.requests
    told_of = [
        (row["name"], list(row["tables"]), row["rows"], row["host"]) for row in left if row["what"] == "variable"
    ]
    assert told_of == [("people", ["people"], 3, "127.0.0.1")]
    ours = [row for row in rows if row["what"] == "variable"]
    assert [(row["step"], row["repeated"]) for row in ours] == [(1, False), (2, True)]
    assert list(ours[0]["tables"]) == ["people"]
    assert (list(ours[0]["columns"]), ours[0]["rows"], ours[0]["of_rows"]) == (["email", "age"], 3, 2000)
    [result] = [row for row in rows if row["what"] == "result"]
    assert (list(result["tables"]), list(result["columns"]), result["rows"]) == (["people"], ["name", "age"], 2)
    assert result["bytes"] == len(second.body["messages"][-1]["content"].encode())
    words = [row["bytes"] for row in rows if row["step"] == 1 and row["what"] in ("prompt", "variable")]
    assert sum(words) == len(first.body["messages"][1]["content"])
    assert {(row["provider"], row["host"], row["local"]) for row in rows} == {("openai", "127.0.0.1", False)}


def test_a_request_that_was_never_answered_is_in_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with outside(tmp_path, monkeypatch, [Reply(cut=True)]) as (session, server):
        result = asked(session, "Hello?")
        assert result.status == "failed"
        told = [event.kind for event in session.journal.events(result.run)]
        assert told[1:3] == [Kind.MODEL_ASKED, Kind.MODEL_FAILED]
        assert session.sql("SELECT count(*) AS n FROM egress WHERE what = 'prompt'")["n"][0] == 1
    assert len(server.requests) == 1


def test_the_journal_knows_of_a_request_before_its_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def script(_: Received) -> Reply:
        eventually(lambda: session.journal.events(kind=Kind.MODEL_ASKED))
        return says("Yes.")

    with outside(tmp_path, monkeypatch, script) as (session, _):
        assert asked(session, "Hello?").text == "Yes."


def test_each_attempt_and_each_fallback_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"default": {"attempts": 2, "backoff": 0.0, "breaker": 0, "fallback": ["scripted:here"]}}
    config = Config(model=REMOTE, models=settings)
    busy = Reply([b"{}"], status=503, content_type="application/json")
    here = ScriptedModel(["From here."], "scripted:here")
    with outside(tmp_path, monkeypatch, [busy, busy], config=config, models=[here]) as (session, _):
        assert asked(session, "Hello?").text == "From here."
        rows = session.sql("SELECT provider, local, repeated FROM egress WHERE what = 'prompt'")
    assert rows.to_numpy().tolist() == [["openai", False, False], ["openai", False, True], ["local", True, False]]


def test_a_resumed_run_sends_again_what_it_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with outside(tmp_path, monkeypatch, [Reply(cut=True), says("Yes.")]) as (session, _):
        run = asked(session, "Hello?").run
        assert gone_on(session, run).status == "finished"
        rows = session.sql("SELECT what, bytes, repeated FROM egress WHERE what = 'prompt'")
    assert rows.to_numpy().tolist() == [["prompt", 6, False], ["prompt", 6, True]]


# Masks


def nothing_of(server: ChatServer, *values: str) -> bool:
    text = sent(server)
    return not any(form in text for value in values for form in (value, json.dumps(value)[1:-1]))


def test_masked_values_are_in_no_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = [
        sql("SELECT email, name, sex FROM people ORDER BY age"),
        sql("SELECT CAST(email AS INTEGER) FROM people"),  # the error repeats a value
        python("print(people)\nraise ValueError(people.name[0])"),
        says("Done."),
    ]
    with outside(tmp_path, monkeypatch, script, {"people": people()}, MASKS) as (session, server):
        run = asked(session, "Write to anna@example.com.", "sql", "python").run
        assert session.state(run).status == "suspended"
        approve(session, session.pending(run)[0].call)
        assert gone_on(session, run).status == "finished"
        told = [item.text for item in results(session, run)]
        events = session.journal.events(kind=Kind.MODEL_ASKED)
    assert all(value in "".join(told) for value in (*EMAILS, "Anna Schmidt"))  # the journal has what happened
    assert not any(value in repr([event.body for event in events]) for value in (*EMAILS, *SECRET[1]))
    assert nothing_of(server, *EMAILS, *SECRET[1], "Schmidt", "O'Hara")
    last = server.requests[-1].body["messages"]
    assert last[1]["content"] == "Write to [email_1]."
    assert last[3]["content"] == "email,name,sex\n[email_1],[name_1],F\n[email_2],[name_2],M"
    assert "[name_1]" in last[-1]["content"]
    assert events[-1].body["masked"]["email"] >= 4


PROPOSING = """
@tool(proposes=True)
def remind() -> list[Proposal]:
    return [Proposal("mail", {"to": name, "text": "It is due."}) for name in people.name]
@tool(privilege="execute_risky")
def mail(to: str, text: str) -> str:
    return f"sent to {to}"
"""


CUT = """
@tool(proposes=True)
def remind() -> list[Proposal]:
    return [Proposal("mail")]
@tool(privilege="execute_risky")
def mail() -> str:
    return "x" * 990 + " " + people.name[0]  # of which the proposer is told 1000 signs
"""


def test_nor_in_what_is_told_of_proposals_and_of_what_became_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: dict[str, Any] = {"people": people(), "tool": tool, "Proposal": Proposal}
    exec(PROPOSING, names)
    with outside(tmp_path, monkeypatch, [calls(("remind", "{}")), says("Done.")], names, MASKS) as (session, server):
        run = asked(session, "Remind them.", names["remind"], names["mail"]).run
        first, second = session.pending(run)
        approve(session, first.call, arguments={**first.arguments, "text": "It was due."})
        approve(session, second.call)
        assert gone_on(session, run).text == "Done."
    [told] = results_of(server)
    assert '{"to": "[name_1]", "text": "It was due."}' in told
    assert nothing_of(server, *SECRET[1], "Anna", "Schmidt", "O'Hara", "Ben")


def test_nor_is_the_beginning_of_one_that_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names: dict[str, Any] = {"people": people(), "tool": tool, "Proposal": Proposal}
    exec(CUT, names)
    with outside(tmp_path, monkeypatch, [calls(("remind", "{}")), says("Done.")], names, MASKS) as (session, server):
        run = asked(session, "Remind them.", names["remind"], names["mail"]).run
        approve(session, session.pending(run)[0].call)
        assert gone_on(session, run).text == "Done."
    assert results_of(server)[0].endswith("xxx [name_1]")
    assert nothing_of(server, "Anna")


KINDS = (
    '[[mask]]\nkind = "card"\n[[mask]]\nkind = "email"\n[[mask]]\ncolumn = "name"\n[[mask]]\nregex = "KD-[0-9]{6}"\n'
)
PRINTED = {
    "a result": ("sql", "'x' || {before!r} || {value!r} || {behind!r}", 9_994, 12_000),
    "what is printed": ("python", "print({before!r} + {value!r} + {behind!r})", 5_000, 7_000),
    "the value of code": ("python", "{before!r} + {value!r} + {behind!r}", 499, 600),
    "an error": ("python", "raise ValueError({before!r} + {value!r} + {behind!r})", 9_916, 12_000),
    "a Series": ("python", "import pandas as pd\npd.Series([{before!r} + {value!r} + {behind!r}])", 40, 40),
    "a table": ("python", "import pandas as pd\nprint(pd.DataFrame([{before!r} + {value!r} + {behind!r}]))", 40, 40),
}  # fmt: skip


@pytest.mark.parametrize("way", PRINTED)
@pytest.mark.parametrize("value", ["4111 1111 1111 1111", "anna.schmidt@example.com", "KD-123456"])
def test_nor_is_half_of_one_at_a_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, value: str) -> None:
    """The cut is in the middle of the value; nothing of it may show, whichever side of it is told."""
    name, code, before, behind = PRINTED[way]
    half = len(value) // 2
    said = code.format(before=f"{';' * (before - half - 1)} ", value=value, behind=f" {';' * (behind - half - 1)}")
    asks = sql(f"SELECT {said} AS said") if name == "sql" else python(said)
    with outside(tmp_path, monkeypatch, [asks, says("Done.")], {}, KINDS) as (session, server):
        run = asked(session, "Look.", name).run
        for question in session.pending(run):
            approve(session, question.call)
            gone_on(session, run)
    [told] = results_of(server)
    assert "_1]" in told
    assert not any(value[at : at + 4] in told for at in range(len(value) - 3))


def test_nor_half_of_a_columns_value_that_was_told_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names: dict[str, Any] = {"people": people(), "tool": tool}
    exec(
        '@tool(privilege="read_only")\ndef log() -> str:\n    return " " * 9_996 + "Anna Schmidt" + " " * 9_999', names
    )
    script = [sql("SELECT name FROM people"), calls(("log", "{}")), says("Done.")]
    with outside(tmp_path, monkeypatch, script, names, MASKS) as (session, server):
        asked(session, "Look.", "sql", names["log"])
    assert nothing_of(server, "Anna", "Schmidt")


def test_nor_of_one_that_becomes_of_a_proposal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names: dict[str, Any] = {"tool": tool, "Proposal": Proposal}
    exec(CUT.replace("people.name[0]", "'anna@example.com'").replace("execute_risky", "execute_safe"), names)
    with outside(tmp_path, monkeypatch, [calls(("remind", "{}")), says("Done.")], names, MASKS) as (session, server):
        asked(session, "Remind them.", names["remind"], names["mail"])
    assert results_of(server)[0].endswith("xxx [email_1]")
    assert nothing_of(server, "anna", "example")


def test_placeholders_go_back_where_a_rule_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    query = "SELECT age FROM people WHERE name = '[name_1]' AND email <> '[email_1]'"
    script = [sql("SELECT name, email FROM people"), sql(query), says("[name_1] is 34; ask [email_1].")]
    namespace = {"people": people().replace("Ben O'Hara", 'Ben "O"')}
    with outside(tmp_path, monkeypatch, script, namespace, MASKS) as (session, server):
        result = asked(session, "How old?", "sql")
        ran = session.sql("SELECT arguments ->> 'query' AS query FROM tool_calls")["query"][1]
        decided = session.journal.events(result.run, kind=Kind.CALL_DECIDED)[1].body["arguments"]["query"]
    assert ran == decided == query.replace("[name_1]", "Anna Schmidt")
    assert result.text == "Anna Schmidt is 34; ask [email_1]."
    assert results_of(server)[-1] == "age\n34"
    assert nothing_of(server, *EMAILS, "Anna Schmidt")  # what was put back is masked again


MADE = {
    "people.name": True, "people.name.tolist()": False, "[people]": True, "{'p': {'q': people}}": True,
    "Held(people)": True, "people.rename(columns={'name': 'who'})": False, "people.set_index('name').T": True,
    "people.groupby('name').age.sum()": True, "people.groupby('name')": True, "people.to_dict('records')": False,
}  # fmt: skip


@dataclass(slots=True)
class Held:
    """Something of the notebook's that has a table."""

    table: pd.DataFrame


@pytest.mark.parametrize("way", ["python", "function", "proposal"])
@pytest.mark.parametrize("made", MADE)
def test_nor_from_what_was_made_of_a_table_that_neither_code_nor_tool_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str, way: str
) -> None:
    names: dict[str, Any] = {"people": people(), "tool": tool, "Proposal": Proposal, "Held": Held}
    exec(f"x = {made}\nasks = []\n{SHOWS}", names)
    if way == "python" and MADE[made]:
        del names["people"]  # then by the names that a Series or an inner table has
    first = python("print(x)\ndel x") if way == "python" else calls((way, "{}"))
    with outside(tmp_path, monkeypatch, [first, says("Done.")], names, SAYS_NAMES) as (session, server):
        run = asked(session, "Look.", "python", names["function"], names["proposal"], names["mail"]).run
        while waiting := session.pending(run):
            approve(session, waiting[0].call)
            gone_on(session, run)
    if "groupby('name')" not in made or "sum" in made:
        assert "[name_1]" in results_of(server)[0]
    assert nothing_of(server, *SECRET[1], "Schmidt", "O'Hara")


SHOWS = """
@tool(privilege="read_only")
def function() -> str:
    return str(x)
@tool(proposes=True)
def proposal() -> list[Proposal]:
    return [Proposal("mail", {"text": str(x)})]
@tool(privilege="execute_risky")
def mail(text: str) -> str:
    return "sent"
"""


def test_nor_from_a_list_that_was_told_before_the_mask_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"people": people(), "x": SECRET[1]}
    script = tightening(tmp_path, python("print(x)"), sql("SELECT 1 AS one"), says("Done."), policy=SAYS_NAMES)
    with outside(tmp_path, monkeypatch, script, names) as (session, server):
        run = asked(session, "Look.", "sql", "python").run
        approve(session, session.pending(run)[0].call)
        assert gone_on(session, run).status == "finished"
    assert "Schmidt" in server.requests[1].raw.decode()
    assert "Schmidt" not in server.requests[2].raw.decode()


def test_what_is_printed_or_a_series_has_the_columns_that_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = {
        "print(people)": ["email", "age", "name", "sex"],
        "people.age": ["age"],
        "people.groupby('sex').age.mean()": ["age", "sex"],
        "print(people.age.tolist())": [],
        "print([people[['name']]])": ["name"],
    }
    script = [*map(python, code), says("Done.")]
    with outside(tmp_path, monkeypatch, script, {"people": people()}) as (session, _):
        run = asked(session, "Look.", "python").run
        while waiting := session.pending(run):
            approve(session, waiting[0].call)
            gone_on(session, run)
        rows = session.sql("FROM egress WHERE what = 'result' AND NOT repeated ORDER BY request")
    assert [sorted(item) for item in rows["columns"]] == [sorted(item) for item in code.values()]
    assert [list(item) for item in rows["tables"]] == [["people"]] * len(code)


def results_of(server: ChatServer) -> list[str]:
    return [item["content"] for item in server.requests[-1].body["messages"] if item["role"] == "tool"]


def test_a_resume_in_another_process_numbers_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = {"people": people()}
    with outside(tmp_path, monkeypatch, [sql("SELECT email, name FROM people"), Reply(cut=True)], frames, MASKS) as (
        session, server,
    ):  # fmt: skip
        run = asked(session, "For ben@example.org?", "sql").run
        before = server.requests[-1].body["messages"]
    with outside(tmp_path, monkeypatch, [says("Yes.")], {}, MASKS) as (session, server):
        gone_on(session, run)
        assert server.requests[-1].body["messages"] == before
    assert nothing_of(server, *EMAILS, *SECRET[1])


def test_a_model_here_is_sent_what_is_written_unless_a_rule_is_for_it_too(tmp_path: Path) -> None:
    policy = MASKS.replace('kind = "email"', 'kind = "email"\nlocal = true')
    seen: list[str] = []

    def says_nothing(request: Request) -> str:
        seen.append(request.messages[1].text)
        return "Yes."

    (tmp_path / "policy.toml").write_text(policy)
    told = (Source("variable", "people", ("people",), bytes=12),)
    with opened(tmp_path, says_nothing, namespace={"people": people()}) as session:
        ran(session, prompt="anna@example.com is Anna Schmidt", told=told)
    assert seen == ["[email_1] is Anna Schmidt"]


def test_a_mask_that_fails_sends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mask, "_own", [mask.Mask("mine", function=lambda text: [text[10**9]])])
    with outside(tmp_path, monkeypatch, []) as (session, server):
        result = asked(session, "Hello?")
    assert "IndexError" in result.reason
    assert not server.requests


def test_a_mask_that_failed_is_mended_by_writing_it_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cities(text: str) -> list[str]:
        return [text[10**9]]

    def mended(text: str) -> list[str]:
        return ["Bern"]

    monkeypatch.setattr(mask, "_own", [])
    mask.mask(function=cities)
    mask.mask(function=lambda text: ["Basel"])
    with outside(tmp_path, monkeypatch, [says("Yes.")]) as (session, server):
        run = asked(session, "To Bern and Basel?").run
        assert not server.requests
        mended.__name__ = "cities"
        mask.mask(function=mended)
        assert gone_on(session, run).status == "finished"
        assert [row.when for row in session.policy() if row.layer == "kernel"] == ["function value", "function cities"]
    assert server.requests[-1].body["messages"][-1]["content"] == "To [cities_1] and [value_1]?"


# Local only


def test_a_remote_model_is_not_asked_with_what_is_local_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = [sql("SELECT age FROM People")]
    with outside(tmp_path, monkeypatch, script, {"people": local_only(people())}) as (session, server):
        result = asked(session, "How old?", "sql")
        assert result.status == "failed"
        assert "`people`, which is local only" in result.reason
        assert "%agent local_only --end people" in result.reason
        assert len(server.requests) == 1
        session.marks.end(["people"], "ada")
        server._reply = lambda _: says("34 and 57.")
        assert gone_on(session, result.run).status == "finished"
    assert len(server.requests) == 2


def test_a_prompt_that_carries_it_sends_nothing_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = '[[local_only]]\nvariables = "pat*"\n'
    told = (Source("variable", "patients", ("patients",), ("age",), 2, 2, 10),)
    with outside(tmp_path, monkeypatch, [], {"patients": people()}, policy) as (session, server):
        assert "`patients`" in asked(session, "patients: …", told=told).reason
        assert session.journal.events(kind=Kind.MODEL_ASKED) == []
    assert not server.requests


def test_what_an_agents_code_makes_of_it_is_local_only_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"people": people()}
    here = [call("python", code="older = people[people.age > 40].age.tolist()\nimport math"), "Done."]
    with outside(tmp_path, monkeypatch, [], names, models=[ScriptedModel(here)]) as (session, server):
        session.marks.add(["people"], "ada")
        run = asked(session, "Make it.", "python", model="scripted:script").run
        approve(session, session.pending(run)[0].call)
        assert gone_on(session, run).status == "finished"  # a model here may
        assert dict(session.marks.names) == {"people": (), "older": ("people",)}
        table = session.sql("SELECT name, made_of FROM local_only", frames=False)
        assert [list(item) for item in table["made_of"]] == [["people"], []]
        fork = ForkRun(run, prompt="And now?", model=REMOTE)
        result = asyncio.run(session.drain(fork))
        assert "`people`" in result.reason
    with outside(tmp_path, monkeypatch, [], {"older": [57]}) as (session, _):
        told = (Source("variable", "older", ("older",), bytes=4),)
        assert "`older`" in asked(session, "older: [57]", told=told).reason  # after a restart, too
    assert not server.requests


def test_a_fallback_to_a_model_here_answers_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"default": {**QUICK["default"], "fallback": ["scripted:here"]}}
    here = ScriptedModel([call("sql", query="FROM people"), "Two."], "scripted:here")
    config = Config(model=REMOTE, models=settings)
    told = (Source("variable", "people", ("people",)),)
    names = {"people": local_only(people())}
    with outside(tmp_path, monkeypatch, [], names, config=config, models=[here]) as (session, server):
        assert asked(session, "How many?", "sql", told=told).text == "Two."
        assert set(session.sql("SELECT provider FROM egress")["provider"]) == {"local"}
        assert "local only" in session.sql("SELECT reason FROM incidents")["reason"][0]
    assert not server.requests


def test_a_tool_of_the_notebook_that_reads_it_carries_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names: dict[str, object] = {"people": local_only(people()), "tool": tool}
    exec('@tool(privilege="read_only")\ndef oldest() -> int:\n    """Age."""\n    return int(people.age.max())', names)
    with outside(tmp_path, monkeypatch, [calls(("oldest", "{}"))], names) as (session, server):
        assert "`people`" in asked(session, "How old?", names["oldest"]).reason
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "oldest",
    [
        "@tool(privilege='read_only')\n@cached\ndef oldest() -> int:\n    return int(people.age.max())",
        "class A:\n    def oldest(self) -> int:\n        return int(people.age.max())\n"
        "oldest = tool(privilege='read_only')(A().oldest)",
    ],
)
def test_so_does_one_behind_a_decorator_or_an_instance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, oldest: str
) -> None:
    def cached(function: Any) -> Any:  # of another module than the notebook
        return functools.wraps(function)(lambda: function())

    names: dict[str, Any] = {"people": local_only(people()), "tool": tool, "cached": cached}
    exec(oldest, names)
    with outside(tmp_path, monkeypatch, [calls(("oldest", "{}"))], names) as (session, server):
        assert "`people`" in asked(session, "How old?", names["oldest"]).reason
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "way", ["globals()[name].to_csv()", "str(eval(name))", "part()", "closure()", "method()", "of_pandas()"]
)
def test_so_does_one_that_is_told_its_name_or_calls_what_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    names: dict[str, Any] = {"people": local_only(people()), "tool": tool, "functools": functools}
    exec(f"{KEEPS}@tool(privilege='read_only')\ndef show(name: str) -> str:\n    return {way}", names)
    with outside(tmp_path, monkeypatch, [calls(("show", '{"name": "people"}'))], names) as (session, server):
        assert "local only" in asked(session, "Look.", names["show"]).reason
    assert len(server.requests) == 1


KEEPS = """
part = functools.partial(lambda table: table.to_csv(), people)
def kept(table):
    return lambda: table.to_csv()
closure = kept(people)
class Repository:
    def __init__(self, table):
        self.table = table
    def text(self):
        return self.table.to_csv()
method = Repository([people][0]).table.to_csv
of_pandas = people.email.to_list
"""


@pytest.mark.parametrize(
    "code",
    [
        "ages = people.age.tolist()\ndel people\nprint(ages)",
        "alias = people\nprint(alias)",
        "print(globals()['peo' + 'ple'])",
        "print(eval('peo' + 'ple'))",
        "print(helper())",
        "print(_)",
        "print(Out[3])",
        "import copy\nprint(copy.deepcopy(people))",
    ],
)
def test_code_that_reads_it_in_any_of_these_ways_carries_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    marked = local_only(people())
    names: dict[str, Any] = {"people": marked, "_": marked, "Out": {3: marked}, "__name__": "__main__"}
    exec("def helper():\n    return people.age.tolist()", names)
    with outside(tmp_path, monkeypatch, [python(code)], names) as (session, server):
        run = asked(session, "Look.", "python").run
        approve(session, session.pending(run)[0].call)
        assert "local only" in gone_on(session, run).reason
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "made", ["[people]", "{'p': [people]}", "Held(people)", "people.groupby('sex')", "collections.deque([people])"]
)
@pytest.mark.parametrize("way", ["python", "function", "told"])
def test_what_holds_it_is_local_only_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str, way: str) -> None:
    held = eval(made, {"people": local_only(people()), "Held": Held, "collections": collections})
    names: dict[str, Any] = {"x": held, "tool": tool, "Proposal": Proposal}
    exec(SHOWS, names)
    told = (Source("variable", "x", ("x",), bytes=3),) if way == "told" else ()
    script = [python("print(x)")] if way == "python" else [calls((way, "{}"))]
    with outside(tmp_path, monkeypatch, script, names) as (session, server):
        run = asked(session, "Look.", "python", names["function"], told=told).run
        for question in session.pending(run):
            approve(session, question.call)
            gone_on(session, run)
        assert "`x`, which is local only" in session.result(run).reason
    assert nothing_of(server, *EMAILS, *SECRET[1])


@pytest.mark.parametrize("gives", [lambda: local_only(people()), lambda: {"p": local_only(people())}])
def test_so_is_what_a_tool_of_another_module_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gives: Any) -> None:
    def load() -> Any:
        """All of them."""
        return gives()

    with outside(tmp_path, monkeypatch, [calls(("load", "{}"))]) as (session, server):
        assert "`load (what it gave)`" in asked(session, "Look.", tool(privilege="read_only")(load)).reason
    assert nothing_of(server, *EMAILS)


def test_to_end_the_mark_of_what_holds_it_leaves_the_table_marked() -> None:
    table = local_only(people())
    names = {"people": table, "x": [table]}
    marks = Marks(cast("Window", Said()), lambda: names)
    marks.notice({"x": names["x"]})
    marks.end(["x"], "ada")
    marks.notice(names)
    assert set(marks.names) == {"people"}


class Said:
    """A journal that keeps nothing."""

    def append(self, events: Any) -> Any:
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def subscribe(self, hear: Any) -> None: ...

    def events(self, **_: Any) -> list[Any]:
        return []


@pytest.mark.parametrize(
    "made", ["concat([people, people.head(1).assign(age=1)])", "people.age.tolist()", "people.to_string()",
             "people.age.value_counts()"],
)  # fmt: skip
def test_so_is_what_an_agents_code_makes_of_it_by_a_step_that_keeps_no_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str
) -> None:
    names: dict[str, Any] = {"people": local_only(people()), "concat": pd.concat}
    here = ScriptedModel([call("python", code=f"x = {made}"), "Done."])
    with outside(tmp_path, monkeypatch, [], names, models=[here]) as (session, server):
        run = asked(session, "Make it.", "python", model="scripted:script").run
        approve(session, session.pending(run)[0].call)
        assert gone_on(session, run).status == "finished"
        told = (Source("variable", "x", ("x",), bytes=3),)
        assert "`x`, which is local only" in asked(session, "x: …", told=told).reason
    assert not server.requests


def test_code_that_reads_something_else_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names: dict[str, Any] = {"people": local_only(people()), "sales": people(), "__name__": "__main__"}
    with outside(tmp_path, monkeypatch, [python("total = sales.age.sum()\ntotal"), says("91.")], names) as (session, _):
        run = asked(session, "Sum.", "python").run
        approve(session, session.pending(run)[0].call)
        assert gone_on(session, run).text == "91."
        assert "total" not in session.marks.names


def test_a_run_that_an_agents_code_starts_carries_what_the_code_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "(await session.run('analyst', f'Oldest of {people.age.tolist()}?', model='openai:gpt-4o')).reason"
    names: dict[str, Any] = {"people": local_only(people()), "__name__": "__main__"}
    here = ScriptedModel([call("python", code=code), "Done."])
    with outside(tmp_path, monkeypatch, [], names, models=[here]) as (session, server):
        names["session"] = session
        run = asked(session, "Look.", "python", model="scripted:script").run
        approve(session, session.pending(run)[0].call)
        assert gone_on(session, run).status == "finished"
        assert "`people`" in results(session, run)[0].text
    assert not server.requests


# What is tightened while a run is at work


SAYS_NAMES = '[[mask]]\ncolumn = "name"\n'


def tightening(folder: Path, *replies: Reply, policy: str) -> Any:
    """A script before whose second reply somebody writes a policy; it is there before the third request."""
    left = list(replies)

    def script(_: Received) -> Reply:
        if len(left) < len(replies):
            (folder / "policy.toml").write_text(policy)
        return left.pop(0)

    return script


@pytest.mark.parametrize("value", ["anna@example.com", "Anna Schmidt"])
@pytest.mark.parametrize("way", ["sql", "python", "told"])
def test_a_mask_that_is_written_meanwhile_holds_from_the_next_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, way: str
) -> None:
    first = python("print(people)") if way == "python" else sql("SELECT email, name FROM people")
    script = tightening(tmp_path, first, sql("SELECT 1 AS one"), says("Done."), policy=MASKS)
    told = (Source("variable", "people", ("people",), ("email", "name"), 2, 2, 12),) if way == "told" else ()
    prompt = "anna@example.com is Anna Schmidt" if way == "told" else "Look."
    with outside(tmp_path, monkeypatch, script, {"people": people()}) as (session, server):
        run = asked(session, prompt, "sql", "python", told=told).run
        while waiting := session.pending(run):
            approve(session, waiting[0].call)
            gone_on(session, run)
        assert session.state(run).status == "finished"
    assert len(server.requests) == 3
    later = "".join([received.raw.decode() for received in server.requests[2:]])
    assert value in server.requests[1].raw.decode()
    assert value not in later
    assert "[email_1]" in later
    assert "[name_1]" in later


def test_a_mask_that_the_session_adds_meanwhile_holds_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replies = [sql("SELECT email FROM people"), says("Two.")]

    def script(_: Received) -> Reply:
        session.tighten({"mask": [{"kind": "email"}]})
        return replies.pop(0)

    with outside(tmp_path, monkeypatch, script, {"people": people()}) as (session, server):
        assert asked(session, "Look.", "sql").status == "finished"
    assert nothing_of(server, *EMAILS)


def test_a_mask_of_this_process_holds_from_the_next_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mask, "_own", [])
    replies = [sql("SELECT email FROM people"), says("Two.")]

    def script(_: Received) -> Reply:
        mask.mask("email")
        return replies.pop(0)

    with outside(tmp_path, monkeypatch, script, {"people": people()}) as (session, server):
        asked(session, "Look.", "sql")
    assert nothing_of(server, *EMAILS)


def test_what_has_a_placeholder_keeps_it_under_other_masks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = [
        sql("SELECT name FROM people WHERE name LIKE 'Ben%'"),
        says("[name_1] wrote to [email_1]."),
    ]
    more = '[[mask]]\nregex = "ben@[a-z.]+"\nname = "ben"\n' + MASKS
    with outside(tmp_path, monkeypatch, script, {"people": people()}, MASKS) as (session, server):

        def then(_: Received) -> Reply:
            (tmp_path / "policy.toml").write_text(more)
            return script.pop(0)

        server._reply = then
        result = asked(session, "ben@example.org wrote to anna@example.com.", "sql")
        assert result.text == "Ben O'Hara wrote to [email_1]."
    first, second = [received.body["messages"] for received in server.requests]
    assert first[1]["content"] == "[email_1] wrote to [email_2]."
    assert second[1]["content"].endswith(" wrote to [email_2].")


def test_what_a_mask_that_is_gone_has_handed_out_is_still_put_back() -> None:
    vault = Vault([mask.Mask(columns=("name",), restore=True), mask.Mask(kind="email")])
    vault.masked("Anna, anna@example.com", [(0, 4, "name")])
    after = vault.under([mask.Mask(kind="email"), mask.Mask(kind="card")])
    assert after.masked("Anna, ben@example.org")[0] == "Anna, [email_2]"
    assert after.restored("[name_1]: [email_1]") == "Anna: [email_1]"
    assert vault.under([mask.Mask("name", regex="A+")]).restored("[name_1]") == "[name_1]", "it is kept back now"


def test_a_resume_looks_through_what_was_told_before_a_mask_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = [sql("SELECT email, name FROM people"), Reply(cut=True), says("Two.")]
    with outside(tmp_path, monkeypatch, script, {"people": people()}) as (session, server):
        run = asked(session, "Look.", "sql").run
        before = len(server.requests)
        (tmp_path / "policy.toml").write_text(SAYS_NAMES)
        assert gone_on(session, run).status == "finished"
    assert not any(name in received.raw.decode() for name in SECRET[1] for received in server.requests[before:])


def test_where_the_table_is_gone_nothing_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with outside(tmp_path, monkeypatch, [sql("SELECT name FROM people"), Reply(cut=True)], {"people": people()}) as (
        session, server,
    ):  # fmt: skip
        run = asked(session, "Look.", "sql").run
    with outside(tmp_path, monkeypatch, [says("Two.")], names := {}, SAYS_NAMES) as (session, server):
        result = gone_on(session, run)
        assert "what `people` told before the mask 'name' was written" in result.reason
        assert not server.requests
        names["people"] = people()
        assert gone_on(session, run).status == "finished"
    assert nothing_of(server, *SECRET[1])


READS = """
@tool(privilege="read_only")
def oldest() -> int:
    return max(ages)
"""


@pytest.mark.parametrize("way", ["sql", "python", "function"])
def test_what_becomes_local_only_meanwhile_is_not_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    names: dict[str, Any] = {"people": people(), "ages": [34, 57], "tool": tool, "__name__": "__main__"}
    exec(READS, names)
    first = {"sql": sql("SELECT age FROM people"), "python": python("print(ages)"), "function": calls(("oldest", "{}"))}
    name = "people" if way == "sql" else "ages"
    script = tightening(tmp_path, first[way], sql("SELECT 1 AS one"), policy=f'[[local_only]]\nvariable = "{name}"\n')
    with outside(tmp_path, monkeypatch, script, names) as (session, server):
        run = asked(session, "Look.", "sql", "python", names["oldest"]).run
        while waiting := session.pending(run):
            approve(session, waiting[0].call)
            gone_on(session, run)
        result = session.result(run)
        assert f"`{name}`, which is local only" in result.reason
        assert "change the [[local_only]]" in result.reason
    assert len(server.requests) == 2


def test_a_policy_that_breaks_meanwhile_sends_nothing_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tightening(tmp_path, sql("SELECT 1"), Reply(cut=True), says("Done."), policy="[[mask]]\nkin = 'email'\n")
    settings = {"default": {"attempts": 2, "backoff": 0.0, "breaker": 0}}
    with outside(tmp_path, monkeypatch, script, config=Config(model=REMOTE, models=settings)) as (session, server):
        result = asked(session, "Hello?", "sql")
        assert "policy.toml" in result.reason
        assert "kin" in result.reason
    assert len(server.requests) == 2


# What is not done twice


HERE = Destination("local:any", "local", "", True)


def sending(rule: mask.Mask) -> Outgoing:
    """Of a run whose model is on this machine, so that nobody asks what is local only."""
    entrance = Entrance(dict, Marks(cast("Window", None), dict), NONE)
    entrance.masks = (rule,)
    return Outgoing(entrance, {})


def test_each_message_is_judged_once_and_counts_in_every_request() -> None:
    judged: list[str] = []

    def addresses(text: str) -> list[str]:
        judged.append(text)
        return [text] if "@" in text else []

    run = sending(mask.Mask("email", function=addresses, local=True))
    told = [messages.system("Be brief."), messages.user(EMAILS[0])]
    first = run.load(Request(list(told)), HERE)
    told += [messages.assistant(messages.Text("Who else?")), messages.user(EMAILS[1])]
    second = run.load(Request(list(told)), HERE)
    assert judged == ["Be brief.", EMAILS[0], "Who else?", EMAILS[1]]
    assert [first.account["masked"], second.account["masked"]] == [{"email": 1}, {"email": 2}]
    assert [part["message"] for part in second.account["parts"]] == [2, 3]
    assert [item.text for item in first.request.messages] == ["Be brief.", "[email_1]"]  # not the next one's, too


def test_another_conversation_is_judged_anew_with_the_same_placeholders() -> None:
    run = sending(mask.Mask(kind="email", local=True))
    run.load(Request([messages.user(EMAILS[0]), messages.user(EMAILS[1])]), HERE)
    again = run.load(Request([messages.user(EMAILS[1])]), HERE)
    assert [item.text for item in again.request.messages] == ["[email_2]"]
    assert again.account["masked"] == {"email": 1}
