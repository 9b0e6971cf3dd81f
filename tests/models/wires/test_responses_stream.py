"""From a Responses answer, streamed or whole, to a message."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.vendors import vendor

from assent.core.messages import Reasoning, Text, ToolCall
from assent.core.model import Answer, CallDelta, Delta, ReasoningDelta, TextDelta, Usage
from assent.models.wires.draft import Draft, finish
from assent.models.wires.responses_stream import absorb
from assent.models.wires.wire import Broken

ROW = vendor("openai-responses")
assert ROW is not None
NAME = ROW.name
USAGE = {
    "input_tokens": 50,
    "input_tokens_details": {"cached_tokens": 40},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 4},
}


def read(*events: dict[str, Any], output: str = "") -> tuple[Answer, list[Delta]]:
    draft = Draft(output=output)
    deltas = [delta for event in events for delta in absorb(draft, event, ROW)]
    return finish(draft, "call_1", NAME), deltas


def thought(*summary: str, **fields: Any) -> dict[str, Any]:
    parts = [{"type": "summary_text", "text": text} for text in summary]
    return {"type": "reasoning", "id": "rs_1", "summary": parts, "encrypted_content": "gAAA"} | fields


def said(text: str, **fields: Any) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content} | fields


def call(arguments: Any = "{}", number: int = 1, name: str = "sql") -> dict[str, Any]:
    ids = {"id": f"fc_{number}", "call_id": f"call_{number}"}
    return {"type": "function_call", "name": name, "arguments": arguments, "status": "completed"} | ids


def whole(*items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    response = {"object": "response", "model": "gpt-5-mini-1", "status": "completed", "error": None}
    return response | {"output": list(items), "usage": USAGE} | fields


def end(*items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    response = whole(*items, **fields)
    return {"type": f"response.{response['status']}", "response": response}


def delta(kind: str, place: int, text: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}.delta", "output_index": place, "delta": text, **fields}


def done(place: int, item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": place, "item": item}


def added(place: int, item: dict[str, Any]) -> dict[str, Any]:
    bare = item | {"arguments": "", "content": [], "summary": [], "encrypted_content": "early"}
    return {"type": "response.output_item.added", "output_index": place, "item": bare}


KEPT_THOUGHT = {
    NAME: {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "Hm."}],
        "encrypted_content": "gAAA",
    }
}


def test_a_whole_answer() -> None:
    answer, deltas = read(whole(thought("Hm."), said("Let me look."), call('{"q":1}')))
    assert answer.message.parts == (
        Reasoning("Hm.", KEPT_THOUGHT),
        Text("Let me look.", {NAME: {"id": "msg_1"}}),
        ToolCall("call_1", "sql", '{"q":1}', {NAME: {"id": "fc_1"}}),
    )
    assert (answer.stop, answer.model, answer.usage) == ("calls", "gpt-5-mini-1", Usage(50, 9, 40, 4))
    assert deltas == [ReasoningDelta("Hm."), TextDelta("Let me look."), CallDelta(0, "sql", '{"q":1}')]


def test_a_streamed_answer_is_the_whole_one() -> None:
    items = [thought("Hm."), said("Let me look."), call('{"q":1}')]
    answer, deltas = read(
        {"type": "response.created", "response": whole(status="in_progress", usage=None)},
        added(0, items[0]),
        delta("reasoning_summary_text", 0, "Hm", summary_index=0),
        delta("reasoning_summary_text", 0, ".", summary_index=0),
        done(0, items[0]),
        added(1, items[1]),
        delta("output_text", 1, "Let me "),
        delta("output_text", 1, "look."),
        {"type": "response.output_text.done", "output_index": 1, "text": "Let me look."},
        done(1, items[1]),
        added(2, items[2]),
        delta("function_call_arguments", 2, '{"q"'),
        delta("function_call_arguments", 2, ":1}"),
        done(2, items[2]),
        end(*items),
    )
    assert answer == read(whole(*items))[0]
    assert deltas[2:] == [
        TextDelta("Let me "),
        TextDelta("look."),
        CallDelta(0, "sql", ""),
        CallDelta(0, "", '{"q"'),
        CallDelta(0, "", ":1}"),
    ]


def test_what_came_in_no_delta_comes_with_its_item_or_at_the_end() -> None:
    items = [thought("Hm."), said("Yes."), call('{"q":1}')]
    expected = read(whole(*items))
    assert read(*(done(place, item) for place, item in enumerate(items)), end()) == expected
    assert read(end(*items)) == expected
    assert read(delta("output_text", 1, "Ye"), done(1, items[1]), end(*items))[0].message.text == "Yes."


def test_items_without_a_place_are_told_apart_by_id() -> None:
    events = [
        {"type": "response.output_text.delta", "item_id": "msg_1", "delta": "Yes."},
        {"type": "response.output_item.done", "item_id": "msg_1", "item": said("Yes.")},
    ]
    assert read(*events, end(said("Yes.")))[0].message.text == "Yes."


def test_the_parts_of_a_thought_stand_apart() -> None:
    item = thought("One.", "Two.")
    answer, _ = read(
        added(0, item),
        delta("reasoning_summary_text", 0, "One.", summary_index=0),
        delta("reasoning_summary_text", 0, "Tw", summary_index=1),
        delta("reasoning_summary_text", 0, "o.", summary_index=1),
        done(0, item),
        end(item, said("Yes.")),
    )
    assert answer.message.reasoning == "One.\n\nTwo." == read(whole(item))[0].message.reasoning


def test_a_thought_in_plain_words_and_one_kept_secret() -> None:
    plain = thought(content=[{"type": "reasoning_text", "text": "Two and two."}], encrypted_content=None)
    answer, _ = read(added(0, plain), delta("reasoning_text", 0, "Two and ", content_index=0), done(0, plain), end())
    assert answer.message.reasoning == "Two and two."
    secret, deltas = read(whole(thought(), said("4")))
    assert secret.message.parts[0] == Reasoning(
        "", {NAME: {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}}
    )
    assert deltas == [TextDelta("4")]


def test_why_an_answer_ends() -> None:
    cut = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    filtered = {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}
    found = [read(event)[0].stop for event in (end(said("x"), **cut), end(said("x"), **filtered), whole(said("x")))]
    assert found == ["length", "filter", "stop"]


def test_a_refusal_is_text_that_was_filtered() -> None:
    item = said("", content=[{"type": "refusal", "refusal": "I will not."}])
    for answer, _ in (read(whole(item)), read(delta("refusal", 0, "I will"), done(0, item), end(item))):
        assert (answer.message.text, answer.stop) == ("I will not.", "filter")


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "code": "server_error", "message": "Busy."},
        {"type": "error", "error": {"code": "server_error", "message": "Busy."}},
        {"error": {"code": "server_error", "message": "Busy."}},
        end(status="failed", error={"code": "server_error", "message": "Busy."}),
        whole(status="failed", error={"code": "server_error", "message": "Busy."}),
    ],
)
def test_a_failure_in_all_its_forms(event: dict[str, Any]) -> None:
    with pytest.raises(Broken) as broken:
        read(event)
    assert broken.value.error == {"code": "server_error", "message": "Busy."}


@pytest.mark.parametrize("status", ["queued", "in_progress", "cancelled"])
def test_an_answer_that_is_not_there_is_a_failure(status: str) -> None:
    with pytest.raises(Broken):
        read(whole(status=status))


def test_what_is_no_response_is_another_shape() -> None:
    with pytest.raises(LookupError):
        read({"object": "chat.completion", "choices": []})


def test_events_and_items_that_nobody_knows_are_passed_over() -> None:
    answer, deltas = read(
        {"type": "keepalive"},
        {"type": "response.web_search_call.searching", "output_index": 0},
        done(0, {"type": "web_search_call", "id": "ws_1"}),
        done(1, said("Yes.")),
        end({"type": "web_search_call", "id": "ws_1"}, said("Yes.")),
    )
    assert (answer.message.text, deltas) == ("Yes.", [TextDelta("Yes.")])


def test_odd_calls() -> None:
    answer, _ = read(whole(call({"q": "é"}), call(None, 2), call("{}", 2), call("{}", 3) | {"call_id": None}))
    assert [(one.id, one.arguments) for one in answer.message.calls] == [
        ("call_1", '{"q": "é"}'),
        ("call_2", "{}"),
        ("call_1_2", "{}"),
        ("fc_3", "{}"),
    ]


def test_an_answer_by_tool_is_its_text() -> None:
    answer, deltas = read(done(0, call('{"city":"Bern"}', name="final_answer")), end(), output="final_answer")
    assert (answer.message.text, answer.stop) == ('{"city":"Bern"}', "stop")
    assert deltas == [TextDelta('{"city":"Bern"}')]


WORDS = st.text(max_size=12)
ITEMS = st.lists(
    st.one_of(
        st.lists(WORDS.filter(bool), max_size=3).map(lambda parts: thought(*parts)),
        WORDS.map(said),
        st.tuples(WORDS, st.integers(1, 3)).map(lambda pair: call(*pair)),
    ),
    max_size=5,
)


def pieces(data: st.DataObject, text: str) -> list[str]:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=3)))
    return [text[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def streamed(data: st.DataObject, place: int, item: dict[str, Any]) -> list[dict[str, Any]]:
    events = [added(place, item)]
    if item["type"] == "reasoning":
        for index, part in enumerate(item["summary"]):
            texts = pieces(data, part["text"])
            events += [delta("reasoning_summary_text", place, text, summary_index=index) for text in texts]
    else:
        kind = "output_text" if item["type"] == "message" else "function_call_arguments"
        text = item["content"][0]["text"] if item["type"] == "message" else item["arguments"]
        events += [delta(kind, place, piece) for piece in pieces(data, text)]
    return [*events, done(place, item)]


@settings(deadline=None)
@given(st.data(), ITEMS)
def test_any_chunking_of_an_answer_gives_the_same_message(data: st.DataObject, items: list[dict[str, Any]]) -> None:
    events = [event for place, item in enumerate(items) for event in streamed(data, place, item)]
    answer, deltas = read(*events, end(*items))
    assert answer == read(whole(*items))[0]
    assert "".join([delta.text for delta in deltas if isinstance(delta, TextDelta)]) == answer.message.text
