"""Options of the magics: what a line holds, and one sentence for what it should not."""

import pytest

from assent.core.errors import ConfigError
from assent_magics.options import APPROVE, NEW, NONE, RUN, leading, split


def test_words_and_options_in_any_order() -> None:
    line = "analyst --into df --wait=2.5 --max-steps 3 --tools sql,python"
    words, given = split(line, RUN)
    assert words == ["analyst"]
    assert given == {"into": "df", "wait": 2.5, "max_steps": 3, "tools": ("sql", "python")}


def test_quotes_keep_spaces_and_escapes() -> None:
    words, given = split(r"""tidy --instructions "Say \"why\", briefly." --description 'a b'""", NEW)
    assert (words, given) == (["tidy"], {"instructions": 'Say "why", briefly.', "description": "a b"})


def test_an_apostrophe_in_a_word_is_no_quote() -> None:
    assert split("r.1 don't do that", NONE)[0] == ["r.1", "don't", "do", "that"]


def test_a_switch_takes_no_value() -> None:
    assert split("r.1 --for-run", APPROVE) == (["r.1"], {"for_run": True})


def test_pictures_add_up() -> None:
    given = split("--image a.png,b.png --effort low --image plot --priority=high --as-type 'x: int, y: float'", RUN)[1]
    assert given == {
        "image": ("a.png", "b.png", "plot"), "effort": "low", "priority": "high", "as_type": "x: int, y: float",
    }  # fmt: skip


def test_leading_options_leave_the_rest_as_it_is() -> None:
    given, rest = leading('--into x --wait 1  how many "old"  ones? --model', RUN)
    assert given == {"into": "x", "wait": 1.0}
    assert rest == 'how many "old"  ones? --model'


def test_an_empty_line() -> None:
    assert split("  ", RUN) == ([], {})
    assert leading("", RUN) == ({}, "")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--spam 1", "Unknown option --spam; there are --model, --into"),
        ("--mod strict", "Unknown option --mod; did you mean --mode?"),
        ("--wait soon", "'soon' is no value for --wait"),
        ("--wait -1", "'-1' is no value for --wait"),
        ("--wait nan", "'nan' is no value for --wait"),
        ("--wait inf", "'inf' is no value for --wait"),
        ("--max-steps 0", "'0' is no value for --max-steps"),
        ("--max-steps 1.5", "'1.5' is no value for --max-steps"),
        ("--budget -1", "'-1' is no value for --budget: the most that the run may cost, 0 or more US dollars"),
        ("--into 2x", "'2x' is no value for --into"),
        ("--into class", "'class' is no value for --into"),
        ("--on-ask approve", "'approve' is no value for --on-ask: when a call needs a person: wait, suspend or deny."),
        ("--effort much", "'much' is no value for --effort: how much the model is to think: none, low, "),
        ("--priority urgent", "'urgent' is no value for --priority"),
        ("--image ,", "',' is no value for --image"),
        ("--as-type ''", "'' is no value for --as-type"),
        ("--model", "--model needs a value"),
        ("--into=", "'' is no value for --into"),
        ("--model ''", "'' is no value for --model"),
    ],
)
def test_what_is_wrong_is_said(line: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        split(line, RUN)
    assert said in str(error.value)


def test_a_switch_refuses_a_value() -> None:
    with pytest.raises(ConfigError, match="--for-run takes no value"):
        split("r.1 --for-run=no", APPROVE)


def test_a_command_without_options_says_so() -> None:
    with pytest.raises(ConfigError, match=r"Unknown option --x; this command has none\."):
        split("--x", NONE)
