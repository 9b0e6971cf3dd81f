"""`[[mask]]` and `[[local_only]]` of a policy: what a remote model reads masked, and what none ever reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assent.core.errors import ConfigError
from assent.core.glob import is_glob
from assent.core.mask import Mask
from assent.policy.entry import Entry

_KEYS = {"kind": str, "column": str, "columns": str, "regex": str, "name": str, "restore": bool, "local": bool}


@dataclass(frozen=True, slots=True)
class LocalOnly:
    """One `[[local_only]]`: a variable's name, or a pattern of some, and the line that says so."""

    name: str
    rule: str


def read_masks(entries: Sequence[Entry]) -> tuple[Mask, ...]:
    """The rules of `[[mask]]`: a `kind`, a `column`, `columns` by a pattern, or a `regex`."""
    return tuple([_mask(entry) for entry in entries])


def read_local_only(entries: Sequence[Entry]) -> tuple[LocalOnly, ...]:
    """Those of `[[local_only]]`: a `variable`, or `variables` by a pattern."""
    found: list[LocalOnly] = []
    for entry in entries:
        entry.check_keys(("variable", "variables"))
        if len(entry.values) != 1:
            raise entry.error('give one of them: variable = "patients", or variables = "patient_*".', "variables")
        found.append(LocalOnly(_named(entry, "variable", "variables"), entry.rule))
    return tuple(found)


def _mask(entry: Entry) -> Mask:
    entry.check_keys(_KEYS)
    values: dict[str, Any] = dict(entry.values)
    for key, value in values.items():
        if not isinstance(value, _KEYS[key]):
            raise entry.error(
                f"{key} must be {'true or false' if _KEYS[key] is bool else 'a text'}, not {value!r}.", key
            )
    named = _named(entry, "column", "columns") if values.keys() & {"column", "columns"} else ""
    given = {key: value for key, value in values.items() if key not in ("column", "columns")}
    try:
        return Mask(**given, columns=(named,) if named else (), rule=entry.rule)
    except ConfigError as error:
        raise entry.error_about(error) from None


def _named(entry: Entry, exact: str, pattern: str) -> str:
    """The name under the one key, or the pattern under the other."""
    if exact in entry.values and pattern in entry.values:
        raise entry.error(f"give {exact} or {pattern}, in an entry of its own each.", pattern)
    key = exact if exact in entry.values else pattern
    value = entry.values[key]
    if not isinstance(value, str) or not value:
        raise entry.error(f"{key} must be a name, not {value!r}.", key)
    is_pattern = is_glob(value)
    if is_pattern and key == exact:
        raise entry.error(f"{value!r} is a pattern: write {pattern} = {value!r}.", key)
    if not is_pattern and key == pattern:
        raise entry.error(f"{value!r} is no pattern: write {exact} = {value!r}.", key)
    return value
