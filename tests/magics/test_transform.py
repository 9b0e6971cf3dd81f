"""Which calls of the magic are awaited, and which cannot be."""

import ast

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from assent_magics.transform import AwaitAgents, await_agents, keep_question_marks


def transformed(cell: str) -> str:
    manager = TransformerManager()
    manager.cleanup_transforms.append(keep_question_marks)
    return "".join(await_agents(manager.transform_cell(cell).splitlines(keepends=True)))


def awaited(cell: str) -> int:
    """How many calls of the transformed cell are awaited; it must be valid Python with top-level await."""
    code = transformed(cell)
    compile(code, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    return code.count("(await get_ipython().run_")


@pytest.mark.parametrize(
    ("cell", "count"),
    [
        ("%%agent\nHow many?", 1),
        ('%%agent tidy --into df\nline one\nline two with \'quotes\' and """more"""', 1),
        ("%%agent", 0),  # IPython says that there is no body
        ("%%agent sql\nSELECT 1", 0),
        ("%agent ask how many", 1),
        ("x = %agent ask how many", 1),
        ("x = %agent ask how many?", 1),
        ("%agent ask how many?", 1),
        ("%agent resume abc", 1),
        ("%agent aks how many?", 0),
        ("%agent runs", 0),
        ("%agent", 0),
        ("%agent sql SELECT 1", 0),
        ("for x in range(3):\n    y = %agent ask how many\n    print(y)", 1),
        ("if True:\n    %agent ask one\nelse:\n    %agent ask two", 2),
        ("x = %agent ask one\ny = %agent ask two", 2),
        ("with open('f') as f:\n    x = %agent ask one", 1),
        ("naïve = 'ü€𝄞'; größe = get_ipython().run_line_magic('agent', 'ask wie groß? €')", 1),
        ("x = [\n    get_ipython().run_line_magic('agent', 'ask one'),\n]", 1),
        ("def f():\n    x = %agent ask one\n    return x", 0),
        ("class A:\n    x = %agent ask one", 0),
        ("f = lambda: get_ipython().run_line_magic('agent', 'ask one')", 0),
        ("async def f():\n    return get_ipython().run_line_magic('agent', 'ask one')", 1),
        ("def g():\n    async def f():\n        return get_ipython().run_line_magic('agent', 'ask one')", 0),
        ("%%time\n%agent ask one", 0),
        ("print('run_line_magic(agent, ask)')", 0),
        ("s = \"get_ipython().run_line_magic('agent', 'ask x')\"", 0),
        ("%magent ask one", 0),
    ],
)
def test_what_is_awaited(cell: str, count: int) -> None:
    assert awaited(cell) == count


def test_code_that_is_no_python_is_left_alone() -> None:
    lines = ["get_ipython().run_line_magic('agent', 'ask x'\n", "def\n"]
    assert await_agents(lines) == lines


def test_two_calls_in_one_line_both_stand_where_they_stood() -> None:
    call = "get_ipython().run_line_magic('agent', 'ask ü')"
    code = "".join(await_agents([f"é = {call}, {call}\n"]))
    done = "await get_ipython().run_line_magic('_agent_awaited', 'ask ü')"
    assert ast.unparse(ast.parse(code)) == f"é = ({done}, {done})"


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("%agent ask how many?", "get_ipython().run_line_magic('agent', 'ask how many?')"),
        ("x = %agent ask what's up?", """x = get_ipython().run_line_magic('agent', "ask what's up?")"""),
        ("    x = %agent ask why?", "    x = get_ipython().run_line_magic('agent', 'ask why?')"),
    ],
)
def test_a_question_mark_belongs_to_the_question(line: str, kept: str) -> None:
    assert keep_question_marks([f"{line}\n"]) == [f"{kept}\n"]


@pytest.mark.parametrize("line", ["%agent?", "agent?", "%agent runs", "df?", "x = 3 # %agent ask why?"])
def test_help_on_other_things_stays_help(line: str) -> None:
    assert keep_question_marks([f"{line}\n"]) == [f"{line}\n"]


def test_code_that_a_magic_runs_is_left_alone() -> None:
    lines = ["get_ipython().run_line_magic('agent', 'ask x')\n"]
    transformer = AwaitAgents()
    assert transformer(lines) != lines
    transformer.begin()
    assert transformer(lines) == lines
    transformer.end()
    assert transformer(lines) != lines
    assert AwaitAgents(lambda: False)(lines) == lines


def test_a_cell_magic_is_its_own_text() -> None:
    lines = ["%%agent\n", "%agent ask why?\n"]
    assert keep_question_marks(lines) == lines
