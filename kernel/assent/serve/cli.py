"""The command line: `assent install | fetch | doctor | run`, and `serve.keeping`'s."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import assent
from assent.core.errors import AssentError
from assent.jupyter import doctor
from assent.jupyter.install import install
from assent.models.local import weights
from assent.serve import keeping, notebook
from assent.serve.progress import bar


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments say; the process's exit code: 0 done, 1 failed, 2 misused, 130 interrupted."""
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.command(arguments)
    except AssentError as error:
        print(f"assent: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("assent: interrupted", file=sys.stderr)
        return 130
    return code


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser("assent", description="An agent kernel for Jupyter: agents that ask first.")
    top.add_argument("--version", action="version", version=f"assent {assent.__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    add = commands.add_parser("install", help="install the kernel for Jupyter, with this interpreter's path")
    place = add.add_mutually_exclusive_group()
    place.add_argument("--user", action="store_true", help="for this user, in every environment")
    place.add_argument("--sys-prefix", action="store_true", help="in this environment (the default)")
    place.add_argument("--prefix", metavar="DIR", help="under DIR/share/jupyter/kernels")
    add.set_defaults(command=_install)

    fetch = commands.add_parser("fetch", help="fetch the local model's weights, once per user")
    fetch.add_argument("model", nargs="?", default=weights.DEFAULT, help="default: %(default)s")
    fetch.set_defaults(command=_fetch)

    check = commands.add_parser("doctor", help="say what is installed, found and missing")
    check.set_defaults(command=_doctor)

    run = commands.add_parser("run", help="execute a notebook and print its transcript")
    run.add_argument("notebook", type=Path)
    run.add_argument("--kernel", default="assent", help="default: %(default)s")
    run.add_argument("--output", type=Path, metavar="FILE", help="write the executed notebook there")
    run.set_defaults(command=_run)

    keeping.add(commands)
    return top


def _install(arguments: argparse.Namespace) -> int:
    prefix = arguments.prefix or (None if arguments.user else sys.prefix)
    try:
        print(f"The kernel is installed in {install(user=arguments.user, prefix=prefix)}")
    except OSError as error:
        raise AssentError(f"The kernel could not be installed: {error}. Try --user or another --prefix.") from None
    return 0


def _fetch(arguments: argparse.Namespace) -> int:
    with bar(arguments.model) as progress:
        path = weights.ensure(arguments.model, progress)
    print(path)
    return 0


def _doctor(_: argparse.Namespace) -> int:
    findings = list(doctor.examine())
    for finding in findings:
        print(finding)
    return 0 if all(finding.ok for finding in findings) else 1


def _run(arguments: argparse.Namespace) -> int:
    notebook.execute(arguments.notebook, kernel=arguments.kernel, output=arguments.output)
    return 0
