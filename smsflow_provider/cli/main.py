"""The ``smsflow`` command: one verb, one module."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from smsflow_provider.core.errors import ConfigError, SmsflowError

#: Exit codes: a problem that was found and told; a command line that cannot be read is 2.
FAILED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One verb: ``add_arguments(parser)`` and ``run(args) -> exit code`` of a module."""

    name: str
    help: str
    module: str


VERBS = (
    Verb(name="lint", help="find problems in workflows, templates and DAGs", module="lint"),
    Verb(name="preview", help="show what a template or a delivery reads like", module="preview"),
    Verb(
        name="explain",
        help="show whom the rules of an audience find, and the SQL",
        module="explain",
    ),
    Verb(name="deliveries", help="list the latest deliveries", module="deliveries"),
    Verb(name="report", help="report on one delivery", module="report"),
    Verb(name="log", help="list the messages of a delivery, with their states", module="log"),
    Verb(name="why", help="say why one person was texted, or not", module="why"),
    Verb(name="diff", help="say what differs between two preparations", module="diff"),
    Verb(name="proof", help="send prepared messages to test numbers", module="proof"),
    Verb(name="pause", help="hold a delivery that is being sent", module="control"),
    Verb(name="resume", help="let a paused delivery go on", module="control"),
    Verb(name="stop", help="stop a delivery for good, or its preparation", module="control"),
    Verb(name="resend", help="let what failed or expired go again", module="resend"),
    Verb(name="switch", help="switch every delivery off, or on again", module="switch"),
    Verb(name="audience", help="list, change and compare saved audiences", module="audience"),
    Verb(name="opt-outs", help="import, export, add and remove opt-outs", module="opt_outs"),
    Verb(
        name="quarantine",
        help="import, export, add and remove numbers that cannot get a text",
        module="quarantine",
    ),
    Verb(name="replies", help="list what people wrote back", module="replies"),
    Verb(name="erase", help="remove a person everywhere, for good", module="erase"),
    Verb(name="keys", help="show, rotate and retire the keys of callback addresses", module="keys"),
    Verb(
        name="receiver",
        help="take receipts and replies from gateways, without Airflow's API server",
        module="receiver",
    ),
    Verb(
        name="maintain",
        help="do what is due: late receipts, messages in doubt, replies, retention",
        module="maintain",
    ),
    Verb(name="simulator", help="run a gateway on this machine to try things", module="simulator"),
    Verb(name="db", help="migrate or check the store", module="db"),
    Verb(name="bench", help="measure how fast this machine prepares", module="bench.command"),
    Verb(name="demo", help="run the main job on this machine", module="demo.command"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command.

    Returns:
        0 when all went well, 1 for a problem that was told, 2 for a command line that is wrong.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = make_parser(words[0] if words else None)
    args = parser.parse_args(words)
    try:
        return _run(args)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader has seen enough (``| head``); nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _run(args: argparse.Namespace) -> int:
    """Run the verb, and tell what it could not do without a traceback."""
    from smsflow_provider.cli.reach import words_for  # noqa: PLC0415  loads psycopg

    run = cast("Callable[[argparse.Namespace], int]", args.run)
    try:
        code = run(args)
        sys.stdout.flush()
    except SmsflowError as error:
        _tell([error.problem, *_lines_of(error)])
    except Exception as error:
        words = words_for(error)
        if words is None:
            raise
        _tell([words])
    else:
        return code
    return FAILED


def _tell(lines: Sequence[str]) -> None:
    print(f"smsflow: {lines[0]}", *lines[1:], sep="\n  ", file=sys.stderr)


def make_parser(chosen: str | None = None) -> argparse.ArgumentParser:
    """Make the parser; only the module of the *chosen* verb is loaded, of all if it is None."""
    parser = argparse.ArgumentParser(
        prog="smsflow", description="SMS campaigns from Apache Airflow."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    known = {verb.name for verb in VERBS}
    for verb in VERBS:
        sub = verbs.add_parser(
            verb.name, help=verb.help, description=f"{verb.help[0].upper()}{verb.help[1:]}."
        )
        if chosen not in known or verb.name == chosen:
            module = import_module(f"smsflow_provider.cli.{verb.module}")
            module.add_arguments(sub)
            sub.set_defaults(run=module.run)
    return parser


def _lines_of(error: SmsflowError) -> list[str]:
    """Tell the facts of an error, one a line; a list of problems as a list."""
    lines: list[str] = []
    for name, value in error.facts.items():
        if isinstance(error, ConfigError) and isinstance(value, list) and name == "problems":
            lines.extend(str(one) for one in value)
        elif value not in (None, [], ""):
            lines.append(f"{name}: {value}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
