"""``smsflow resend``: let messages of a finished delivery go again."""

from __future__ import annotations

import argparse

from smsflow_provider.cli.control import actor_here
from smsflow_provider.cli.reach import add_store_argument, reach_store
from smsflow_provider.cli.words import counted
from smsflow_provider.core.delivery.resend import resend
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.model import OutcomeKind

_KINDS = (OutcomeKind.FAILED, OutcomeKind.EXPIRED)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("delivery", help="id of the delivery; it must have finished")
    parser.add_argument("--failed", action="store_true", help="what the gateway refused for good")
    parser.add_argument("--expired", action="store_true", help="what did not leave in time")
    add_store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Do it, and say what is still to be done."""
    kinds = frozenset(kind for kind in _KINDS if getattr(args, kind.value))
    if not kinds:
        raise ConfigError("say what is to go again: --failed, --expired or both")
    count = resend(reach_store(args), args.delivery, kinds=kinds, actor=actor_here())
    print(f"{counted(count, 'message')} of {args.delivery} wait to go again.")
    print("Nothing has left yet: run the send task again (clear it).")
    return 0
