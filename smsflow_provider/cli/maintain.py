"""``smsflow maintain``: what has to be done now and then."""

from __future__ import annotations

import argparse

from smsflow_provider.cli.reach import add_store_argument, reach_store
from smsflow_provider.core.store.receipts import apply_all_receipts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Apply the receipts that wait."""
    print(f"{apply_all_receipts(reach_store(args)):,} receipts applied.")
    return 0
