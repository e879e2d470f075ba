"""What every benchmark makes for itself, and deletes again: a server, and deliveries on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from smsflow_provider.core.model import DeliveryKind, Origin
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, ensure_delivery
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from smsflow_provider.core.store.prepared import Published, begin_preparation


@contextmanager
def made_database() -> Iterator[tuple[Path, str]]:
    """
    Run a PostgreSQL server that syncs to disk, with an empty database, until the block ends.

    Returns:
        A folder that is deleted with it, and how to connect to the database.
    """
    with TemporaryDirectory(prefix="smsflow-bench-") as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres")
        try:
            with server:
                yield Path(folder), server.create_database("bench")
        finally:
            server.destroy()


def begin_delivery(store: Store, delivery_id: str, *, count: int) -> Delivery:
    """Make a delivery whose messages are still to be written."""
    origin = Origin(dag_id="bench", run_id=delivery_id, task_id="sms")
    kind = DeliveryKind.CAMPAIGN
    ensure_delivery(store, delivery_id, kind=kind, label="Bench", origin=origin, actor="bench")
    return begin_preparation(
        store,
        delivery_id,
        label="Bench",
        gateway="bench",
        dry_run=False,
        template={"name": "bench"},
        settings={},
        audience={"count": count},
        validity_s=3600,
        actor="bench",
    )


def published(count: int, *, fingerprint: str) -> Published:
    """Say what a preparation of *count* messages says of itself."""
    return Published(
        fingerprint=fingerprint,
        targeted=count,
        excluded=0,
        to_deliver=count,
        parts=count,
        figures={"excluded": {}},
    )
