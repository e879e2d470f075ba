"""``smsflow db migrate|check``: the schema of the store."""

from __future__ import annotations

import argparse

from smsflow_provider.cli.reach import add_store_argument, reach_store
from smsflow_provider.core.store.migrate import check_schema, migrate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "act",
        choices=["migrate", "check"],
        help="migrate: bring the schema to what this version needs; check: exit 1 if it is not",
    )
    add_store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Migrate or check."""
    store = reach_store(args)
    revision = migrate(store) if args.act == "migrate" else check_schema(store)
    print(f"The store is at revision {revision}.")
    return 0
