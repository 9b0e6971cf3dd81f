"""Conditions on a call's arguments: `amount <= 100 and not path within data/`, read once, asked often.

    condition   = alternative {"or" alternative}
    alternative = part {"and" part}
    part        = "not" part | "(" condition ")" | comparison
    comparison  = NAME ("<" | "<=" | ">" | ">=" | "==" | "!=") VALUE
                | NAME ["not"] "in" "[" VALUE {"," VALUE} "]"
                | NAME ["not"] "within" FOLDER

A NAME is an argument, with dots for what is within it; `host`, or `url.host` for the host of an argument `url`, is
compared as hosts are (`policy.host`). A VALUE is a number, a text in quotes, true or false. A FOLDER needs no quotes.
"""

import functools
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from assent.policy.conflict import FREE, ORDER, Comparison, Ways, all_of, any_of, conflict
from assent.policy.host import one_of
from assent.policy.path import Ground, within

# What a condition says of arguments, on the ground of one decision; None where it cannot be told.
Test = Callable[[Mapping[str, Any], Ground], bool | None]
Getter = Callable[[Mapping[str, Any]], Any]
Some = tuple[Comparison, ...] | None  # one of these at least may hold; None where nothing is known of that

HOST = "host"  # the sign of a comparison with a host, as a condition writes it

_LONGEST = 2000  # characters, which bounds how deeply conditions nest
_TOKEN = re.compile(r"""\s*("[^"]*"|'[^']*'|<=|>=|==|!=|[<>=!()\[\],]|[^\s()\[\],<>=!"']+)""")
_NAME = re.compile(r"[^\W\d]\w*(\.\w+)*")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_NUMBERS = frozenset({int, float, str, Decimal})  # what may be a number: not a bool
_KEYWORDS = frozenset({"and", "or", "not", "in", "within", "true", "false"})
_OPPOSITES = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}

# What is said of a sign that is written the wrong way round, by what stands behind its "=".
_MEANT = {sign: f"={sign} compares nothing: write {sign}=" for sign in "<>!"}


@dataclass(frozen=True, slots=True)
class Condition:
    """`text` as it is written, with single spaces; `names` of the arguments that it asks about; what it says.

    Where it may hold, one of `holds` may; where it may fail, one of `fails` may hold. `sole`: it is a comparison alone.
    """

    text: str
    names: tuple[str, ...]
    test: Test
    holds: Some = None
    fails: Some = None
    sole: bool = False


@dataclass(frozen=True, slots=True)
class _Part:
    """A condition that may stand within another one; in which `ways` it may be true, and in which false."""

    test: Test
    holds: Some = None
    fails: Some = None
    ways: Ways = FREE
    against: Ways = FREE


def parse(text: str) -> Condition:
    """The condition of a text; `ValueError` says what is wrong with it."""
    if len(text) > _LONGEST:
        raise ValueError(f"it is longer than {_LONGEST} characters: make several rules of it")
    reader = _Reader(_tokens(text))
    try:
        part = reader.condition()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if (rest := reader.peek()) is not None:
        raise ValueError(f"{rest!r} is too much: join comparisons by and or or")
    if why := conflict(part.ways):
        raise ValueError(why)
    sole = part.holds is not None and len(reader.tokens) == 3 and not _is_host_name(reader.names[0])
    names = tuple(dict.fromkeys(reader.names))
    return Condition(_spaced(reader.tokens), names, part.test, part.holds, part.fails, sole)


def find(arguments: Mapping[str, Any], name: str) -> Any:
    """The argument of that name, with dots for what is within; None where there is none."""
    value: Any = arguments
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def number(value: Any) -> Decimal | None:
    """A number, or the number that a text says; None for anything else, and for what is not finite."""
    return _number(value) if type(value) in _NUMBERS else None


@functools.lru_cache(maxsize=1024, typed=True)
def _number(value: float | str | Decimal) -> Decimal | None:
    if isinstance(value, int):
        return Decimal(value)
    text = repr(value) if isinstance(value, float) else str(value)  # the shortest, as it stood in JSON
    if len(text) > 64:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def told(condition: Condition, arguments: Mapping[str, Any]) -> str:
    """The arguments that a condition asks about, as they are."""
    return ", ".join([_told(name, arguments) for name in condition.names])


