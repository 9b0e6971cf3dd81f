"""The progress bar, on a terminal and in a log."""

import io

from assent.serve.progress import bar, line


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_line_shows_part_and_whole() -> None:
    assert line("weights", 500_000_000, 1_000_000_000) == f"weights [{'#' * 15}{'-' * 15}]  50 %  500 of 1,000 MB"


def test_a_line_without_a_total_shows_what_is_there() -> None:
    assert line("weights", 2_500_000_000, 0) == "weights 2,500 MB"


def test_a_log_gets_a_line_for_each_tenth() -> None:
    log = io.StringIO()
    with bar("weights", log) as progress:
        for done in range(1001):
            progress(done, 1000)
    assert len(log.getvalue().splitlines()) == 11
    assert "100 %" in log.getvalue().splitlines()[-1]


def test_a_terminal_is_drawn_in_place_and_ends_with_the_last_state() -> None:
    terminal = Terminal()
    with bar("weights", terminal) as progress:
        for done in range(1001):
            progress(done, 1000)
    drawings = terminal.getvalue().split("\r")[1:]
    assert len(drawings) < 100
    assert "100 %" in drawings[-1]
    assert terminal.getvalue().count("\n") == 1


def test_nothing_is_drawn_for_nothing() -> None:
    terminal = Terminal()
    with bar("weights", terminal):
        pass
    assert terminal.getvalue() == ""
