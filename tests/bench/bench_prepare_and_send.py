"""
How fast a delivery is prepared and sent, as ratios against a reference in the same run.

Prints figures and judges nothing. ``SMSFLOW_BENCH_ROWS`` sets the size (100,000).
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from smsflow_provider.core.content.template import read_template
from smsflow_provider.core.delivery.send import send
from smsflow_provider.core.gateways.simulator import SimulatorDialect, SimulatorSettings
from smsflow_provider.core.model import DeliveryKind, Origin
from smsflow_provider.core.preparation.prepare import Columns, Preparation, prepare
from smsflow_provider.core.preparation.settings import PreparationSettings
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import ensure_delivery, find_delivery
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from smsflow_provider.core.store.migrate import migrate
from smsflow_provider.testing.gateway import RecordingGateway
from tests.prepared_delivery import approve
from tests.sending import make_sender

ROWS = int(os.environ.get("SMSFLOW_BENCH_ROWS", "100000"))
BATCH = 50_000
TEXT = """---
sender: ACME
---
Bonjour {{ first_name | title }}, vos {{ points }} points expirent demain. STOP au 36111
"""


def batches() -> Iterator[Columns]:
    """People of France, some of them with accents."""
    names = ["zoé", "bob", "ève", "josé", "anaïs", "max"]
    for start in range(0, ROWS, BATCH):
        rows = range(start, min(start + BATCH, ROWS))
        yield {
            "recipient_id": [str(n) for n in rows],
            "phone": [f"06{10_000_000 + n:08d}" for n in rows],
            "first_name": [names[n % len(names)] for n in rows],
            "points": [n % 500 for n in rows],
        }


def timed(label: str, seconds: float, *, reference_s: float | None = None) -> None:
    """Print one line."""
    ratio = f"  {seconds / reference_s:6.1f} x the reference" if reference_s else ""
    print(f"{label:<34} {seconds:8.2f} s  {ROWS / seconds:10,.0f} rows/s{ratio}")


def bench_floor(store: Store) -> float:
    """Write the same number of messages by COPY, and their primary key: nothing else."""
    began = time.perf_counter()
    with store.transaction() as connection:
        connection.execute("CREATE TABLE floor (LIKE smsflow_messages)")
        command = "COPY floor FROM STDIN"
        with connection.cursor() as cursor, cursor.copy(command) as copy:
            for n in range(ROWS):
                copy.write_row((1, n, 33610000000 + n, str(n), "ACME", "x" * 80, "gsm7", 1, "FR"))
        connection.execute("ALTER TABLE floor ADD PRIMARY KEY (position)")
    return time.perf_counter() - began


def bench_prepare(store: Store) -> float:
    """Prepare a delivery of ROWS recipients."""
    ensure_delivery(
        store, "d1", kind=DeliveryKind.CAMPAIGN, label="b", origin=Origin(), actor="bench"
    )
    began = time.perf_counter()
    prepare(
        store,
        "d1",
        Preparation(
            template=read_template(TEXT, name="bench"),
            settings=PreparationSettings(label="b", gateway="g", region="FR"),
            dialect=SimulatorDialect(SimulatorSettings(base_url="http://x")),
            audience={},
            batches=batches(),
            opted_out=frozenset(),
        ),
        actor="bench",
    )
    return time.perf_counter() - began


def bench_send(store: Store) -> float:
    """Send it to a gateway that answers at once."""
    approve(store)
    began = time.perf_counter()
    asyncio.run(send(store, "d1", make_sender(RecordingGateway(), connections=8)))
    return time.perf_counter() - began


def main() -> None:
    """Run all of it."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder))
        with server:
            store = Store(server.create_database("bench"))
            migrate(store)
            floor_s = bench_floor(store)
            timed("reference: COPY and key", floor_s)
            timed("prepare", bench_prepare(store), reference_s=floor_s)
            assert find_delivery(store, "d1").to_deliver == ROWS
            timed("send, durable, 0 ms gateway", bench_send(store), reference_s=floor_s)
        server.destroy()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'peak memory of this process':<34} {peak:8.0f} MB")


if __name__ == "__main__":
    main()
