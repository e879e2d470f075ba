"""``smsflow log``: the messages of one delivery, and what became of each."""

from __future__ import annotations

import argparse
from typing import Any

from smsflow_provider.cli.reach import (
    add_json_argument,
    add_store_argument,
    print_json,
    reach_store,
)
from smsflow_provider.core.delivery.message_log import message_log
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.states import MessageState
from smsflow_provider.core.store.message_log import MOST_ROWS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("delivery", help="id of the delivery")
    parser.add_argument(
        "--state",
        action="append",
        default=[],
        choices=[state.value for state in MessageState],
        help="only these; may be said more than once",
    )
    parser.add_argument(
        "--limit", type=int, default=50, help=f"at most so many, 1 to {MOST_ROWS} (%(default)s)"
    )
    parser.add_argument(
        "--after", type=int, default=0, metavar="POSITION", help="go on after this position"
    )
    add_json_argument(parser)
    add_store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print one page; numbers are masked. Exit code 0, also where there are none."""
    if not 1 <= args.limit <= MOST_ROWS or args.after < 0:
        raise ConfigError(
            f"--limit is 1 to {MOST_ROWS}, and --after 0 or more",
            limit=args.limit,
            after=args.after,
        )
    page = message_log(
        reach_store(args),
        args.delivery,
        states=[MessageState(each) for each in args.state],
        after=args.after,
        limit=args.limit,
    )
    if args.json:
        print_json(page)
        return 0
    _print_for_people(page)
    return 0


def _print_for_people(page: dict[str, Any]) -> None:
    for one in page["messages"]:
        told = (
            f"{one['position']:>9} {one['phone']:<17} {one['state']:<11} {one['code'] or '-':<20}"
        )
        print(f"{told} {(one['changed_at'] or '-')[:19]:<19} {one['recipient_id']}")
    if "archived" in page:
        print(f"Archived {page['archived']['at']}: {page['archived']['uri'] or 'without files'}")
    elif not page["messages"]:
        print("There is none of these.")
    elif page["next"] is not None:
        print(f"Perhaps there are more: --after {page['next']}")
