"""An answer as far as it has come: what of it is kept."""

from assent.core.messages import Reasoning, ToolCall
from assent.core.model import CallDelta
from assent.core.secrets import remember
from assent.models.wires.draft import Draft, finish

KEY = "zq-81-not-a-word-77"


def test_no_part_of_an_answer_repeats_a_key() -> None:
    remember(KEY)
    draft = Draft()
    shown = list(draft.call(0, f'{{"a": "{KEY}"}}', id=f"call {KEY}", name=f"say_{KEY}"))
    draft.piece(Reasoning, 1).extra["details"] = [{"data": KEY, KEY: 1}]
    answer = finish(draft, "call_1", "maker")
    assert shown == [CallDelta(0, "say_[key]", '{"a": "[key]"}')]
    assert answer.message.parts == (
        ToolCall("call [key]", "say_[key]", '{"a": "[key]"}'),
        Reasoning("", {"maker": {"details": [{"data": "[key]", "[key]": 1}]}}),
    )


def test_what_is_nested_too_deeply_to_be_written_down_is_not_kept() -> None:
    deep: list[object] = []
    for _ in range(900):
        deep = [deep]
    draft = Draft()
    list(draft.reasoning("So.", 0))
    draft.piece(Reasoning, 0).extra["details"] = deep
    assert finish(draft, "call_1", "maker").message.parts == (Reasoning("So."),)
