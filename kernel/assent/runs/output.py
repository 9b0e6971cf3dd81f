"""What a run must answer with: from a type to a schema, and from the answer's text to a value."""

import functools
import json
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError, create_model
from pydantic.json_schema import PydanticJsonSchemaWarning

from assent.core.errors import ConfigError
from assent.core.model import OutputSchema
from assent.runs.candidates import candidates
from assent.runs.frame import Column, columns_from_json, columns_of, frame_of, row_type
from assent.runs.spelling import is_type, kind_of, spelled
from assent.tools.preview import is_frame

_PROBLEMS = 10  # that a model is told of at once
_MANY = 10_000  # problems that are counted only: to spell them out takes a microsecond and a kilobyte each
_PART = re.compile(r"""(?:"[^"]*"|'[^']*'|\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\]|[^,])+""")  # brackets two deep
_COLUMN = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|([^:'"\[\]()]+?))\s*:\s*(.+?)\s*""", re.DOTALL)
_LOOKAROUND = re.compile(r"\(\?(?:[=!]|<[=!])")
_VALUES = ("default", "const", "enum", "examples")  # words of a schema that hold values of the user's, not schemas


@dataclass(frozen=True, slots=True)
class OutputType:
    """A type that answers are held to. `text` writes it, or `columns` do.

    `wrapped` is the key that a value stands under where the type itself is no JSON object, "" where it is one.
    """

    text: str
    schema: OutputSchema
    wrapped: str
    columns: tuple[Column, ...]
    parse: Callable[[str], Any]

    def to_json(self, names: Mapping[str, Any]) -> dict[str, Any]:
        """What the journal keeps, so that another process finds the type again."""
        columns = {"columns": [column.to_json(names) for column in self.columns]} if self.columns else {}
        return {"name": self.schema.name, "type": self.text, **columns, "schema": self.schema.schema}


def output_type(kind: Any, names: Mapping[str, Any]) -> OutputType:
    """The output type that `kind` is (see `core.commands.StartRun`); names are looked up in `names`."""
    if isinstance(kind, str):
        return _written(kind, names)
    if isinstance(kind, Mapping) or is_frame(kind):
        return _table(columns_of(kind, names))
    if isinstance(kind, type) and kind.__name__ == "DataFrame":
        raise ConfigError(
            'A DataFrame needs columns: give {"region": str, "revenue": float}, "region: str, revenue: float", '
            "or a DataFrame that has them."
        )
    return _typed(kind, spelled(kind, names))


def restored(record: Mapping[str, Any], names: Mapping[str, Any]) -> OutputType:
    """The output type of a run that goes on. `NotFound` where it is not defined, `ConfigError` where it has changed."""
    text = record["type"]
    if "columns" in record:
        output = _table(columns_from_json(record["columns"], names))
    else:
        output = _typed(names[text], text) if is_type(names.get(text)) else _typed(kind_of(text, names), text)
    if json.loads(json.dumps(output.schema.schema)) != record["schema"]:
        raise ConfigError(
            f"The type {text} is not the one that the run was started with: its schema has changed. "
            "Run the cell that defines it as it was, or start a new run."
        )
    return output


def read(output: OutputType, text: str) -> tuple[str, Any]:
    """The JSON in the answer's text and the value that it is; `ValueError` says, for the model, what does not fit."""
    found: list[tuple[str, Any]] = []
    problems: list[str] = []
    for spellings in candidates(text.strip(), output.wrapped):
        for json_text in spellings:
            try:
                found.append((json_text, output.parse(json_text)))
                break
            except ValidationError as error:
                problems.append(_problems(error))
            except (
                Exception,
                SystemExit,
            ) as error:  # a validator of the type's own, or a column that cannot hold a value
                problems.append(f"- {str(error) or type(error).__name__}")
    if len(found) > 1:
        raise ValueError(f"- it holds {len(found)} JSON objects that could be meant: give one, without words around it")
    if not found:
        raise ValueError(problems[0] if problems else "- it holds no JSON object")
    return found[0]


def _written(text: str, names: Mapping[str, Any]) -> OutputType:
    """A name of a type, columns or a DataFrame; or the type or the columns themselves."""
    named = names.get(text.strip())
    if isinstance(named, Mapping) or is_frame(named) or is_type(named):
        return output_type(named, names)
    if (columns := _inline(text)) is not None:
        return _table(columns_of(columns, names))
    return output_type(kind_of(text, names), names)


def _inline(text: str) -> dict[str, str] | None:
    """`region: str, revenue: float` as a mapping; None for what is no list of columns."""
    found = [_COLUMN.fullmatch(part) for part in _PART.findall(text)]
    if not found or not all(found):
        return None
    pairs = [(match[1] or match[2] or match[3], match[4]) for match in found if match]
    if len(dict(pairs)) < len(pairs):
        raise ConfigError(f"Two columns of {text!r} have the same name: rename one of them.")
    return dict(pairs)


def _table(columns: tuple[Column, ...]) -> OutputType:
    try:
        frame_of(columns, [])
    except ValueError as error:
        raise ConfigError(f"There can be no such DataFrame: {error}.") from None
    told = ", ".join([f"{column.name}: {column.dtype}" for column in columns])
    model: Any = _checked(f"DataFrame({told})", row_type, columns)
    adapter, schema = _checked(f"DataFrame({told})", _adapter, create_model("Table", rows=(list[model], ...)))
    parse = functools.partial(_frame, adapter, columns)
    return OutputType(f"DataFrame({told})", OutputSchema("table", schema), "rows", columns, parse)


def _frame(adapter: TypeAdapter[Any], columns: tuple[Column, ...], text: str) -> Any:
    return frame_of(columns, adapter.validate_json(text).rows)


def _typed(kind: Any, text: str) -> OutputType:
    adapter, schema = _checked(text, _adapter, kind)
    if schema.get("type") == "object":
        return OutputType(text, OutputSchema(_name(kind), schema), "", (), adapter.validate_json)
    wrapper, schema = _checked(text, _adapter, create_model("Answer", value=(kind, ...)))
    return OutputType(text, OutputSchema(_name(kind), schema), "value", (), functools.partial(_value, wrapper))


def _value(wrapper: TypeAdapter[Any], text: str) -> Any:
    return wrapper.validate_json(text).value


def _checked(text: str, make: Callable[[Any], Any], kind: Any) -> Any:
    try:
        return make(kind)
    except Exception as error:  # pydantic's own, and whatever a type raises as it is looked at
        reason = (str(error).splitlines() or [type(error).__name__])[0].partition(". ")[0].removesuffix(".")
        raise ConfigError(f"JSON cannot give an answer of the type {text}: {reason}.") from None


def _name(kind: Any) -> str:
    name = re.sub(r"\W", "_", getattr(kind, "__name__", ""), flags=re.ASCII)[:60]
    return name if isinstance(kind, type) and kind.__module__ != "builtins" and name else "answer"


def _adapter(kind: Any) -> tuple[TypeAdapter[Any], dict[str, Any]]:
    with warnings.catch_warnings():
        # A default that JSON cannot say is left out of the schema; the type has it still.
        warnings.simplefilter("ignore", PydanticJsonSchemaWarning)
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        return adapter, dict(_lean(adapter.json_schema()))


def _lean(value: Any, *, named: bool = False) -> Any:
    """The schema without titles, which repeat names that models pay for, and patterns that no vendor can enforce.

    `named`: the keys are names of properties or definitions, not words of the schema's own.
    """
    if isinstance(value, list):
        return [_lean(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: item if not named and key in _VALUES else _lean(item, named=not named and key in ("properties", "$defs"))
        for key, item in value.items()
        if named or not (key == "title" or (key == "pattern" and _LOOKAROUND.search(str(item))))
    }


def _problems(error: ValidationError) -> str:
    if error.error_count() > _MANY:
        return f"- {error.error_count()} values do not fit"
    problems = [
        f"- {'.'.join(str(part) for part in item['loc']) or 'answer'}: {item['msg']}"
        for item in error.errors(include_url=False, include_input=False)
    ]
    more = [f"- and {len(problems) - _PROBLEMS} more"] if len(problems) > _PROBLEMS else []
    return "\n".join(problems[:_PROBLEMS] + more)
