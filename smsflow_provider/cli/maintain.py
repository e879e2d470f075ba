"""``smsflow maintain``: what has to be done now and then."""

from __future__ import annotations

import argparse

from smsflow_provider.cli.reach import add_store_argument, reach_store
from smsflow_provider.core.store.prepared import drop_replaced
from smsflow_provider.core.store.receipts import apply_all_receipts, resolve_proven


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Apply receipts that wait, end doubts they prove wrong, drop what was replaced."""
    store = reach_store(args)
    print(f"receipts applied: {apply_all_receipts(store):,}")
    print(f"messages in doubt resolved by their receipt: {resolve_proven(store):,}")
    print(f"replaced preparations dropped: {drop_replaced(store):,}")
    return 0
