"""Which names a piece of code reads, binds, changes and deletes, as far as its text says."""

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from assent.tools import in_place
from assent.tools.nodes import called, loads, parts, roots

_WORD = re.compile(r"[^\W\d]\w*")
_ANYTHING = frozenset({"globals", "locals", "vars", "eval", "exec"})
_TABLES = re.compile(r"\b(?:from|join|describe|summarize)\b", re.IGNORECASE)
_QUERIES = frozenset({"query", "eval", "sql", "execute", "run_line_magic", "run_cell_magic", "system", "getoutput"})
_CODE_MAGICS = frozenset({"time", "capture", "prun"})
_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(slots=True)
class Names:
    """`read`: loaded where the code has not surely bound them itself; `loaded`: loaded anywhere.

    `stored` may be bound, `bound` surely are once the code has run to its end. `changed` may be changed in place; `own`
    too, but only after the code has bound them. `called`: a method of theirs is, `alone` and its value is lost;
    `given`: passed to a call; `seeded`: given a random state. `words` stand in texts that other languages read (SQL,
    magics). `anything`: the code may read whatever there is.
    """

    read: set[str] = field(default_factory=set)
    loaded: set[str] = field(default_factory=set)
    stored: set[str] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    own: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    given: set[str] = field(default_factory=set)
    alone: set[str] = field(default_factory=set)
    seeded: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    anything: bool = False
    local: frozenset[str] = frozenset()  # parameters and the like, while the walk is where they hold


def names_in(code: str) -> Names:
    """The names of a piece of code; of one that is no Python, none."""
    names = Names()
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return names
    _block(tree.body, names)
    return names


def _block(statements: Iterable[ast.stmt], names: Names) -> None:
    for statement in statements:
        _statement(statement, names)


def _maybe(statements: Iterable[ast.stmt], names: Names, targets: Iterable[ast.expr] = ()) -> set[str]:
    """Walk what may not run, or not to its end; what it would have bound."""
    before = set(names.bound)
    for target in targets:
        _target(target, names)
    _block(statements, names)
    after, names.bound = names.bound, before
    return after


def _statement(node: ast.stmt, names: Names) -> None:
    match node:
        case ast.Assign():
            _expression(node.value, names)
            for target in node.targets:
                _target(target, names)
        case ast.AugAssign():
            _expression(node.value, names)
            _change(node.target, names)
            _augmented(node.target, names)
        case ast.AnnAssign():
            if node.value is not None:
                _expression(node.value, names)
                _target(node.target, names)
        case ast.Expr():
            _alone(node.value, names)
            _expression(node.value, names)
        case ast.Delete():
            for target in node.targets:
                _delete(target, names)
        case ast.Import() | ast.ImportFrom():
            for alias in node.names:
                _store(alias.asname or alias.name.partition(".")[0], names)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            _function(node, names)
        case ast.ClassDef():
            _class(node, names)
        case _:
            _compound(node, names)


def _compound(node: ast.stmt, names: Names) -> None:
    match node:
        case ast.If():
            _expression(node.test, names)
            either, other = _maybe(node.body, names), _maybe(node.orelse, names)
            names.bound |= either & other  # only now: the walk puts another set in its place
        case ast.For() | ast.AsyncFor():
            _expression(node.iter, names)
            _maybe(node.body, names, [node.target])
            _maybe(node.orelse, names)
        case ast.While():
            _expression(node.test, names)
            _maybe(node.body, names)
            _maybe(node.orelse, names)
        case ast.With() | ast.AsyncWith():
            for item in node.items:
                _expression(item.context_expr, names)
            _maybe(node.body, names, [item.optional_vars for item in node.items if item.optional_vars])
        case ast.Try() | ast.TryStar():
            _maybe([*node.body, *node.orelse], names)
            for handler in node.handlers:
                _handler(handler, names)
            _block(node.finalbody, names)
        case ast.Match():
            _expression(node.subject, names)
            for case in node.cases:
                _case(case, names)
        case _:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    _expression(child, names)


def _handler(handler: ast.ExceptHandler, names: Names) -> None:
    if handler.type is not None:
        _expression(handler.type, names)
    if handler.name:
        names.stored.add(handler.name)
        names.deleted.add(handler.name)  # Python deletes it at the end of the block
    _maybe(handler.body, names)


def _case(case: ast.match_case, names: Names) -> None:
    before = set(names.bound)
    for node in ast.walk(case.pattern):
        if isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
            _store(node.name, names)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            _store(node.rest, names)
        elif isinstance(node, ast.Name):
            _load(node.id, names)
    if case.guard is not None:
        _expression(case.guard, names)
    _block(case.body, names)
    names.bound = before


def _function(node: _FUNCTIONS, names: Names) -> None:
    """What a `def` evaluates at once. What its body reads, it reads when it is called: see `tools.touched`."""
    arguments = node.args
    for item in (*node.decorator_list, *arguments.defaults, *arguments.kw_defaults):
        if item is not None:
            _expression(item, names)
    _store(node.name, names)


def _class(node: ast.ClassDef, names: Names) -> None:
    for item in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
        _expression(item, names)
    inside = Names(bound=set(names.bound), local=names.local)
    _block(node.body, inside)
    names.read |= inside.read
    names.loaded |= inside.loaded
    names.changed |= inside.changed - inside.stored
    names.own |= inside.own - inside.stored
    _store(node.name, names)


