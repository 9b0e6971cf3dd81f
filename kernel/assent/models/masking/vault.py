"""The placeholders of one conversation: the same value is the same one throughout, in the order of its first use."""

import json
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from assent.core.cargo import Cell
from assent.core.errors import Withheld
from assent.core.mask import Mask
from assent.models.masking.kinds import find, same
from assent.models.masking.usual import Usual, usual

_WORD = re.compile(r"\w+")
_PLACEHOLDER = re.compile(r"\[[A-Za-z][A-Za-z0-9_]{0,30}_\d{1,9}\]")
_SHORTEST = 3  # signs of a column's value that is looked for where no column is
_LONG = 12  # signs from which on it is one though letters follow without a space

Span = tuple[int, int, str, str]  # from, to, the name of its rule, the value: "" where it is what stands there


@dataclass(slots=True)
class Vault:
    """What the `rules` have put in the place of what. It lives as long as its run is at work in this process.

    Made anew from the same conversation it is the same again: so nothing of it is kept anywhere.
    """

    rules: Sequence[Mask]
    past: Sequence[Mask] = ()  # rules of before, of other names: what they have handed out is still put back
    _named: dict[tuple[str, str], str] = field(default_factory=dict)  # rule and value as compared: the placeholder
    _values: dict[str, str] = field(default_factory=dict)  # placeholder: the value as it was first written
    _numbers: Counter[str] = field(default_factory=Counter)
    _known: dict[str, list[tuple[int, str, str, str]]] = field(default_factory=dict)  # by first word

    def masked(self, text: str, cells: Iterable[Cell] = ()) -> tuple[str, Counter[str]]:
        """`text` with placeholders, and how many by rule. `cells` are those of masked columns; they are known then."""
        names = {rule.name for rule in self.rules}
        given = [(*cell, "") for cell in cells if cell[2] in names and cell[0] < cell[1] <= len(text)]
        for begin, end, name, _ in given:
            self._learn(text[begin:end], name)
        found: Counter[str] = Counter()
        pieces: list[str] = []
        done = 0
        for begin, end, name, value in _apart([*given, *self._seen(text), *self._found(text)], self._back()):
            pieces += (text[done:begin], self._placeholder(name, value or text[begin:end]))
            found[name] += 1
            done = end
        return ("".join([*pieces, text[done:]]), found) if found else (text, found)

    def under(self, rules: Sequence[Mask]) -> "Vault":
        """One for the same conversation under other rules: values keep their placeholders, and these their values."""
        names = {rule.name for rule in rules}
        past = [rule for rule in (*self.past, *self.rules) if rule.name not in names]
        return Vault(rules, past, dict(self._named), dict(self._values), Counter(self._numbers))

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where something stands that would be masked, or part of it; nothing is kept of that."""
        for begin, end, _, _ in (*self._seen(text), *self._found(text)):
            yield begin, end

    def restored(self, text: str, quoted: bool = False) -> str:
        """`text` with the values of those rules that are put back; `quoted` is the text of JSON."""
        back = self._back()

        def value(match: re.Match[str]) -> str:
            kept = self._values.get(match[0])
            if kept is None or match[0][1:].rpartition("_")[0] not in back:
                return match[0]
            return json.dumps(kept, ensure_ascii=False)[1:-1] if quoted else kept

        return _PLACEHOLDER.sub(value, text)

    @property
    def restores(self) -> bool:
        return bool(self._back())

    def _back(self) -> frozenset[str]:
        """The names of the rules whose values are put back; of two of one name both have to say so."""
        rules = (*self.rules, *self.past)
        return frozenset([rule.name for rule in rules]) - {rule.name for rule in rules if not rule.restore}

    def _placeholder(self, name: str, value: str) -> str:
        kind = next((rule.kind for rule in self.rules if rule.name == name), "")
        key = (name, same(kind, value))
        if key not in self._named:
            self._numbers[name] += 1
            self._named[key] = placeholder = f"[{name}_{self._numbers[name]}]"
            self._values[placeholder] = value
        return self._named[key]

    def _learn(self, value: str, name: str) -> None:
        """Know a column's value wherever it stands from now on: a model that got it back repeats it in clear."""
        for form in {value, json.dumps(value, ensure_ascii=False)[1:-1], json.dumps(value)[1:-1]}:
            word = _WORD.search(form)
            if word is None or len(form) < _SHORTEST:
                continue
            known = self._known.setdefault(word[0], [])
            if (item := (word.start(), form, name, value)) not in known:
                known.append(item)

    def _seen(self, text: str) -> Iterator[Span]:
        if not self._known:
            return
        for word in _WORD.finditer(text):
            for offset, form, name, value in self._known.get(word[0], ()):
                begin = word.start() - offset
                end = begin + len(form)
                alone = len(form) >= _LONG or not text[end : end + 1].isalnum()
                if begin >= 0 and alone and text.startswith(form, begin):
                    yield begin, end, name, value

    def _found(self, text: str) -> Iterator[Span]:
        plain = usual(text) if any(rule.kind for rule in self.rules) else Usual(text)
        for rule in self.rules:
            if rule.kind:
                yield from [(begin, end, rule.name, "") for begin, end in find(rule.kind, plain)]
            elif rule.regex:
                yield from [(*match.span(), rule.name, "") for match in re.finditer(rule.regex, text) if match[0]]
            elif rule.function is not None:
                yield from self._by_function(rule, text)

    def _by_function(self, rule: Mask, text: str) -> Iterator[Span]:
        assert rule.function is not None
        try:
            values = {value for value in rule.function(text) if value}
            for value in values:
                yield from [(*match.span(), rule.name, "") for match in re.finditer(re.escape(value), text)]
        except Exception as error:  # whatever the analyst's own function raises
            raise Withheld(
                f"Nothing was sent, since the function of the mask {rule.name!r} raised {type(error).__name__}: "
                "correct it, then resume the run."
            ) from None


def _apart(spans: Iterable[Span], back: Container[str]) -> Iterator[Span]:
    """Spans one after the other: of those that overlap one is made, which goes by the name of the first and longest.

    But where one of them is not put back, the whole is not: a rule of a lower layer may not loosen one above it.
    """
    latest: Span | None = None
    for span in sorted(spans, key=lambda item: (item[0], -item[1])):
        if latest is not None and span[0] < latest[1]:
            name = span[2] if latest[2] in back and span[2] not in back else latest[2]
            if span[1] > latest[1] or name != latest[2]:
                latest = (latest[0], max(latest[1], span[1]), name, "")
            continue
        if latest is not None:
            yield latest
        latest = span
    if latest is not None:
        yield latest
