"""Every sub-command of `%agent` is in the help, with its options and the ways to say it."""

import re

import pytest
from tests.magics.shell import Shell

from assent_magics.commands import COMMANDS
from assent_magics.ways import WAYS


def test_help_names_every_command_and_option(shell: Shell) -> None:
    shell.run("%agent help")
    for name, command in COMMANDS.items():
        assert f"%agent {command.usage}" in shell.shown, name
    assert "--on-ask" in shell.shown
    shell.run("%agent help approve")
    assert "--happened" in shell.shown
    assert "--on-ask" not in shell.shown


@pytest.mark.parametrize("name", WAYS)
def test_the_ways_of_a_command_are_commands(shell: Shell, name: str) -> None:
    shell.run(f"%agent help {name}")
    for way, does in WAYS[name]:
        assert way.split()[0] in COMMANDS
        assert set(re.findall(r"--[a-z-]+", way)) <= set(COMMANDS[way.split()[0]].options)
        assert f"%agent {way}" in shell.shown
        assert does in shell.shown
