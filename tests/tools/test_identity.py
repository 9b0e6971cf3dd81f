"""A tool is the same one where its code is, in whichever process, and another one where it is not."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from assent.tools.tool import Tool, tool

SOURCE = """
def save(path: str, mode: str = "w") -> bool:
    if mode in {"w", "a", "x"}:
        return any(letter == path for letter in ["p", "q"])
    return False
"""


def made(source: str, name: str = "save", **options: Any) -> Tool[..., Any]:
    names: dict[str, Any] = {}
    exec(compile(source, f"<cell {id(names)}>", "exec"), names)
    return tool(name="save", **options)(names[name])


def test_the_same_code_is_the_same_tool_wherever_it_stands() -> None:
    assert made(SOURCE).identity == made("\n\n\n" + SOURCE).identity


def test_the_same_code_is_the_same_tool_in_another_process() -> None:
    script = "from tests.tools.test_identity import SOURCE, made; print(made(SOURCE).identity)"
    here = made(SOURCE).identity
    for seed in ("1", "2"):  # the order of a set differs
        told = subprocess.run(
            [sys.executable, "-c", script], env={**_environment(), "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert told.stdout.strip() == here


def test_other_code_names_constants_and_inner_functions_make_another_tool() -> None:
    others = [
        SOURCE.replace("return False", "return True"),
        SOURCE.replace("any(", "all("),
        SOURCE.replace('"q"', '"r"'),
        SOURCE.replace("letter == path", "letter != path"),
        SOURCE.replace('mode: str = "w"', 'mode: str = "a"'),
    ]
    assert len({made(source).identity for source in [SOURCE, *others]}) == 6


def test_another_privilege_makes_another_tool() -> None:
    assert made(SOURCE, privilege="admin").identity != made(SOURCE).identity


def test_what_a_function_closes_over_makes_another_tool() -> None:
    def maker(folder: str) -> Callable[[], str]:
        def save() -> str:
            return folder

        return save

    assert tool(maker("tmp")).identity != tool(maker("home")).identity
    assert tool(maker("tmp")).identity == tool(maker("tmp")).identity


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
