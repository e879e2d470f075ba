"""``smsflow pause|resume|stop``: take hold of a delivery that is being sent, or prepared."""

from __future__ import annotations

import argparse
import getpass
import os

from smsflow_provider.cli.reach import add_store_argument, reach_store
from smsflow_provider.core.delivery.control import pause, resume, stop
from smsflow_provider.core.delivery.send import close_stopped

_ACTS = {"pause": pause, "resume": resume, "stop": stop}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("delivery", help="id of the delivery")
    add_store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Do it, and say what is true now."""
    store = reach_store(args)
    actor = actor_here()
    delivery = _ACTS[args.verb](store, args.delivery, actor=actor)
    if args.verb == "stop":
        close_stopped(store, args.delivery, actor=actor)
    print(f"{delivery.id} is {delivery.state.value}.")
    return 0


def actor_here() -> str:
    """Name who types, for logs and approvals."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):
        return f"cli:{os.getuid()}"  # a container's user without a name
