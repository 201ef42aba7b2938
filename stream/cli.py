"""``retention-stream COMMAND``: each command lives in a module of its own, imported when called."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, Protocol, cast

from stream.settings import DEFAULTS, SettingError, Settings, load_settings
from stream.tools.console import CommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "retention-stream"
EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
#: A worker's sums are small, and a pool of threads for them would spin beside those with work.
WORKER_ENVIRON = {"OPENBLAS_NUM_THREADS": "1"}


class CommandModule(Protocol):
    """What a module behind a command offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's options."""

    def run(self, settings: Settings, args: argparse.Namespace) -> int:
        """Run the command; its exit code."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command's module and its line in the help."""

    module: str
    help: str


COMMANDS = {
    "demo": Command("stream.tools.demo", "broker, worker and a simulated shop in one go"),
    "worker": Command("stream.faust_app.worker", "run a worker until SIGTERM"),
    "broker": Command("stream.tools.embedded_broker", "run a Kafka-compatible broker in memory"),
    "topics": Command("stream.tools.topics", "create or check the topics"),
    "produce": Command("stream.tools.produce", "send files of JSON lines to the topics"),
    "simulate": Command("stream.tools.simulate", "send endless realistic shop traffic"),
    "verify": Command("stream.tools.verify", "recompute every metric from raw events and compare"),
    "history": Command(
        "stream.tools.history.command", "write the past of every gauge for Prometheus"
    ),
    "dead-letters": Command(
        "stream.tools.dead_letters.command", "list dead letters, show them, send them again"
    ),
}


class _Parser(argparse.ArgumentParser):
    """A parser whose usage errors are one line, like every other error."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"error: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command the arguments name, and exit with its code."""
    sys.exit(run_command(sys.argv[1:] if argv is None else argv))


def run_command(argv: Sequence[str]) -> int:
    """Run a command; its exit code: 0 done, 1 failed, 2 wrong usage or setting, 130 interrupted."""
    try:
        name, args = _parse(argv)
        settings = load_settings()
        return _run(name, settings, args)
    except SettingError as error:
        return _fail(str(error), EXIT_USAGE)
    except CommandError as error:
        return _fail(str(error), EXIT_FAILURE)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}", EXIT_FAILURE)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _parse(argv: Sequence[str]) -> tuple[str, argparse.Namespace]:
    parser = _Parser(
        prog=PROGRAM,
        description="Live customer-retention gauges from Kafka events, for Prometheus.",
        epilog=_settings_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        subparser = commands.add_parser(
            name,
            help=command.help,
            description=f"{command.help[0].upper()}{command.help[1:]}.",
            allow_abbrev=False,
        )
        # Only the command that is called pays for its imports.
        if name in argv[:1] and name != "worker":
            _module(name).add_arguments(subparser)
    args = parser.parse_args(argv)
    return cast("str", args.command), args


def _module(name: str) -> CommandModule:
    return cast("CommandModule", importlib.import_module(COMMANDS[name].module))


def _run(name: str, settings: Settings, args: argparse.Namespace) -> int:
    if name == "worker":
        # Before numpy is imported, which reads it once.
        for variable, value in WORKER_ENVIRON.items():
            os.environ.setdefault(variable, value)
        from stream.faust_app.worker import run_worker  # noqa: PLC0415 - Faust is slow to import
        from stream.tools.topics import ensure_topics  # noqa: PLC0415 - kafka-python is, too

        ensure_topics(settings)
        return run_worker(settings)
    return _module(name).run(settings, args)


def _fail(message: str, code: int) -> int:
    one_line = " ".join(message.split())
    sys.stderr.write(f"error: {one_line}\n")
    return code


def _settings_help() -> str:
    lines = ["settings (environment variables, with their defaults):"]
    for name, (default, meaning) in DEFAULTS.items():
        lines.append(f"  {name}={default}")
        lines.append(f"      {meaning}")
    return "\n".join(lines)
