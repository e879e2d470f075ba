"""``smsflow keys``: the keys that sign callback addresses. Their secrets never show."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from typing import Final

from smsflow_provider.cli.reach import add_store_argument, reach_store
from smsflow_provider.cli.words import counted
from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.keys import (
    CALLBACK,
    LATEST_RECEIPT,
    SIGNS_AFTER,
    KeyFacts,
    list_keys,
    retire,
    rotate,
)

_HEAD: Final = f"{'NO':>4}  {'PURPOSE':<10} {'AGE':<10} STATE"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for action, words in (
        ("show", "list the keys: numbers, ages and states, no secrets"),
        ("rotate", "make a new key; it verifies at once and signs a little later"),
        ("retire", "retire the keys for which no receipt can come any more"),
    ):
        own = actions.add_parser(action, help=words)
        if action == "retire":
            own.add_argument(
                "--older-than",
                type=_days,
                metavar="DAYS",
                default=LATEST_RECEIPT,
                help=f"how late a receipt may come ({LATEST_RECEIPT.days} days)",
            )
        if action != "show":
            own.add_argument("--purpose", default=CALLBACK, help="of the key (%(default)s)")
        add_store_argument(own)


def _days(text: str) -> timedelta:
    days = float(text)
    if not 0 <= days <= 3650:
        raise ValueError(text)
    return timedelta(days=days)


def run(args: argparse.Namespace) -> int:
    """Do what the command line says."""
    store = reach_store(args)
    if args.action == "rotate":
        rotate(store, args.purpose)
        minutes = int(SIGNS_AFTER.total_seconds() // 60)
        print(f"A new key verifies now, and signs in {minutes} minutes; the old ones verify on.")
        print("Senders that run now go on with the key they began with.")
    elif args.action == "retire":
        retired = retire(store, args.purpose, older_than=args.older_than)
        print(f"{counted(retired, 'key')} retired.")
        if not retired and _has_replaced(store, args.purpose):
            print("The older ones stay: receipts of messages that they signed may still come.")
    _show(store)
    return 0


def _show(store: Store) -> None:
    print(_HEAD)
    now = utc_now()
    for key in list_keys(store):
        age = _age_of(now - key.created_at)
        print(f"{key.no:>4}  {key.purpose:<10} {age:<10} {_state_of(key, now)}")


def _has_replaced(store: Store, purpose: str) -> bool:
    """Whether a key of *purpose* verifies that another one has replaced."""
    now = utc_now()
    live = [one for one in list_keys(store) if one.purpose == purpose and one.retired_at is None]
    return any(not one.is_signing and one.signs_from <= now for one in live)


def _age_of(age: timedelta) -> str:
    return f"{age.days} days" if age.days >= 2 else f"{int(age.total_seconds() // 3600)} hours"


def _state_of(key: KeyFacts, now: datetime) -> str:
    if key.retired_at is not None:
        return f"retired {key.retired_at:%Y-%m-%d %H:%M} UTC"
    if key.is_signing:
        return "signs"
    if key.signs_from > now:
        return f"verifies, signs from {key.signs_from:%H:%M} UTC"
    return "verifies"
