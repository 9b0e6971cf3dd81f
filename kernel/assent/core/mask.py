"""A rule for what is put in the place of personal data before a model that is not on this machine reads it."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache

from assent.core.canonical import canonical
from assent.core.errors import ConfigError
from assent.core.glob import is_glob

# What `models.masking.kinds` finds, by form and, where there is one, checksum.
KINDS = ("email", "card", "iban", "br_cpf", "ch_ahv", "de_steuer_id", "es_dni", "fr_nir", "nl_bsn", "uk_nhs", "us_ssn")
_SIGNS = re.compile(r"[^A-Za-z0-9_]")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mask:
    """One rule. Exactly one of `kind`, `columns`, `regex` and `function` says what is masked.

    `columns` are names, whatever their case, and globs where one of `*?[` stands in them. `function` gives the texts to
    mask in the text that it is given. A value is sent as `[name_1]`; with `restore`, it is put back where the model
    writes that in an answer's text or in a call's arguments. `local`: models on this machine do not see it either.
    """

    name: str = ""
    kind: str = ""
    columns: tuple[str, ...] = ()
    regex: str = ""
    function: Callable[[str], Iterable[str]] | None = None
    restore: bool = False
    local: bool = False
    rule: str = ""

    def __post_init__(self) -> None:
        if sum(map(bool, (self.kind, self.columns, self.regex, self.function))) != 1:
            raise ConfigError("A mask says one thing: a kind, columns, a regex, or in Python a function.")
        if self.kind and self.kind not in KINDS:
            raise ConfigError(f"{self.kind!r} is no kind of data to mask; there are {', '.join(KINDS)}.")
        if not all(isinstance(column, str) and column for column in self.columns):
            raise ConfigError("The columns of a mask are a list of names.")
        if not self.name:
            column = _SIGNS.sub("", self.columns[0]).strip("_") if self.columns else ""
            object.__setattr__(self, "name", self.kind or (column if _NAME.fullmatch(column) else "value"))
        if not _NAME.fullmatch(self.name):
            raise ConfigError(f"{self.name!r} is no name for a mask: write letters, digits and _, 31 at most.")
        try:
            re.compile(self.regex)
        except re.error as error:
            raise ConfigError(f"{self.regex!r} is no regular expression: {error}.") from None

    @property
    def key(self) -> str:
        """What stands for the rule where it is said that a text was looked through for its columns."""
        return canonical([self.name, *self.columns])

    def covers(self, column: str) -> bool:
        """Whether a column of that name is masked."""
        return bool(self.columns) and matches(self.columns, column)


def matches(patterns: tuple[str, ...], name: str) -> bool:
    """Whether a name is one of these names, or fits one of these globs, whatever the case."""
    return _compiled(patterns).fullmatch(name.casefold()) is not None


@lru_cache(maxsize=256)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    names = [item.casefold() for item in patterns]
    written = [translate(item) if is_glob(item) else re.escape(item) for item in names]
    return re.compile("|".join([f"(?:{item})" for item in written]))


_own: list[Mask] = []


def mask(
    kind: str = "",
    *,
    columns: str | Iterable[str] = (),
    regex: str = "",
    function: Callable[[str], Iterable[str]] | None = None,
    name: str = "",
    restore: bool = False,
    local: bool = False,
) -> Mask:
    """Mask this in whatever is sent to a model from now on; until the kernel is restarted.

    `mask("email")`, `mask(columns=["name", "*_phone"])`, `mask(regex=r"KD-\\d{6}", name="customer", restore=True)`.
    A function gives its own name to its mask, and one that is written anew takes the place of the former.
    """
    given = (columns,) if isinstance(columns, str) and columns else tuple(columns)
    named = name or _called(function)
    made = Mask(named, kind, given, regex, function, restore, local, "assent.mask")
    if function is not None and named:
        _own[:] = [rule for rule in _own if rule.function is None or rule.name != named]
    if made not in _own:
        _own.append(made)
    return made


def _called(function: Callable[[str], Iterable[str]] | None) -> str:
    """The name that a function has, if it can be that of a mask."""
    name = getattr(function, "__name__", "")
    return name if _NAME.fullmatch(name) else ""


def own() -> tuple[Mask, ...]:
    """The rules of this process."""
    return tuple(_own)
