"""What a piece of code would do as far as its text says, where it cannot be tried on a copy."""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from assent.tools.looks import is_variable
from assent.tools.names import names_in

_MOST = 20  # names of a kind
LONGEST = 20_000  # characters of code that are looked at: they take a tenth of a second
_WRITERS = re.compile(r"to_(csv|parquet|excel|json|pickle|feather|hdf|html|latex|stata|xml)|savefig|save|savez|dump")
_MODULES = frozenset(
    {
        "subprocess", "socket", "requests", "httpx", "aiohttp", "urllib", "http", "smtplib", "ftplib", "shutil",
        "ctypes", "multiprocessing", "signal", "os",
    }
)  # fmt: skip
_URL = re.compile(r"https?://[^\s'\"]+")


def by_text(code: str, namespace: Mapping[str, Any]) -> list[str]:
    """Sentences: which variables it binds, changes, deletes; which files, hosts and modules its text names.

    It is for at most LONGEST characters: it takes longer the longer the code is, and more than in proportion.
    """
    names = names_in(code)
    here = {name for name in list(namespace) if is_variable(name)}
    kinds = {
        "overwrites": (names.stored & here) - names.changed,
        "may change": (names.changed | names.own | names.given) & here - names.deleted,
        "deletes": names.deleted & here,
        "binds": names.stored - here,
    }
    lines = [f"{verb} {_listed(found)}" for verb, found in kinds.items() if found]
    lines += ["may change any variable: it runs other code"] if names.anything else []
    return lines + _outside(code)


def _outside(code: str) -> list[str]:
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return []
    files = [path for node in ast.walk(tree) if isinstance(node, ast.Call) for path in _written(node)]
    urls = [url for node in ast.walk(tree) if isinstance(node, ast.Constant) for url in _urls(node.value)]
    modules = [name for node in ast.walk(tree) for name in _imported(node) if name in _MODULES]
    kinds = {"writes": files, "names the host": urls, "uses": modules}
    return [f"{verb} {_listed(set(found))}" for verb, found in kinds.items() if found]


def _written(call: ast.Call) -> Iterator[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    texts = [item.value for item in call.args if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    opens = name == "open" and len(texts) > 1 and set(texts[1]) & set("wax+")
    if texts and (_WRITERS.fullmatch(name) or opens):
        yield texts[0]


def _urls(value: object) -> Iterator[str]:
    for url in _URL.findall(value) if isinstance(value, str) else ():
        yield urlsplit(url).netloc


def _imported(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [item.name.partition(".")[0] for item in names]
        case ast.ImportFrom(module=str() as module):
            return [module.partition(".")[0]]
    return []


def _listed(names: set[str]) -> str:
    some = sorted(names)[:_MOST]
    return ", ".join(some) + (f" and {len(names) - _MOST} more" if len(names) > _MOST else "")
