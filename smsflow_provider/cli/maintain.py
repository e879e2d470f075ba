"""``smsflow maintain``: what has to be done now and then."""

from __future__ import annotations

import argparse
import errno
import os
from dataclasses import asdict
from pathlib import Path

from smsflow_provider.cli.reach import (
    add_json_argument,
    add_store_argument,
    print_json,
    reach_store,
    stdout_kept,
)
from smsflow_provider.core.audience.place import local_path, remove_whole
from smsflow_provider.core.delivery.maintain import ASKING, Chore, Done, Upkeep, maintain
from smsflow_provider.core.errors import ConfigError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--only",
        action="append",
        choices=[chore.value for chore in Chore],
        metavar="CHORE",
        help=f"do this only, may be repeated: {', '.join(Chore)}",
    )
    parser.add_argument(
        "--retention-days",
        type=int,
        metavar="DAYS",
        help="archive messages of deliveries that ended longer ago, 8 or more; 0: never",
    )
    parser.add_argument(
        "--replies-days",
        type=int,
        metavar="DAYS",
        help="forget replies that came longer ago, 30 or more; their opt-outs stay; 0: never",
    )
    parser.add_argument(
        "--audience-days",
        type=int,
        metavar="DAYS",
        help="remove files of audiences built longer ago, 8 or more; not those in use; 0: never",
    )
    parser.add_argument(
        "--archive",
        metavar="FOLDER",
        help="where their files go; 'none' drops them without files",
    )
    add_json_argument(parser)
    add_store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Do the chores, one line each. Exit code 1 if one of them failed."""
    store = reach_store(args)
    upkeep = _upkeep(args)
    only = {Chore(word) for word in args.only or ()}
    done = maintain(store, upkeep, only=only, on_done=_silent if args.json else print)
    if args.json:
        print_json([asdict(one) for one in done])
    return 1 if any(one.problem for one in done) else 0


def _silent(_: Done) -> None:
    """Say nothing: the document comes at the end."""


def _upkeep(args: argparse.Namespace) -> Upkeep:
    """Read the flags; what they leave open, Airflow's settings say, unless the store was named."""
    if getattr(args, "store", None) or os.environ.get("SMSFLOW_STORE"):
        return _by_flags(args)
    with stdout_kept():
        from smsflow_provider.hooks.config import SmsflowConfig  # noqa: PLC0415  takes seconds
        from smsflow_provider.hooks.gateway import GatewayOutsideTasks  # noqa: PLC0415  same
        from smsflow_provider.hooks.upkeep import make_upkeep  # noqa: PLC0415  same

        config = SmsflowConfig.read()
        return make_upkeep(
            config.kept_for(
                args.retention_days, replies=args.replies_days, audiences=args.audience_days
            ),
            actor="maintain",
            hook_of=GatewayOutsideTasks,
            archive=args.archive,
        )


def _by_flags(args: argparse.Namespace) -> Upkeep:
    """
    Read the flags alone.

    Raises:
        ConfigError: Messages are to go, and nobody says where; or gateways are to be asked.
    """
    asking = sorted(ASKING & set(args.only or ()))
    if asking:
        raise ConfigError(
            "gateways are reached by Airflow's connections: leave --store and SMSFLOW_STORE out",
            chores=[str(chore) for chore in asking],
        )
    days = args.retention_days or 0
    if days and not args.archive:
        raise ConfigError("say where archived messages go: --archive FOLDER, or --archive none")
    is_kept = args.archive and args.archive != "none"
    return Upkeep(
        retention_days=days,
        replies_days=args.replies_days or 0,
        audience_days=args.audience_days or 0,
        remove_file=_remove_local,
        archive=Path(args.archive).absolute() if is_kept else None,
    )


def _remove_local(uri: str) -> None:
    """Remove a file of this machine; others are reached by Airflow's connections."""
    path = local_path(uri)
    if path is None:
        raise OSError(errno.ENOTSUP, "in an object storage: leave --store and SMSFLOW_STORE out")
    remove_whole(path)
