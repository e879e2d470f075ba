"""
One audience in a process of its own: ``python -m smsflow_provider.cli.bench.audience_build``.

Reads what to build from standard input and writes what it measured to standard output, both as
JSON. Standard input, for the connection string holds a password.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from smsflow_provider.core.audience.build import build_audience
from smsflow_provider.core.audience.query import QueryBatches
from smsflow_provider.core.store.connection import Store

_NOW: Final = datetime(2026, 11, 1, tzinfo=UTC)
_COLUMNS: Final = ("first_name", "city", "points")

DIMENSION: Final[dict[str, Any]] = {
    "label": "Customers",
    "conn_id": "crm",
    "table": "crm.customers",
    "key": "customer_id",
    "phone": "phone",
    "columns": {
        "customer_id": "integer",
        "first_name": "text",
        "city": "text",
        "points": "integer",
    },
    "links": {
        "orders": {
            "table": "crm.orders",
            "kind": "many",
            "on": {"customer_id": "customer_id"},
            "key": "order_id",
            "date": "ordered_at",
            "columns": {"amount": "number", "status": "text", "ordered_at": "moment"},
        }
    },
}
#: Any with where, at least n within, a sum within.
RULES: Final[list[dict[str, Any]]] = [
    {"link": "orders", "any": True, "where": {"column": "status", "equals": "cancelled"}},
    {"link": "orders", "at_least": 2, "within_last": "180 days"},
    {"link": "orders", "sum": "amount", "above": 300, "within_last": "365 days"},
]
#: The same people. Days begin at midnight in UTC, which is when the run is.
BY_HAND: Final = """
SELECT c.customer_id AS recipient_id, c.phone, c.first_name, c.city, c.points
FROM crm.customers AS c
WHERE EXISTS (
    SELECT 1 FROM crm.orders AS o WHERE o.customer_id = c.customer_id AND o.status = 'cancelled'
  )
  AND c.customer_id IN (
    SELECT customer_id FROM crm.orders
    WHERE ordered_at BETWEEN timestamptz '2026-05-05 00:00+00' AND timestamptz '2026-11-01 00:00+00'
    GROUP BY customer_id HAVING count(*) >= 2
  )
  AND c.customer_id IN (
    SELECT customer_id FROM crm.orders
    WHERE ordered_at BETWEEN timestamptz '2025-11-01 00:00+00' AND timestamptz '2026-11-01 00:00+00'
    GROUP BY customer_id HAVING sum(amount) > 300
  )
"""


def sql_by_rules() -> str:
    """Read the rules, and write them as SQL."""
    from smsflow_provider.core.audience.rules.bind import bind  # noqa: PLC0415  measured too
    from smsflow_provider.core.audience.rules.dimension import read_dimension  # noqa: PLC0415
    from smsflow_provider.core.audience.rules.to_sql import select_sql  # noqa: PLC0415
    from smsflow_provider.core.audience.rules.tree import read_rules  # noqa: PLC0415

    dimension = read_dimension(DIMENSION, name="customers")
    plan = bind(read_rules(RULES), dimension=dimension, now=_NOW, columns=_COLUMNS)
    return select_sql(plan, dialect="postgres")


def build(store: Store, *, way: str, target: Path) -> dict[str, Any]:
    """
    Build the audience as *target*.

    Returns:
        ``seconds``, ``count``, and ``people``: a hash of who they are, in no order.
    """
    began_s = time.perf_counter()
    sql = sql_by_rules() if way == "by rules" else BY_HAND
    source = QueryBatches(store.connect_plain, sql=sql, label="crm")
    reference = build_audience(source, target=target)
    seconds = time.perf_counter() - began_s
    return {
        "seconds": seconds,
        "count": reference.count if reference else 0,
        "people": _people_of(target),
    }


def _people_of(path: Path) -> str:
    keys = pl.scan_parquet(path).select(pl.col("recipient_id").sort()).collect(engine="streaming")
    digest = hashlib.sha256()
    for key in keys.to_series():
        digest.update(f"{key}\n".encode())
    return digest.hexdigest()


def main() -> None:
    """Build what standard input says."""
    told = json.load(sys.stdin)
    found = build(Store(told["dsn"]), way=told["way"], target=Path(told["target"]))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
