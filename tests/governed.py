"""Deliveries for tests that are being sent, as far as the store knows; nothing sends them."""

from __future__ import annotations

from typing import Any

from psycopg.types.json import Jsonb

from smsflow_provider.core.content.sending_settings import SendingSettings
from smsflow_provider.core.delivery.governor import Governor
from smsflow_provider.core.delivery.waves import first_wave, sending_of
from smsflow_provider.core.model import DeliveryKind, Origin
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.counters import add_to_chunk, chunk_of
from smsflow_provider.core.store.deliveries import (
    Delivery,
    ensure_delivery,
    find_delivery,
    read_log,
)
from smsflow_provider.core.store.prepared import begin_preparation
from tests.prepared_delivery import approve, make_messages, make_prepared, write_prepared


def make_going(
    store: Store,
    *,
    count: int = 2000,
    delivery_id: str = "d1",
    sending: dict[str, Any] | None = None,
) -> Delivery:
    """Make a delivery that is being sent under these settings, in its first wave if it has any."""
    make_prepared(store, count=count, delivery_id=delivery_id)
    delivery = approve(store, delivery_id)
    settings = SendingSettings.model_validate(sending or {})
    kept = {
        "name": "sale",
        "settings": {"sending": settings.model_dump(mode="json", by_alias=True)},
    }
    until = first_wave(count, settings.waves)
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_deliveries SET state = 'sending', sending_at = now(), template = %s,"
            " wave = %s, wave_until = %s, expires_at = now() + interval '1 hour' WHERE no = %s",
            (Jsonb(kept), 1 if until else 0, until, delivery.no),
        )
    return find_delivery(store, delivery_id)


def make_approved(
    store: Store, *, count: int, sending: dict[str, Any] | None = None, delivery_id: str = "d1"
) -> Delivery:
    """Make an approved delivery whose template says how its messages leave."""
    settings = SendingSettings.model_validate(sending or {})
    dumped = settings.model_dump(mode="json", by_alias=True)
    ensure_delivery(
        store,
        delivery_id,
        kind=DeliveryKind.CAMPAIGN,
        label="Sale",
        origin=Origin(dag_id="shop.sale", run_id="r1", task_id="sms"),
        actor="test",
    )
    delivery = begin_preparation(
        store,
        delivery_id,
        label="Sale",
        gateway="sms_gateway",
        dry_run=False,
        template={"name": "sale", "settings": {"sending": dumped}},
        settings={"region": "FR"},
        audience={"count": count + 3},
        validity_s=3600,
        actor="test",
    )
    write_prepared(store, delivery, make_messages(count))
    return approve(store, delivery_id)


def count(store: Store, delivery: Delivery, position: int = 1, **changes: int) -> None:
    """Add to the counters of the chunk that holds *position*."""
    with store.transaction() as connection:
        add_to_chunk(connection, delivery.preparation, chunk_of(position), changes)


def governor_of(store: Store, delivery: Delivery, **more: Any) -> Governor:
    """Make what looks after *delivery*."""
    return Governor(store, delivery, sending_of(delivery), "worker", **more)


def look(store: Store, delivery: Delivery) -> Delivery:
    """Look once, as a worker that has just begun; returns how the delivery stands then."""
    governor = governor_of(store, delivery)
    governor.look_now()
    governor.close()
    return find_delivery(store, delivery.id)


def mark(store: Store, delivery: Delivery, *positions: int) -> None:
    """Mark messages, as a sender does just before it hands them over."""
    with store.transaction() as connection:
        for position in positions:
            connection.execute(
                "INSERT INTO smsflow_marks (preparation, position, attempt, epoch)"
                " VALUES (%s, %s, 0, 1)",
                (delivery.preparation, position),
            )


def settle(store: Store, delivery: Delivery, kind: str, *positions: int, attempt: int = 0) -> None:
    """Record what became of messages, and count it."""
    with store.transaction() as connection:
        for position in positions:
            connection.execute(
                "INSERT INTO smsflow_outcomes (preparation, position, attempt, kind)"
                " VALUES (%s, %s, %s, %s)",
                (delivery.preparation, position, attempt, kind),
            )
            add_to_chunk(connection, delivery.preparation, chunk_of(position), {kind: 1})
        connection.execute(
            "UPDATE smsflow_chunks SET next_position = last_position + 1 WHERE preparation = %s",
            (delivery.preparation,),
        )


def move(store: Store, delivery: Delivery, state: str) -> None:
    """Move a delivery behind everybody's back."""
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_deliveries SET state = %s WHERE no = %s", (state, delivery.no)
        )


def lines_of(store: Store, delivery: Delivery, event: str) -> list[dict[str, Any]]:
    """Read the facts of the lines about *event* in the log of *delivery*."""
    rows = read_log(store, find_delivery(store, delivery.id))
    return [row["facts"] for row in rows if row["event"] == event]


def let_wait_pass(store: Store, delivery: Delivery) -> None:
    """Let the wave of *delivery* have ended a day ago."""
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_deliveries SET wave_ended_at = wave_ended_at - interval '1 day'"
            " WHERE no = %s",
            (delivery.no,),
        )