def _told(name: str, arguments: Mapping[str, Any]) -> str:
    whole, _, last = name.rpartition(".")
    if last == "host" and whole and find(arguments, name) is None:
        name = whole  # the host of an address
    value = find(arguments, name)
    text = "missing" if value is None else repr(value)
    return f"{name} is {text if len(text) <= 80 else f'{text[:77]}…'}"


class _Reader:
    """Reads the tokens of one condition from left to right."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.names: list[str] = []
        self._at = 0

    def peek(self) -> str | None:
        return self.tokens[self._at] if self._at < len(self.tokens) else None

    def next(self, what: str) -> str:
        if (token := self.peek()) is None:
            raise ValueError(f"it ends where {what} should follow")
        self._at += 1
        return token

    def takes(self, word: str) -> bool:
        found = self.peek() == word
        self._at += found
        return found

    def condition(self) -> _Part:
        parts = [self._alternative()]
        while self.takes("or"):
            parts.append(self._alternative())
        return parts[0] if len(parts) == 1 else _any(parts)

    def _alternative(self) -> _Part:
        parts = [self._part()]
        while self.takes("and"):
            parts.append(self._part())
        return parts[0] if len(parts) == 1 else _all(parts)

    def _part(self) -> _Part:
        if self.takes("not"):
            return _not(self._part())
        if self.takes("("):
            inner = self.condition()
            if not self.takes(")"):
                raise ValueError("a ) is missing")
            return inner
        return self._comparison()

    def _comparison(self) -> _Part:
        name = self.next("an argument's name")
        if not _NAME.fullmatch(name) or name in _KEYWORDS:
            raise ValueError(f"{name!r} is no argument's name")
        self.names.append(name)
        negated = self.takes("not")
        sign = self.next("in, within or a comparison such as <=")
        if sign in ("in", "within"):
            part = _is_in(name, self._list()) if sign == "in" else _Part(_is_within(name, self._folder()))
            return _not(part) if negated else part
        if sign not in ORDER or negated:
            raise ValueError(f"{sign!r} is no comparison: write one of {', '.join(ORDER)}, in, within")
        return _comparison(name, sign, self.value(sign))

    def value(self, sign: str) -> Decimal | str | bool:
        token = self.next(f"a value behind {sign}")
        if token[0] in "\"'":
            return token[1:-1]
        if token in ("true", "false"):
            return token == "true"
        if not _NUMBER.fullmatch(token):
            raise ValueError(f"{token!r} is neither a number nor a text in quotes")
        return Decimal(token)

    def _list(self) -> list[Decimal | str | bool]:
        if not self.takes("["):
            raise ValueError("a list in [ ] must stand behind in")
        values = [self.value("[")]
        while self.takes(","):
            values.append(self.value(","))
        if not self.takes("]"):
            raise ValueError("a ] is missing")
        return values

    def _folder(self) -> str:
        token = self.next("a folder behind within")
        folder = token[1:-1] if token[0] in "\"'" else token
        if not folder.strip() or token in ("(", ")", "[", "]", ",", *ORDER, *_KEYWORDS):
            raise ValueError(f"{token!r} is no folder")
        return folder


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        if (found := _TOKEN.match(text, at)) is None:
            raise ValueError(f"{text[at:end].strip()!r} cannot be read: is a quotation mark missing?")
        tokens.append(found[1])
        at = found.end()
    if "=" in tokens:
        after = tokens[tokens.index("=") + 1 :][:1]
        raise ValueError(_MEANT.get(after[0] if after else "", "= compares nothing: write =="))
    return tokens


def _spaced(tokens: list[str]) -> str:
    return re.sub(r"(?<=[(\[]) | (?=[)\],])", "", " ".join(tokens))


def getter(name: str) -> Getter:
    """What finds the argument of that name."""
    if "." in name:
        return lambda arguments: find(arguments, name)
    return operator.methodcaller("get", name)


def _comparison(name: str, sign: str, wanted: Decimal | str | bool) -> _Part:
    if _is_host_name(name) and sign in ("==", "!="):
        part = _is_in(name, [wanted])
        return part if sign == "==" else _not(part)
    opposite = _OPPOSITES[sign]
    itself, other = (name, sign, wanted), (name, opposite, wanted)
    return _Part(_compared(name, sign, wanted), (itself,), (other,), ((itself,),), ((other,),))


def _compared(name: str, sign: str, wanted: Decimal | str | bool) -> Test:
    compare, get = ORDER[sign], getter(name)
    if isinstance(wanted, Decimal):

        def by_number(arguments: Mapping[str, Any], _: Ground) -> bool | None:
            found = number(get(arguments))
            return None if found is None else compare(found, wanted)

        return by_number
    if sign not in ("==", "!="):
        raise ValueError(f"{sign} compares numbers, not {wanted!r}")

    def by_kind(arguments: Mapping[str, Any], _: Ground) -> bool | None:
        found = get(arguments)
        return compare(found, wanted) if isinstance(found, type(wanted)) else None

    return by_kind


def _is_in(name: str, values: list[Decimal | str | bool]) -> _Part:
    if _is_host_name(name):
        return _Part(_is_host(name, values), tuple([(name, HOST, str(value)) for value in values]))
    return _any([_comparison(name, "==", value) for value in values])


def _is_host_name(name: str) -> bool:
    return name.rpartition(".")[2] == "host"


def _is_host(name: str, values: list[Decimal | str | bool]) -> Test:
    hosts = one_of([str(value) for value in values])
    get = host_getter(name)

    def by_host(arguments: Mapping[str, Any], _: Ground) -> bool | None:
        found = get(arguments)
        return hosts.holds(found) if isinstance(found, str) else None

    return by_host


def host_getter(name: str) -> Getter:
    """What finds the text whose host is meant: the argument `url.host`, else `url`."""
    if "." not in name:
        return getter(name)
    whole, part = getter(name), getter(name.rpartition(".")[0])

    def found(arguments: Mapping[str, Any]) -> Any:
        value = whole(arguments)
        return part(arguments) if value is None else value

    return found


def _is_within(name: str, folder: str) -> Test:
    get = getter(name)

    def by_path(arguments: Mapping[str, Any], ground: Ground) -> bool | None:
        found = get(arguments)
        return within(found, folder, ground) if isinstance(found, str) else None

    return by_path


def _not(part: _Part) -> _Part:
    test = part.test

    def opposite(arguments: Mapping[str, Any], ground: Ground) -> bool | None:
        said = test(arguments, ground)
        return None if said is None else not said

    return _Part(opposite, part.fails, part.holds, part.against, part.ways)


def _all(parts: Sequence[_Part]) -> _Part:
    tests = tuple([part.test for part in parts])

    def every(arguments: Mapping[str, Any], ground: Ground) -> bool | None:
        sure = True
        for test in tests:
            said = test(arguments, ground)
            if said is False:
                return False
            sure = sure and said is not None
        return sure or None

    ways, against = all_of([part.ways for part in parts]), any_of([part.against for part in parts])
    if why := conflict(ways):
        raise ValueError(why)
    holds, fails = _any_of([part.holds for part in parts]), _each_of([part.fails for part in parts])
    return _Part(every, holds, fails, ways, against)


def _any(parts: Sequence[_Part]) -> _Part:
    tests = tuple([part.test for part in parts])

    def some(arguments: Mapping[str, Any], ground: Ground) -> bool | None:
        sure = True
        for test in tests:
            said = test(arguments, ground)
            if said:
                return True
            sure = sure and said is not None
        return False if sure else None

    ways, against = any_of([part.ways for part in parts]), all_of([part.against for part in parts])
    holds, fails = _each_of([part.holds for part in parts]), _any_of([part.fails for part in parts])
    return _Part(some, holds, fails, ways, against)


def _any_of(found: Sequence[Some]) -> Some:
    """Each part says it of its own: the fewest are enough."""
    return min([some for some in found if some is not None], key=len, default=None)


def _each_of(found: Sequence[Some]) -> Some:
    known = [some for some in found if some is not None]
    return tuple([item for some in known for item in some]) if len(known) == len(found) else None
