"""The same request is answered from a file: what is the same, what is kept, and what a file can do wrong."""

import json
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.attempts import ASKED, Attempts, answer, fault, hear

from assent.core.canonical import digest
from assent.core.events import Kind
from assent.core.ids import call_id, new_id
from assent.core.messages import (
    Image,
    Message,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    assistant,
    results,
    system,
    to_json,
    user,
)
from assent.core.model import Answer, CallDelta, OutputSchema, ReasoningDelta, Request, ToolSpec, Usage
from assent.core.secrets import remember
from assent.models.wrappers.cache import FREE, cache

TOOL = ToolSpec("look", "Look.", {"type": "object"})


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_second_answer_is_the_first_for_nothing_and_says_so(tmp_path: Path) -> None:
    whole = assistant(
        Reasoning("Hm.", {"maker": {"signature": "s"}}), Text("Look"), ToolCall("c1", "look", "{}"),
        ToolCall("c2", "look", '{"at": 1}', {"maker": {"thought": "t"}}),
    )  # fmt: skip
    first = Answer(whole, Usage(100, 20, cost=Decimal("0.0125")), "calls", "m-2026")
    model = Attempts(["Look", first])
    asked = cache(model, tmp_path, 60)
    assert hear(asked) == ["Look", first]
    notice, *deltas, end = hear(asked)
    assert (notice.kind, notice.model, notice.details) == (Kind.MODEL_CACHED, "maker:m", {"saved": "0.0125"})
    assert deltas == [
        ReasoningDelta("Hm."), "Look", CallDelta(0, "look", "{}"), CallDelta(1, "look", '{"at": 1}')
    ]  # fmt: skip
    assert end == replace(first, usage=FREE)
    assert (FREE.input, FREE.output, FREE.cost) == (0, 0, Decimal(0))
    assert len(model.asked) == 1


def test_a_saving_that_nobody_knows_is_not_told(tmp_path: Path) -> None:
    asked = cache(Attempts([answer()]), tmp_path, 60)
    hear(asked)
    assert hear(asked)[0].details == {}


OTHERS: list[Callable[[Request], Request]] = [
    lambda request: replace(request, messages=(user("Stop."),)),
    lambda request: replace(request, messages=(system("Go."),)),
    lambda request: replace(request, messages=(*request.messages, user(""))),
    lambda request: replace(request, messages=(user("Go.", Image("image/png", "ab12")),)),
    lambda request: replace(
        request,
        messages=(
            Message(
                "user",
                (Text("G"), Text("o.")),
            ),
        ),
    ),
    lambda request: replace(request, tools=(TOOL,)),
    lambda request: replace(request, tools=(replace(TOOL, description="Look!"),)),
    lambda request: replace(request, tool_choice="none"),
    lambda request: replace(request, temperature=0.0),
    lambda request: replace(request, max_tokens=5),
    lambda request: replace(request, effort="low"),
    lambda request: replace(request, output=OutputSchema("a", {"type": "object"})),
    lambda request: replace(request, output=OutputSchema("a", {"type": "object", "title": "b"})),
]


def test_whatever_may_change_an_answer_makes_another_request(tmp_path: Path) -> None:
    model = Attempts([answer()])
    asked = cache(model, tmp_path, 60)
    for number, other in enumerate([lambda request: request, *OTHERS], 1):
        assert len(hear(asked, other(ASKED))) == 1
        assert len(model.asked) == number
    assert len(hear(cache(Attempts([answer()], name="maker:n"), tmp_path, 60))) == 1
    assert len(hear(cache(model, tmp_path, 60, place="http://elsewhere/v1"))) == 1


def test_who_asks_and_how_urgently_changes_nothing(tmp_path: Path) -> None:
    model = Attempts([answer()])
    hear(cache(model, tmp_path, 60))
    hear(cache(model, tmp_path, 60), replace(ASKED, agent="bob", priority="critical", messages=[user("Go.")]))
    assert len(model.asked) == 1


def test_the_ids_that_a_run_gave_its_calls_change_nothing(tmp_path: Path) -> None:
    def conversation(first: str, second: str) -> Request:
        asked = assistant(ToolCall(first, "look", "{}"), ToolCall(second, "look", "{}"))
        return Request((user("Go."), asked, results([ToolResult(first, "look", "1"), ToolResult(second, "look", "2")])))

    run, later = new_id(), new_id()
    model = Attempts([answer()])
    asked = cache(model, tmp_path, 60)
    hear(asked, conversation(call_id(run, 1), call_id(run, 2)))
    assert len(hear(asked, conversation(call_id(later, 1), call_id(later, 2)))) == 3
    hear(asked, conversation(call_id(later, 2), call_id(later, 1)))
    hear(asked, conversation("toolu_1", "toolu_2"))
    assert len(model.asked) == 3


