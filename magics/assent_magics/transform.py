"""IPython calls magics synchronously; this pass over the syntax tree awaits the ones that run an agent."""

import ast
import re
from collections.abc import Callable

NAME = "agent"
AWAITED = "_agent_awaited"  # the Tab key offers no name that begins with an underscore
RUNS = frozenset({"ask", "resume", "fork"})  # the line commands that run an agent
_MAGICS = frozenset({"run_line_magic", "run_cell_magic"})
_QUESTION = re.compile(rf"(\s*(?:[\w.\[\]'\", ]+=\s*)?)%{NAME}\s+(\w+\s.*\?)\s*$")
_NESTED = (ast.FunctionDef, ast.Lambda, ast.ClassDef)


def runs_agent(magic: str, line: str) -> bool:
    """Whether a call of the magic runs an agent, and so has to be awaited."""
    first = line.split(maxsplit=1)[0] if line.split() else ""
    return first != "sql" if magic == "run_cell_magic" else first in RUNS


def keep_question_marks(lines: list[str]) -> list[str]:
    """A cleanup transformer: a question may end in "?", which to IPython means help on what stands before it."""
    if lines and lines[0].startswith("%%"):
        return lines
    return [_kept(line) for line in lines]


def _kept(line: str) -> str:
    match = _QUESTION.match(line)
    return f"{match[1]}get_ipython().run_line_magic({NAME!r}, {match[2]!r})\n" if match else line


class AwaitAgents:
    """An input transformer: wrap each top-level call that runs an agent in `(await …)`.

    Code that is transformed while a cell runs comes from a magic such as %%time, which cannot await; it is left alone,
    and so is all code while `can_await` says no: `%agent` itself then tells why it cannot run.
    """

    # IPython reads this attribute: an error in the cell is not to be blamed on the transformer.
    has_side_effects = False

    def __init__(self, can_await: Callable[[], bool] = lambda: True) -> None:
        self._can_await = can_await
        self._running = 0

    def __call__(self, lines: list[str]) -> list[str]:
        return lines if self._running or not self._can_await() else await_agents(lines)

    def begin(self) -> None:
        """A cell begins to run."""
        self._running += 1

    def end(self) -> None:
        """A cell has run."""
        self._running = max(self._running - 1, 0)


def await_agents(lines: list[str]) -> list[str]:
    """The lines with each top-level call that runs an agent awaited."""
    source = "".join(lines)
    if f"_magic('{NAME}'" not in source:
        return lines
    try:
        tree = compile(source, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError:
        return lines
    edits = [edit for call in _calls(tree) for edit in _edits(call)]
    rows = source.splitlines(keepends=True)
    for line, start, end, text in sorted(edits, reverse=True):
        row = rows[line - 1].encode()  # the tree counts bytes
        rows[line - 1] = (row[:start] + text.encode() + row[end:]).decode()
    return rows


def _calls(node: ast.AST) -> list[ast.Call]:
    """The calls to await, without those in a plain function, lambda or class, where nothing can be awaited."""
    if isinstance(node, _NESTED):
        return []
    here = [node] if isinstance(node, ast.Call) and _is_run(node) else []
    return here + [call for child in ast.iter_child_nodes(node) for call in _calls(child)]


def _is_run(call: ast.Call) -> bool:
    function = call.func
    words = [item.value for item in call.args if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    return (
        isinstance(function, ast.Attribute)
        and function.attr in _MAGICS
        and len(words) == len(call.args) >= 2
        and words[0] == NAME
        and words[-1] != ""  # IPython refuses a cell magic without a body in words of its own
        and runs_agent(function.attr, words[1])
    )


def _edits(call: ast.Call) -> list[tuple[int, int, int, str]]:
    name = call.args[0]
    end = call.end_col_offset or call.col_offset  # a parsed tree always has it
    return [
        (call.lineno, call.col_offset, call.col_offset, "(await "),
        (name.lineno, name.col_offset, name.end_col_offset or name.col_offset, repr(AWAITED)),
        (call.end_lineno or call.lineno, end, end, ")"),
    ]
