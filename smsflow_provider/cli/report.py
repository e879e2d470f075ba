"""``smsflow report``: what happened to one delivery."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from smsflow_provider.cli.reach import (
    add_json_argument,
    add_store_argument,
    print_json,
    reach_store,
)
from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.delivery.unknown import Unknown, list_unknown
from smsflow_provider.core.model import FIGURES
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery, read_log
from smsflow_provider.core.store.receipts import apply_all_receipts, resolve_proven

_ORDER = (
    "targeted",
    "to_deliver",
    "parts",
    *FIGURES,
    "waiting",
)
#: Levels of the log that are printed; the others are in the review.
_TOLD = ("error", "warning")
#: Messages in doubt read at once.
_UNKNOWN_ROWS = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("delivery", help="id of the delivery")
    parser.add_argument(
        "--unknown", action="store_true", help="list the messages in doubt, with reason and time"
    )
    add_json_argument(parser)
    add_store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Apply receipts that wait, and print the report."""
    store = reach_store(args)
    apply_all_receipts(store)
    delivery = find_delivery(store, args.delivery)
    resolve_proven(store, delivery.preparation)
    if args.unknown:
        return _list_unknown(store, delivery, as_json=args.json)
    result = report(store, args.delivery)
    if args.json:
        print_json(result)
        return 0
    _print_for_people(store, delivery, result)
    return 0


def _print_for_people(store: Store, delivery: Delivery, result: dict[str, Any]) -> None:
    print(f"{result['label']}: {_standing_of(result)}")
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


def _standing_of(result: dict[str, Any]) -> str:
    """Say how it stands, why it is held, and which wave leaves."""
    state = str(result["state"]).replace("_", " ")
    reason = result.get("pause_reason", "").replace("_", " ")
    told = f"{state} ({reason})" if reason else state
    wave = result.get("wave")
    if wave is None:
        return told
    until = "the rest" if wave["until"] is None else f"up to message {wave['until']:,}"
    return f"{told}, wave {wave['no']}: {until}"


def _list_unknown(store: Store, delivery: Delivery, *, as_json: bool) -> int:
    if as_json:
        print_json({"unknown": [one.as_dict() for one in _unknown(store, delivery)]})
        return 0
    for one in _unknown(store, delivery):
        place = f"{one.message_id:<20} {one.recipient_id:<24} {one.gateway}"
        print(f"{one.marked_at:%Y-%m-%d %H:%M:%S%z} {one.reason:<16} {place}")
    return 0


def _unknown(store: Store, delivery: Delivery) -> Iterator[Unknown]:
    after = 0
    while page := list_unknown(store, delivery, after=after, limit=_UNKNOWN_ROWS):
        yield from page
        after = page[-1].position