def test_a_message_is_written_down_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Message] = []

    def noted(message: Message) -> dict[str, Any]:
        written.append(message)
        return to_json(message)

    monkeypatch.setattr("assent.models.wrappers.cache.to_json", noted)
    model, messages = Attempts([fault()]), [user("Go.")]
    for _ in range(3):
        messages.append(user("More."))
        hear(cache(model, tmp_path, 60), Request(messages))
    assert len(written) == 4


def test_an_answer_grows_too_old(tmp_path: Path) -> None:
    now, model = [1000.0], Attempts([answer("old")], [answer("new")])
    asked = cache(model, tmp_path, 60, clock=lambda: now[0])
    hear(asked)
    now[0] += 59
    assert hear(asked)[-1].message.text == "old"
    now[0] += 2
    assert [hear(asked)[-1].message.text for _ in range(2)] == ["new", "new"]
    assert len(model.asked) == 2
    assert len(kept(tmp_path)) == 1


@pytest.mark.parametrize("last", [answer(stop="length"), answer(stop="filter"), replace(answer(), by="b:m"), fault()])
def test_what_is_not_this_models_own_proper_end_is_not_kept(tmp_path: Path, last: Any) -> None:
    model = Attempts(["words", last])
    asked = cache(model, tmp_path, 60)
    hear(asked)
    hear(asked)
    assert len(model.asked) == 2
    assert kept(tmp_path) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b"done", b"gone"),
        lambda data: b"\xff\xfe" + data,
        lambda data: b"[]",
        lambda data: b'{"kept": 1, "digest": "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"}',
        lambda data: b'{"kept": {}, "digest": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}',
        lambda data: b"[" * 100_000,
    ],
)
def test_a_damaged_or_foreign_file_is_as_good_as_none(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    model = Attempts([answer()])
    asked = cache(model, tmp_path, 60)
    hear(asked)
    [path] = kept(tmp_path)
    path.write_bytes(spoil(path.read_bytes()))
    assert len(hear(asked)) == 1
    assert len(model.asked) == 2
    assert len(hear(asked)) == 3  # and is put right


@pytest.mark.parametrize(
    "changed",
    [
        {"at": 1e300},
        {"stop": "length"},
        {"model": [1]},
        {"cost": {"a": 1}},
        {"message": {"role": "system", "parts": []}},
        {"message": {"role": "assistant", "parts": [{"kind": "text", "text": 5}]}},
        {"message": {"role": "assistant", "parts": [{"kind": "text", "text": "", "extra": {"openai": 5}}]}},
        {"message": {"role": "assistant", "parts": [{"kind": "call", "id": 5, "name": None, "arguments": {}}]}},
        {"message": {"role": "assistant", "parts": [{"kind": "result", "id": "a", "name": "b", "text": "c"}]}},
    ],
)
def test_a_file_that_no_answer_can_have_made_is_as_good_as_none(tmp_path: Path, changed: dict[str, Any]) -> None:
    model = Attempts([answer()])
    asked = cache(model, tmp_path, 60)
    hear(asked)
    [path] = kept(tmp_path)
    told = json.loads(path.read_bytes())["kept"] | changed
    path.write_text(json.dumps({"kept": told, "digest": digest(told)}))
    assert hear(asked) == [answer()]
    assert len(model.asked) == 2


def test_a_folder_that_cannot_be_written_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    model = Attempts(["done", answer()])
    asked = cache(model, tmp_path / "cache", 60)
    assert [hear(asked) for _ in range(2)] == [["done", answer()]] * 2


def test_a_folder_in_place_of_the_file_is_as_good_as_none(tmp_path: Path) -> None:
    model = Attempts([answer()])
    asked = cache(model, tmp_path, 60)
    hear(asked)
    [path] = kept(tmp_path)
    path.unlink()
    path.mkdir()
    assert [len(hear(asked)) for _ in range(2)] == [1, 1]
    assert os.listdir(path.parent) == [path.name]  # nothing half-written is left


def test_an_answer_that_repeats_a_key_is_in_no_file(tmp_path: Path) -> None:
    key = f"sk-{new_id(20)}"
    remember(key)
    model = Attempts([answer(f"Your key is {key}.")])
    asked = cache(model, tmp_path, 60)
    assert [len(hear(asked)) for _ in range(2)] == [1, 1]
    assert kept(tmp_path) == []


def test_odd_text_survives(tmp_path: Path) -> None:
    odd = "half a pair \ud83d, a null \x00, « » \u2028"
    asked = cache(Attempts([answer(odd)]), tmp_path, 60)
    request = Request((user(odd),))
    hear(asked, request)
    assert hear(asked, request)[-1].message.text == odd


def test_runs_on_several_event_loops_share_it(tmp_path: Path) -> None:
    model = Attempts([answer()])
    asked = cache(model, tmp_path, 60)
    threads = [threading.Thread(target=hear, args=(asked,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(hear(asked)) == 3
    assert len(kept(tmp_path)) == 1
