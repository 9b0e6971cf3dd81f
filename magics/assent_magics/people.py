"""`%agent people`: who can prove who they are; and the question for the passphrase that proves it."""

import getpass
from dataclasses import replace
from typing import Any

from assent.core import people as listed
from assent.core.commands import Decide
from assent.core.errors import ConfigError
from assent.core.ids import run_of
from assent.tools.by_hand import by_hand
from assent_magics import options
from assent_magics.desk import Desk


def people(desk: Desk, rest: str) -> Any:
    """The people who are listed, as a table; or one more."""
    words, _ = options.split(rest, options.NONE)
    match words:
        case []:
            return _table()
        case ["add", name]:
            _add(name)
            return None
        case _:
            raise ConfigError("%agent people lists who can approve by passphrase; %agent people add NAME adds one.")


def proved(desk: Desk, command: Decide) -> Decide:
    """The command with the passphrase that its question asks for, or that `by` was named with.

    Nobody types one for what would be refused anyway.
    """
    desk.session.check(command)
    asked = [item for item in desk.session.pending(run_of(command.call)) if item.call == command.call]
    if command.outcome is not None or not (command.by or any(item.personal for item in asked)):
        return command
    by = command.by or desk.session.user
    listed.check_listed(by)
    return replace(command, by=by, passphrase=ask(f"The passphrase of {by}: "))


def _table() -> Any:
    import pandas  # takes 0.3 s to import: not before there is a table to show

    if not (names := listed.names()):
        print(f"Nobody is listed in {listed.path()}. %agent people add NAME lists a person, who types a passphrase.")
        return None
    return pandas.DataFrame({"person": names, "listed in": str(listed.path())})


def _add(name: str) -> None:
    by_hand("People list themselves")
    before = ask(f"The passphrase of {name} until now: ") if name in listed.names() else ""
    passphrase = ask(f"A passphrase for {name}, {listed.SHORTEST} characters or more: ")
    if passphrase != ask("Once more: "):
        raise ConfigError("These were two different passphrases. Nothing was changed.")
    listed.enrol(name, passphrase, before)
    print(f"{name} is listed in {listed.path()}.")


def ask(text: str) -> str:
    """What a person types for a passphrase; `ConfigError` where nobody can be asked."""
    try:
        return getpass.getpass(text)
    except (EOFError, RuntimeError, NotImplementedError) as error:
        raise ConfigError(f"No passphrase was given ({type(error).__name__}), so nothing was changed.") from None
