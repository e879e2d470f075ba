"""``smsflow maintain``: what has to be done now and then."""

from __future__ import annotations

import argparse

from smsflow_provider.cli.reach import add_store_argument, reach_store
from smsflow_provider.core.delivery.overdue import close_overdue_proofs
from smsflow_provider.core.delivery.send import close_stopped
from smsflow_provider.core.store.prepared import drop_replaced
from smsflow_provider.core.store.receipts import apply_all_receipts, resolve_proven
from smsflow_provider.core.store.reservations import unsettled_stopped


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Apply receipts, settle doubts by them, close what nobody else does, drop the replaced."""
    store = reach_store(args)
    print(f"receipts applied: {apply_all_receipts(store):,}")
    print(f"messages in doubt resolved by their receipt: {resolve_proven(store):,}")
    closed = [close_stopped(store, one, actor="maintain") for one in unsettled_stopped(store)]
    print(f"stopped deliveries closed, their budgets given back: {sum(closed):,}")
    overdue = close_overdue_proofs(store, actor="maintain")
    print(f"proofs ended that nobody finished: {overdue:,}")
    print(f"replaced preparations dropped: {drop_replaced(store):,}")
    return 0
