"""Read from the source: grants are made in one place, tools are executed in one place, and nothing else calls one."""

import ast
import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import assent

KERNEL = Path(assent.__file__).parent
ROOMS = [KERNEL, KERNEL.parents[1] / "magics" / "assent_magics", KERNEL.parents[1] / "widgets" / "assent_widgets"]


ASKED = (ast.Name, ast.Attribute, ast.Call, ast.Import, ast.ImportFrom)  # the nodes that the questions below are about


def nodes(source: str, name: str) -> Iterator[tuple[str, ast.AST]]:
    """Each such node of a module, with the `file:function` that it is in."""
    left: list[tuple[ast.AST, str]] = [(ast.parse(source), "")]
    while left:
        node, function = left.pop()
        if isinstance(node, ASKED):
            yield f"{name}:{function}", node
        inner = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else function
        left += [(child, inner) for child in reversed(list(ast.iter_child_nodes(node)))]


def places(found: Callable[[ast.AST], bool], source: str, name: str) -> list[str]:
    return [place for place, node in nodes(source, name) if found(node)]


@functools.cache
def all_nodes() -> list[tuple[str, ast.AST]]:
    files = [(file, file.relative_to(room).as_posix()) for room in ROOMS for file in sorted(room.rglob("*.py"))]
    return [item for file, name in files for item in nodes(file.read_text("utf-8"), name)]


def everywhere(found: Callable[[ast.AST], bool]) -> list[str]:
    return [place for place, node in all_nodes() if found(node)]


def called(name: str) -> Callable[[ast.AST], bool]:
    """Whether a node calls something of this name, however it is reached."""

    def found(node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return False
        function = node.func
        return name in (getattr(function, "id", ""), getattr(function, "attr", ""))

    return found


def named(name: str) -> Callable[[ast.AST], bool]:
    """Whether a node reads this name, as a name or as somebody's attribute: to call it, or to hand it on."""

    def found(node: ast.AST) -> bool:
        if isinstance(node, ast.Attribute):
            return node.attr == name
        return isinstance(node, ast.Name) and node.id == name

    return found


def part(name: str, *owners: str) -> Callable[[ast.AST], bool]:
    """Whether a node is this attribute of something that is called like one of the owners."""

    def found(node: ast.AST) -> bool:
        return isinstance(node, ast.Attribute) and node.attr == name and ast.unparse(node.value) in owners

    return found


def imported(module: str, name: str) -> Callable[[ast.AST], bool]:
    def found(node: ast.AST) -> bool:
        if isinstance(node, ast.ImportFrom):
            return node.module == module and name in [item.name for item in node.names]
        return isinstance(node, ast.Import) and module in [item.name for item in node.names]

    return found


def test_a_grant_is_made_in_one_place() -> None:
    assert everywhere(called("Grant")) == ["policy/decide.py:permit"]


def test_a_grant_is_asked_for_in_one_place() -> None:
    assert everywhere(called("permit")) == ["runs/step.py:perform"]


def test_the_function_that_executes_tools_is_known_to_one_other_module_which_calls_it_in_one_place() -> None:
    assert everywhere(imported("assent.tools.execute", "execute")) == ["runs/run.py:"]
    handed_on = [place for place in everywhere(named("execute")) if place.startswith("runs/")]
    assert handed_on == ["runs/run.py:"]  # as what `Run.act` is unless a replay says otherwise
    assert everywhere(part("act", "run", "live.run", "self")) == ["runs/step.py:perform"]


def test_only_the_function_that_executes_tools_calls_the_function_of_a_tool() -> None:
    reads = set(everywhere(part("function", "tool")))
    looking = {"runs/entered.py:_reads"}  # which tables its code names
    assert reads <= {"tools/execute.py:_call"} | looking
    own = [place for place in everywhere(part("function", "self")) if place.startswith("tools/")]
    assert set(own) == {"tools/tool.py:__call__", "tools/tool.py:identity"}
    within = [place for name in ("_call", "_timed") for place in everywhere(called(name)) if "tools/execute" in place]
    assert within == ["tools/execute.py:_timed", "tools/execute.py:execute"]
    others = [place for place in everywhere(called("tool")) if not place.startswith("tools/")]
    assert others == []  # nor does anybody call a Tool, which would call its function


def test_a_grant_is_spent_before_the_tool_is_called() -> None:
    [execute] = [
        node
        for node in ast.parse((KERNEL / "tools" / "execute.py").read_text("utf-8")).body
        if isinstance(node, ast.AsyncFunctionDef) and node.name == "execute"
    ]
    first = execute.body[1]  # behind the docstring
    assert isinstance(first, ast.Expr)
    assert ast.unparse(first).startswith("grant.redeem(call, tool.name, arguments")


def test_these_tests_see_a_second_place() -> None:
    planted = "from assent.tools.execute import execute\nasync def sly(tool):\n    Grant()\n    tool.function()\n"
    assert places(called("Grant"), planted, "sly.py") == ["sly.py:sly"]
    assert places(imported("assent.tools.execute", "execute"), planted, "sly.py") == ["sly.py:"]
    assert places(named("function"), planted, "sly.py") == ["sly.py:sly"]
