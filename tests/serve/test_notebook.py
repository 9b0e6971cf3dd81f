"""How a cell and its outputs read as plain text."""

from assent.serve.notebook import cell_text, output_text


def test_streams_go_on_where_they_stopped_and_results_start_a_line() -> None:
    cell = {
        "source": "a\nb",
        "execution_count": 12,
        "outputs": [
            {"output_type": "stream", "name": "stdout", "text": "one "},
            {"output_type": "stream", "name": "stdout", "text": "line"},
            {"output_type": "execute_result", "data": {"text/plain": "42"}},
            {"output_type": "stream", "name": "stderr", "text": "\n"},
        ],
    }
    assert cell_text(cell) == "In [12]: a\n    ...: b\none line\n42\n"


def test_a_cell_without_output_is_its_source() -> None:
    assert cell_text({"source": "x = 1", "execution_count": None, "outputs": []}) == "In [ ]: x = 1\n"


def test_an_error_is_its_traceback_without_colours() -> None:
    output = {"output_type": "error", "traceback": ["\x1b[31mValueError\x1b[39m", "\x1b[1;32mno\x1b[0m"]}
    assert output_text(output) == "ValueError\nno"


def test_an_output_without_text_is_named() -> None:
    assert output_text({"output_type": "display_data", "data": {"image/png": "…"}}) == "<image/png>"
