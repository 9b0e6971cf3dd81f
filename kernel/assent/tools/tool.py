"""`@tool`: a plain typed function becomes something an agent can call."""

import functools
import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, ParamSpec, TypeVar, overload

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic.json_schema import PydanticJsonSchemaWarning

from assent.core.canonical import digest
from assent.core.errors import ConfigError
from assent.core.model import ToolSpec
from assent.core.privilege import LEVELS, READ_ONLY, Privilege
from assent.core.taint import Source
from assent.core.words import words
from assent.risk.check import Check, Checks, checked
from assent.tools.declared import Acts, check
from assent.tools.idempotency import PARAMETER
from assent.tools.identity import identity
from assent.tools.paths import strange
from assent.tools.proposal import Proposal

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Output:
    """What a tool gives when text is not enough: `text` for the model, `display` for people, `value` for Python.

    `touched`: the variables and files that it read and wrote, as `tools.touched` and `tools.files_written` name them.
    `proposals`: the calls that a tool which proposes wants, as `tools.execute` reads them off its result.
    `sources`: what this call brought in from outside; a source of the kind "variable" means what that variable carries.
    `undone`: it is certain that nothing happened.
    """

    text: str
    display: Mapping[str, Any] | None = None
    value: Any = field(default=None, repr=False)  # its text may be endless, or raise; asyncio makes reprs of results
    error: bool = False
    touched: Mapping[str, Any] | None = None
    proposals: tuple[Proposal, ...] = ()
    sources: Sequence[Source | tuple[str, str]] | None = None
    undone: bool = False


@dataclass(frozen=True)
class Tool(Generic[P, R]):
    """A function with a name, a schema and a privilege. Calling it calls the function.

    `timeout` is in seconds, None for the agent's own; `idempotent` says that running it twice is as good as once, so
    that a call which was cut off is repeated without asking; `keyed` that it takes a key by which to know a call again;
    `here` runs a synchronous function on the event loop's own thread instead of a worker thread; `proposes` that it
    does nothing itself and returns what it wants done (`tools.proposal`). `source` and `acts` are what it declares of
    itself (`tools.declared`). `risk` are checks of its calls, and `facts` gives what these need beyond the arguments.
    `preview` says of some of the arguments what a call would do, and does nothing (`tools.foresee`).
    """

    function: Callable[P, R]
    name: str
    description: str
    privilege: Privilege
    arguments: type[BaseModel]
    timeout: float | None = None
    idempotent: bool = False
    here: bool = False
    keyed: bool = False
    proposes: bool = False
    source: str = ""
    acts: Acts = ""
    risk: Checks = ()
    facts: Callable[..., Any] | None = None
    preview: Callable[..., Any] | None = None
    schema: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    @functools.cached_property
    def identity(self) -> str:
        """The same for the same tool, in another process too; another one once its code or schema is."""
        own = identity(self.function, self.privilege, self.schema)
        judging = [item for item in (*[check.own for check in self.risk], self.facts) if item is not None]
        return digest([own, *[identity(item, "", {}) for item in judging]]) if judging else own

    @functools.cached_property
    def spec(self) -> ToolSpec:
        """What a model is told of it: one value, so that requests are compared at no cost."""
        return ToolSpec(self.name, self.description, self.schema)


@overload
def tool(function: Callable[P, R], /) -> Tool[P, R]: ...
@overload
def tool(
    *, privilege: Privilege | None = ..., name: str | None = ..., description: str | None = ...,
    timeout: float | None = ..., idempotent: bool = ..., here: bool = ..., proposes: bool = ...,
    source: str = ..., acts: Acts = ..., risk: Check | Iterable[Check] = ..., facts: Callable[..., Any] | None = ...,
    preview: Callable[..., Any] | None = ...,
) -> Callable[[Callable[P, R]], Tool[P, R]]: ...  # fmt: skip
def tool(
    function: Any = None, /, *, privilege: Privilege | None = None, name: str | None = None,
    description: str | None = None, timeout: float | None = None, idempotent: bool = False, here: bool = False,
    proposes: bool = False, source: str = "", acts: Acts = "", risk: Check | Iterable[Check] = (),
    facts: Callable[..., Any] | None = None, preview: Callable[..., Any] | None = None,
) -> Any:  # fmt: skip
    """Make a tool of a typed function, sync or async. Its docstring tells the model what it does.

    The privilege defaults to `execute_risky`, which asks: a function says for itself when it is harmless. A parameter
    `idempotency_key` is not the model's: it receives the call's id (`tools.idempotency`). One that `proposes` performs
    nothing, so it is `read_only` unless something else is said: it returns a `Proposal`, a list of them, or a pair of
    its result and these, and each becomes a call that is decided, shown and run like any other.

    `source` says what it brings in: "mail", "web:{url}" with the argument that says which, "none" where all it gives is
    its own. A tool that says nothing counts as a source itself, unless it gives no text. `acts` says whether it sends,
    writes or executes "outside", as all from `execute_risky` on do, or "inside".

    `risk` are checks (`assent.risk`) that each call is held to. `facts` is a function of those of the call's arguments
    that it names: it gives a mapping of what checks need besides, such as a price, and is called at each decision.

    `preview` is a function of those of its arguments that it names, sync or async. Before a person is asked it gives
    what the call would do: text, an `Output`, a DataFrame. It has all rights of this process and little time, and must
    not act; one that is late is left behind.
    """
    level = privilege or (READ_ONLY if proposes else "execute_risky")

    def make(function: Callable[P, R]) -> Tool[P, R]:
        if level not in LEVELS:
            raise ConfigError(f"{level!r} is no privilege; there are {', '.join(LEVELS)}.")
        if timeout is not None and timeout <= 0:
            raise ConfigError(f"A timeout of {timeout} seconds leaves no time; give a number above 0.")
        arguments = _arguments(function)
        check(source, acts, level, [item.name for item in _parameters(function)])
        for given, what in ((preview, "preview"), (facts, "facts")):
            if given is not None and not callable(given):
                raise ConfigError(f"The {what} of {function.__name__!r} must be a function, not {given!r}.")
        schema, checks = _schema(arguments), checked(risk)
        _check_names(function, arguments, schema, checks)
        if odd := {item.name for item in _parameters(preview or function)} - {i.name for i in _parameters(function)}:
            raise ConfigError(f"The preview of {function.__name__!r} takes {', '.join(odd)}, which the tool does not.")
        return Tool(
            function=function,
            name=name or function.__name__,
            description=description or inspect.getdoc(function) or "",
            privilege=level,
            arguments=arguments,
            timeout=timeout,
            idempotent=idempotent or proposes or level == READ_ONLY,
            proposes=proposes,
            source=source,
            acts=acts,
            risk=checks,
            facts=facts,
            preview=preview,
            here=here,
            keyed=any(item.name == PARAMETER for item in _parameters(function)),
            schema=schema,
        )

    return make if function is None else make(function)


