"""
How fast a prepared delivery is sent, as a ratio to writing its rows in the same run.

Prints figures and judges nothing. ``SMSFLOW_BENCH_ROWS`` sets the size (100,000). Preparation has
a benchmark of its own, ``smsflow bench prepare``.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from smsflow_provider.core.delivery.send import send
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from smsflow_provider.core.store.migrate import migrate
from smsflow_provider.testing.gateway import RecordingGateway
from tests.prepared_delivery import approve, make_prepared
from tests.sending import make_sender

ROWS = int(os.environ.get("SMSFLOW_BENCH_ROWS", "100000"))


def timed(label: str, seconds: float, *, reference_s: float | None = None) -> None:
    """Print one line."""
    ratio = f"  {seconds / reference_s:6.1f} x the reference" if reference_s else ""
    print(f"{label:<34} {seconds:8.2f} s  {ROWS / seconds:10,.0f} rows/s{ratio}")


def bench_write(store: Store) -> float:
    """Write the messages and publish them."""
    began_s = time.perf_counter()
    make_prepared(store, count=ROWS)
    return time.perf_counter() - began_s


def bench_send(store: Store) -> float:
    """Send them to a gateway that answers at once."""
    approve(store)
    began_s = time.perf_counter()
    asyncio.run(send(store, "d1", make_sender(RecordingGateway(), connections=8)))
    return time.perf_counter() - began_s


def main() -> None:
    """Run all of it."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder))
        with server:
            store = Store(server.create_database("bench"))
            migrate(store)
            write_s = bench_write(store)
            timed("reference: write the rows", write_s)
            timed("send, durable, 0 ms gateway", bench_send(store), reference_s=write_s)
        server.destroy()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'peak memory of this process':<34} {peak:8.0f} MB")


if __name__ == "__main__":
    main()
