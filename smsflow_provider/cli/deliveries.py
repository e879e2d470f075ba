"""``smsflow deliveries``: the latest deliveries, newest first."""

from __future__ import annotations

import argparse
from typing import Any

from smsflow_provider.cli.reach import (
    add_json_argument,
    add_store_argument,
    print_json,
    reach_store,
)
from smsflow_provider.core.delivery.report import summaries_of
from smsflow_provider.core.model import DeliveryKind
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.deliveries import list_deliveries

_NONE = "There is no delivery yet. A workflow makes one each time it prepares."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--limit", type=int, default=50, help="at most this many (50)")
    parser.add_argument("--state", choices=[state.value for state in DeliveryState])
    parser.add_argument(
        "--kind",
        choices=[*DeliveryKind, "all"],
        default=DeliveryKind.CAMPAIGN.value,
        help="campaigns (by itself), direct texts, proofs, or all",
    )
    add_json_argument(parser)
    add_store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print them."""
    state = DeliveryState(args.state) if args.state else None
    kind = None if args.kind == "all" else DeliveryKind(args.kind)
    store = reach_store(args)
    page = list_deliveries(store, limit=max(args.limit, 1), state=state, kind=kind)
    rows = summaries_of(store, page)
    if args.json:
        print_json(rows)
        return 0
    if not rows:
        print(
            _NONE if kind is DeliveryKind.CAMPAIGN and state is None else "There is none of these."
        )
        return 0
    print(f"{'delivery':<40} {'state':<18} {'to deliver':>10} {'accepted':>9} {'delivered':>9}")
    for row in rows:
        print(
            f"{row['delivery']:<40} {row['state']:<18} {row['to_deliver']:>10,}"
            f" {row['accepted']:>9,} {row['delivered']:>9,}{_progress(row)}"
        )
    return 0


def _progress(row: dict[str, Any]) -> str:
    """Tell how far a preparation is, in its own words and counts."""
    counts = row.get("progress", {}).items()
    told = [f"{name} {value}" for name, value in counts if not name.endswith("_at")]
    return f"  {', '.join(told)}" if told else ""