def validate(tool: Tool[Any, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as Python values of the declared types; `ValueError` says, for a model to read, what is wrong."""
    return values_of(fitted(tool, arguments))


def fitted(tool: Tool[Any, Any], arguments: Mapping[str, Any]) -> BaseModel:
    """The arguments as the tool's own model of them; `ValueError` as of `validate`."""
    try:
        return tool.arguments.model_validate(dict(arguments))
    except ValidationError as error:
        problems = [
            f"{'.'.join(str(part) for part in item['loc']) or 'arguments'}: {item['msg']}" for item in error.errors()
        ]
        raise ValueError("; ".join(problems)) from None
    except Exception as error:  # a validator of the tool's own types
        raise ValueError(f"{type(error).__name__}: {words(error)}") from None


def values_of(arguments: BaseModel) -> dict[str, Any]:
    """What a tool's function is called with, by the names of its parameters."""
    return {field.alias or name: getattr(arguments, name) for name, field in type(arguments).model_fields.items()}


def _arguments(function: Callable[..., Any]) -> type[BaseModel]:
    if not inspect.isroutine(function) or not hasattr(function, "__name__"):
        raise ConfigError(f"{function!r} is no function; @tool goes above a def.")
    fields: dict[str, Any] = {}
    for number, parameter in enumerate(_parameters(function)):
        if parameter.name == PARAMETER:
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise ConfigError(f"The tool {function.__name__!r} has the parameter {parameter}: give plain named ones.")
        kind = Any if parameter.annotation is parameter.empty else parameter.annotation
        default = ... if parameter.default is parameter.empty else parameter.default
        # By position, the real name as alias: a parameter may be called schema, copy or _x, a pydantic field may not.
        fields[f"field_{number}"] = (Annotated[kind, Field(alias=parameter.name)], default)
    try:
        return create_model(function.__name__, __config__=ConfigDict(extra="forbid"), **fields)
    except (PydanticUserError, TypeError, ValueError, NameError) as error:
        raise _unfit(function.__name__, error) from None


def _check_names(
    function: Callable[..., Any], arguments: type[BaseModel], schema: Mapping[str, Any], checks: Checks
) -> None:
    """A check of an argument that there is not would deny every call."""
    for item, path in [(given, path) for given in checks for path in given.arguments]:
        if found := strange(arguments, schema, path):
            raise ConfigError(
                f"The check {item.name} of {function.__name__!r} is of the argument {found[0]!r}, which the tool does "
                f"not have: there are {', '.join(found[1]) or 'none'}."
            )


def _parameters(function: Callable[..., Any]) -> Iterable[inspect.Parameter]:
    try:
        return inspect.signature(function, eval_str=True).parameters.values()
    except Exception as error:  # evaluating an annotation runs whatever is written there
        raise ConfigError(f"The annotations of the tool {function.__name__!r} cannot be read: {error}.") from None


def _schema(arguments: type[BaseModel]) -> dict[str, Any]:
    try:
        with warnings.catch_warnings():
            # A default that JSON cannot say is left out of the schema; the function has it still.
            warnings.simplefilter("ignore", PydanticJsonSchemaWarning)
            schema = arguments.model_json_schema()
    except PydanticUserError as error:
        raise _unfit(arguments.__name__, error) from None
    for part in (schema, *schema.get("properties", {}).values()):
        part.pop("title", None)  # models pay for every token, and a title repeats the name
    return schema


def _unfit(name: str, error: Exception) -> ConfigError:
    return ConfigError(f"The tool {name!r} has a parameter that JSON cannot give: {str(error).splitlines()[0]}")