def _expression(node: ast.expr, names: Names) -> None:
    match node:
        case ast.Constant():
            pass
        case ast.Name():
            (_load if isinstance(node.ctx, ast.Load) else _store)(node.id, names)
        case ast.Call():
            _call(node, names)
        case ast.Lambda():
            _lambda(node, names)
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            _comprehension(node, names)
        case ast.NamedExpr():
            _expression(node.value, names)
            names.stored.add(node.target.id)  # not surely: an `and` before it may have kept it from being reached
        case ast.Attribute():
            names.anything |= node.attr == "user_ns"
            _expression(node.value, names)
        case _:
            _children(node, names)


def _children(node: ast.AST, names: Names) -> None:
    for child in parts(node):
        if isinstance(child, ast.expr):
            _expression(child, names)
        elif isinstance(child, ast.keyword):
            _expression(child.value, names)


def _call(node: ast.Call, names: Names) -> None:
    name = called(node.func)
    if isinstance(node.func, ast.Attribute):
        names.called |= roots(node.func.value) - names.local
        if name in in_place.METHODS or _says_in_place(node):
            _change(node.func.value, names)
        if name in in_place.SEEDS:
            names.seeded |= roots(node.func.value) - names.local
    arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
    for argument in arguments:
        names.given |= loads(argument) - names.local
        if name in in_place.FUNCTIONS:
            _change(argument, names)
    _texts(name, arguments, names)
    _children(node, names)


def _texts(name: str, arguments: list[ast.expr], names: Names) -> None:
    """Names that stand in texts: `FROM frame`, `@limit` in a query of pandas, `{name}` and code in magics."""
    texts = [item.value for item in arguments if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    if name == "run_cell_magic" and len(texts) == 3 and texts[0] in _CODE_MAGICS:
        _nested(texts[2], names)
    elif name == "run_line_magic" and len(texts) == 2 and texts[0] in _CODE_MAGICS:
        _nested(texts[1], names)
    for text in texts:
        if name in _QUERIES or _TABLES.search(text):
            names.words.update(_WORD.findall(text))


def _nested(code: str, names: Names) -> None:
    inside = names_in(code)
    names.read |= inside.read - names.bound
    for what in ("loaded", "stored", "changed", "own", "deleted", "called", "given", "alone", "seeded", "words"):
        getattr(names, what).update(getattr(inside, what))
    names.anything |= inside.anything


def _alone(node: ast.expr, names: Names) -> None:
    """A call whose value nobody takes is there for what it does."""
    if isinstance(node, ast.Await):
        node = node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        names.alone |= roots(node.func.value) - names.local


def _says_in_place(node: ast.Call) -> bool:
    return any(
        keyword.arg in ("inplace", "out") and not (isinstance(keyword.value, ast.Constant) and not keyword.value.value)
        for keyword in node.keywords
    )


def _lambda(node: ast.Lambda, names: Names) -> None:
    for default in (*node.args.defaults, *node.args.kw_defaults):
        if default is not None:
            _expression(default, names)
    parameters = ast.walk(node.args)
    _within(names, {item.arg for item in parameters if isinstance(item, ast.arg)}, [node.body])


def _comprehension(node: _COMPREHENSIONS, names: Names) -> None:
    first = node.generators[0]
    _expression(first.iter, names)
    targets = {item.id for part in node.generators for item in ast.walk(part.target) if isinstance(item, ast.Name)}
    inside = [item for part in node.generators for item in (*([] if part is first else [part.iter]), *part.ifs)]
    results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    _within(names, targets, [*inside, *results])


def _within(names: Names, local: set[str], expressions: Iterable[ast.expr]) -> None:
    before = names.local
    names.local = before | local
    for part in expressions:
        _expression(part, names)
    names.local = before


def _target(node: ast.expr, names: Names) -> None:
    """What an assignment does to its target: a name is bound, whatever owns an attribute or an item is changed."""
    match node:
        case ast.Name():
            _store(node.id, names)
        case ast.Tuple() | ast.List():
            for item in node.elts:
                _target(item, names)
        case ast.Starred():
            _target(node.value, names)
        case ast.Attribute() | ast.Subscript():
            _change(node.value, names)
            _children(node, names)


def _augmented(node: ast.expr, names: Names) -> None:
    if isinstance(node, ast.Name):
        _load(node.id, names)
        names.stored.add(node.id)
    else:
        _children(node, names)


def _delete(node: ast.expr, names: Names) -> None:
    match node:
        case ast.Name():
            _load(node.id, names)
            names.deleted.add(node.id)
            names.bound.discard(node.id)
        case ast.Tuple() | ast.List():
            for item in node.elts:
                _delete(item, names)
        case _:
            _target(node, names)


def _change(node: ast.expr, names: Names) -> None:
    for name in roots(node) - names.local:
        _load(name, names)
        (names.own if name in names.bound else names.changed).add(name)


def _load(name: str, names: Names) -> None:
    if name in names.local:
        return
    names.loaded.add(name)
    if name not in names.bound:
        names.read.add(name)
    names.anything |= name in _ANYTHING


def _store(name: str, names: Names) -> None:
    if name in names.local:
        return
    names.stored.add(name)
    names.bound.add(name)
