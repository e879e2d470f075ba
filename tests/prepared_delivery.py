"""Deliveries for tests, prepared without templates or audiences: straight into the store."""

from __future__ import annotations

from typing import Any

import polars as pl

from smsflow_provider.core.delivery.approval import decide
from smsflow_provider.core.fingerprint import MessageDigest, fingerprint_of
from smsflow_provider.core.model import DeliveryKind, Origin
from smsflow_provider.core.store.approvals import Decision
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, ensure_delivery, find_delivery
from smsflow_provider.core.store.prepared import (
    MessageRow,
    Published,
    begin_preparation,
    message_frame,
    writing_preparation,
)


def make_messages(count: int) -> list[MessageRow]:
    """Make *count* short messages to numbers that differ."""
    return [
        (n, 33600000000 + n, f"r{n}", "ACME", f"Hello {n}", "gsm7", 1, "FR")
        for n in range(1, count + 1)
    ]


def make_prepared(
    store: Store, *, count: int, delivery_id: str = "d1", **settings: Any
) -> Delivery:
    """Prepare a delivery of *count* messages and three exclusions; it is ready for review."""
    origin = Origin(dag_id="shop.sale", run_id="r1", task_id="sms")
    ensure_delivery(
        store,
        delivery_id,
        kind=DeliveryKind.CAMPAIGN,
        label="Sale",
        origin=origin,
        actor="test",
    )
    delivery = begin_preparation(
        store,
        delivery_id,
        label="Sale",
        gateway=settings.pop("gateway", "sms_gateway"),
        dry_run=settings.pop("dry_run", False),
        template=settings.pop("template", {"name": "sale"}),
        settings={"region": "FR"},
        audience={"count": count + 3},
        validity_s=settings.pop("validity_s", 3600),
        actor="test",
    )
    write_prepared(store, delivery, make_messages(count))
    return find_delivery(store, delivery_id)


def write_prepared(store: Store, delivery: Delivery, rows: list[MessageRow]) -> None:
    """Write *rows* and three exclusions as the preparation of *delivery*, and publish it."""
    excluded = {"invalid_number": 2, "opted_out": 1}
    digest = MessageDigest()
    digest.add(row[:7] for row in rows)
    with writing_preparation(store, delivery) as writer:
        writer.write_messages(message_frame(rows))
        writer.write_exclusions(
            pl.DataFrame(
                {
                    "row_number": [1, 2, 3],
                    "recipient_id": ["x1", "x2", "x3"],
                    "phone": [None, None, 33699999999],
                    "reason": ["invalid_number", "invalid_number", "opted_out"],
                    "detail": ["too_short", "invalid", ""],
                }
            )
        )
        writer.publish(
            Published(
                fingerprint=fingerprint_of(
                    template=delivery.template,
                    settings=delivery.settings,
                    audience=delivery.audience,
                    excluded=excluded,
                    messages=digest.hexdigest(),
                ),
                targeted=len(rows) + 3,
                excluded=3,
                to_deliver=len(rows),
                parts=sum(row[6] for row in rows),
                figures={"excluded": excluded},
            )
        )


def approve(store: Store, delivery_id: str = "d1") -> Delivery:
    """Say Send to the current preparation."""
    delivery = find_delivery(store, delivery_id)
    decide(
        store,
        delivery_id,
        fingerprint=delivery.fingerprint or "",
        decision=Decision.SEND,
        decided_by="manager",
        via="airflow",
    )
    return find_delivery(store, delivery_id)
