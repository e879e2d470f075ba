"""``smsflow report``: what happened to one delivery."""

from __future__ import annotations

import argparse

from smsflow_provider.cli.reach import (
    add_json_argument,
    add_store_argument,
    print_json,
    reach_store,
)
from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.store.deliveries import find_delivery, read_log
from smsflow_provider.core.store.receipts import apply_all_receipts, resolve_proven

_ORDER = (
    "targeted",
    "to_deliver",
    "parts",
    "accepted",
    "delivered",
    "undelivered",
    "failed",
    "unknown",
    "cancelled",
    "expired",
    "waiting",
)
#: Levels of the log that are printed; the others are in the review.
_TOLD = ("error", "warning")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("delivery", help="id of the delivery")
    add_json_argument(parser)
    add_store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Apply receipts that wait, and print the report."""
    store = reach_store(args)
    apply_all_receipts(store)
    delivery = find_delivery(store, args.delivery)
    resolve_proven(store, delivery.preparation)
    result = report(store, args.delivery)
    if args.json:
        print_json(result)
        return 0
    print(f"{result['label']}: {result['state'].replace('_', ' ')}")
    for name in _ORDER:
        print(f"  {name:<12} {result[name]:>12,}")
    for reason, count in result["excluded"].items():
        print(f"  excluded, {reason:<20} {count:>12,}")
    for cause in result["causes"]:
        print(f"  {cause['kind']}, {cause['code'] or 'no code':<20} {cause['messages']:>12,}")
    if "archived" in result:
        print(f"  messages archived {result['archived']['at']}: {result['archived']['uri'] or '-'}")
    for line in read_log(store, delivery):
        if line["level"] in _TOLD:
            print(f"  {line['level']}, {line['event']}: {line['problem']}")
    return 0
