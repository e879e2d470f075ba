"""
Measure building an audience by rules beside the SQL that an engineer would write by hand.

Both go through the same driver, the same reading in batches and the same writing to Parquet, each
in a process of its own; only the statement differs. By rules, the reading of the rules and the
writing of the statement count too, and people come in the order of their key.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from smsflow_provider.cli.bench.result import Verdict
from smsflow_provider.cli.bench.watch import run_measured
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.embedded import EmbeddedPostgres

#: How many times as long as by the hand-written SQL it may take.
MOST_RATIO: Final = 1.5
#: Memory of the process that builds, in MB of 1,000,000 bytes, however many people it finds.
MOST_PEAK_MB: Final = 500.0
_BUILD = "smsflow_provider.cli.bench.audience_build"
_MB: Final = 1_000_000

#: Customers and orders by arithmetic: the same each time. A fifth of the orders falls on a
#: hundredth of the customers; the last two years are covered evenly.
_WAREHOUSE: Final = """
CREATE SCHEMA crm;
CREATE TABLE crm.customers
  (customer_id bigint, phone text, first_name text, city text, points integer);
CREATE TABLE crm.orders
  (order_id bigint, customer_id bigint, status text, amount numeric(10, 2), ordered_at timestamptz);
INSERT INTO crm.customers
  SELECT n, '+336' || lpad(n::text, 8, '0'), 'Name ' || n % 5000, 'City ' || n % 300, n % 2000
    FROM generate_series(1, {rows}) AS n;
INSERT INTO crm.orders
  SELECT n,
         1 + abs(hashint8(n)::bigint) % CASE n % 5 WHEN 0 THEN greatest({rows} / 100, 1)
                                                          ELSE {rows} END,
         (ARRAY['paid', 'paid', 'paid', 'sent', 'cancelled'])[1 + abs(hashint8(n * 7)::bigint) % 5],
         (abs(hashint8(n * 13)::bigint) % 20000) / 100.0,
         timestamptz '2026-11-01 00:00:00+00'
           - (abs(hashint8(n * 17)::bigint) % 730) * interval '1 day'
    FROM generate_series(1, {orders}) AS n;
ALTER TABLE crm.customers ADD PRIMARY KEY (customer_id);
ALTER TABLE crm.orders ADD PRIMARY KEY (order_id);
CREATE INDEX ON crm.orders (customer_id);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudiencePlan:
    """What to measure."""

    rows: int
    orders: int
    #: Times each is measured, in turns; medians count.
    rounds: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceResult:
    """What was found: medians of the rounds."""

    rows: int
    orders: int
    #: People both found.
    count: int
    seconds: float
    by_hand_s: float
    ratio: float
    peak_mb: float
    by_hand_peak_mb: float

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON values, rounded for people."""
        found = asdict(self)
        return {name: round(value, 3) for name, value in found.items()}

    def verdicts(self) -> list[Verdict]:
        """Judge it."""
        return [
            Verdict(what="times as long as hand-written SQL", found=self.ratio, limit=MOST_RATIO),
            Verdict(what="peak memory in MB", found=self.peak_mb, limit=MOST_PEAK_MB),
        ]


def measure_audience(plan: AudiencePlan, *, say: Callable[[str], None]) -> AudienceResult:
    """
    Measure on a PostgreSQL server that is made for it and deleted again.

    Args:
        plan: What to measure.
        say: Told what happens now, as a sentence.

    Raises:
        ConfigError: The two do not find as many people.
    """
    with TemporaryDirectory(prefix="smsflow-bench-") as name:
        folder = Path(name)
        server = EmbeddedPostgres(folder / "postgres", durable=False)
        try:
            with server:
                dsn = server.create_database("bench")
                make_warehouse(Store(dsn), plan, say=say)
                return _measure(plan, dsn=dsn, folder=folder, say=say)
        finally:
            server.destroy()


def make_warehouse(store: Store, plan: AudiencePlan, *, say: Callable[[str], None]) -> None:
    """Make ``crm.customers`` and ``crm.orders`` in an empty database."""
    say(f"making {plan.rows:,} customers and {plan.orders:,} orders")
    with store.transaction() as connection:
        connection.execute(_WAREHOUSE.format(rows=plan.rows, orders=plan.orders).encode())
    with store.connect() as connection:
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


@dataclass(frozen=True, slots=True)
class _Built:
    seconds: float
    peak_mb: float
    count: int
    #: A hash of who they are.
    people: str


def _measure(
    plan: AudiencePlan, *, dsn: str, folder: Path, say: Callable[[str], None]
) -> AudienceResult:
    built: dict[str, list[_Built]] = {"by hand": [], "by rules": []}
    for number in range(1, plan.rounds + 1):
        for way, times in built.items():
            say(f"building the audience {way}, round {number} of {plan.rounds}")
            target = folder / f"{way.replace(' ', '-')}-{number}.parquet"
            times.append(_build(dsn, way=way, target=target))
    return _result(plan, by_hand=built["by hand"], by_rules=built["by rules"])


def _build(dsn: str, *, way: str, target: Path) -> _Built:
    found, peak = run_measured(_BUILD, {"dsn": dsn, "way": way, "target": str(target)})
    return _Built(found["seconds"], peak / _MB, found["count"], found["people"])


def _result(
    plan: AudiencePlan, *, by_hand: Sequence[_Built], by_rules: Sequence[_Built]
) -> AudienceResult:
    if len({one.people for one in (*by_hand, *by_rules)}) != 1:
        raise ConfigError("rules and SQL by hand find other people")
    seconds = statistics.median(one.seconds for one in by_rules)
    by_hand_s = statistics.median(one.seconds for one in by_hand)
    return AudienceResult(
        rows=plan.rows,
        orders=plan.orders,
        count=by_rules[0].count,
        seconds=seconds,
        by_hand_s=by_hand_s,
        ratio=seconds / by_hand_s,
        peak_mb=max(one.peak_mb for one in by_rules),
        by_hand_peak_mb=max(one.peak_mb for one in by_hand),
    )


def table_of(result: AudienceResult) -> str:
    """Write what was found for people."""
    people = f"{result.count:,} of {result.rows:,} customers with {result.orders:,} orders"
    lines = [
        ("built by rules in", result.seconds, f" s {result.peak_mb:9.0f} MB"),
        ("by SQL written by hand in", result.by_hand_s, f" s {result.by_hand_peak_mb:9.0f} MB"),
        ("times as long", result.ratio, ""),
    ]
    return "\n".join([people, *(f"{name:<44} {found:9.2f}{more}" for name, found, more in lines)])
