"""How a cell and its outputs read as plain text."""

from assent.serve.notebook import mark, output_text, outputs_text, source_text


def test_the_source_is_numbered_and_lines_up() -> None:
    assert source_text({"source": "a\nb"}, 12) == "In [12]: a\n    ...: b"


def test_streams_go_on_where_they_stopped_and_results_start_a_line() -> None:
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": "one "},
        {"output_type": "stream", "name": "stdout", "text": "line"},
        {"output_type": "execute_result", "data": {"text/plain": "42"}},
        {"output_type": "stream", "name": "stderr", "text": "\n"},
    ]
    assert outputs_text({"outputs": outputs}) == "one line\n42\n"


def test_a_cell_without_output_says_nothing() -> None:
    assert outputs_text({"outputs": []}) == ""


def test_an_error_is_its_traceback_without_colours() -> None:
    output = {"output_type": "error", "traceback": ["\x1b[31mValueError\x1b[39m", "\x1b[1;32mno\x1b[0m"]}
    assert output_text(output) == "ValueError\nno"


def test_an_output_without_text_is_named() -> None:
    assert output_text({"output_type": "display_data", "data": {"image/png": "…"}}) == "<image/png>"


def test_an_executed_notebook_has_the_id_of_its_outputs() -> None:
    output = {"output_type": "display_data", "metadata": {"assent": {"notebook": "k3v9"}}, "data": {}}
    notebook = {"metadata": {"kernelspec": {}}, "cells": [{"outputs": [output]}]}
    mark(notebook)
    assert notebook["metadata"] == {"kernelspec": {}, "assent": {"notebook": "k3v9"}}
    plain = {"metadata": {}, "cells": [{"outputs": []}]}
    mark(plain)
    assert plain["metadata"] == {}
