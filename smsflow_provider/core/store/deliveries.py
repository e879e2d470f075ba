"""Deliveries in the store: make, find, list, move, and read their figures and log."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import partial
from typing import Any, Self

from psycopg.types.json import Jsonb

from smsflow_provider.core.errors import IllegalMoveError, NotFoundError
from smsflow_provider.core.model import FIGURES, DeliveryKind, Exclusion, Origin
from smsflow_provider.core.states import DeliveryState, check_move
from smsflow_provider.core.store.connection import Connection, Row, Store
from smsflow_provider.core.store.statements import statements

_SQL = "deliveries"

#: One line of the levelled log: (level, event, problem, facts). No phone and no text in it.
LogRow = tuple[str, str, str, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery as the store has it now."""

    no: int
    #: Public, stable, safe in a URL.
    id: str
    kind: DeliveryKind
    label: str
    origin: Origin
    #: Airflow connection of the gateway.
    gateway: str
    dry_run: bool
    state: DeliveryState
    #: Number of the current preparation, unique over all deliveries; 0 before the first.
    preparation: int
    #: None until a preparation is complete.
    fingerprint: str | None
    template: dict[str, Any] = field(repr=False)
    settings: dict[str, Any] = field(repr=False)
    audience: dict[str, Any] = field(repr=False)
    figures: dict[str, Any] = field(repr=False)
    targeted: int
    excluded: int
    to_deliver: int
    #: Parts of all messages to deliver.
    parts: int
    validity_s: int | None
    #: When what has not left by then expires; set when sending begins.
    expires_at: datetime | None
    created_at: datetime
    created_by: str
    prepared_at: datetime | None
    sending_at: datetime | None
    ended_at: datetime | None
    moved_at: datetime
    moved_by: str
    #: Of a proof: the ``no`` of the delivery it shows, and which of its proofs it is, from 1.
    proof_of: int | None = None
    proof_no: int | None = None
    #: A ``PauseReason`` while it is paused, empty otherwise. None: the schema has no such column.
    pause_reason: str | None = None
    #: The wave that leaves, from 1; 0 without waves.
    wave: int = 0
    #: The last position that may leave now. None: all may.
    wave_until: int | None = None
    #: When all of the wave was settled.
    wave_ended_at: datetime | None = None
    #: Who started or prepared it, by the names that Airflow gave; nobody for a schedule.
    authors: Sequence[str] = ()

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Read one row of ``smsflow_deliveries``; an older schema lacks the last columns."""
        names = {item.name for item in fields(cls)} - {"origin", "kind", "state"}
        return cls(
            origin=Origin(**{item.name: row[item.name] for item in fields(Origin)}),
            kind=DeliveryKind(row["kind"]),
            state=DeliveryState(row["state"]),
            **{name: row[name] for name in names if name in row},
        )


def ensure_delivery(
    store: Store,
    delivery_id: str,
    *,
    kind: DeliveryKind,
    label: str,
    origin: Origin,
    actor: str,
) -> Delivery:
    """Make the delivery, or find the one that is there: two at once make one."""
    with store.transaction() as connection:
        connection.execute(
            statements(_SQL)["ensure_delivery"],
            {
                "id": delivery_id,
                "kind": kind.value,
                "label": label,
                "actor": actor,
                "dag_id": origin.dag_id,
                "run_id": origin.run_id,
                "task_id": origin.task_id,
                "map_index": origin.map_index,
            },
        )
        return read_delivery(connection, delivery_id)


def find_delivery(store: Store, delivery_id: str) -> Delivery:
    """
    Find one delivery.

    Raises:
        NotFoundError: There is none of that id; the facts name near ones.
    """
    with store.transaction() as connection:
        return read_delivery(connection, delivery_id)


def read_delivery(connection: Connection, delivery_id: str, *, lock: bool = False) -> Delivery:
    """Find one delivery in an open transaction; with *lock*, hold it until the end of that."""
    name = "lock_delivery" if lock else "find_delivery"
    row = connection.execute(statements(_SQL)[name], {"id": delivery_id}).fetchone()
    if row is None:
        known = [str(r["id"]) for r in connection.execute(statements(_SQL)["near_ids"])]
        near = difflib.get_close_matches(delivery_id, known, n=3)
        raise NotFoundError("there is no such delivery", delivery=delivery_id, near=near)
    return Delivery.from_row(row)


def list_deliveries(
    store: Store,
    *,
    limit: int = 50,
    before_no: int | None = None,
    state: DeliveryState | None = None,
    kind: DeliveryKind | None = None,
) -> list[tuple[Delivery, dict[str, int]]]:
    """
    List the latest deliveries with their figures, newest first.

    Args:
        limit: At most this many, 1 or more.
        before_no: Only deliveries made before this one (its ``no``): the key of the next page.
        state: Only deliveries in this state.
        kind: Only deliveries of this kind.
    """
    values = {
        "limit": limit,
        "before_no": before_no,
        "state": state and state.value,
        "kind": kind and kind.value,
    }
    with store.transaction() as connection:
        rows = connection.execute(statements(_SQL)["list_deliveries"], values).fetchall()
    return [(Delivery.from_row(row), figures_of(row)) for row in rows]


def move_delivery(
    connection: Connection, delivery: Delivery, target: DeliveryState, *, actor: str
) -> None:
    """
    Move *delivery* to *target*, if it still stands where *delivery* says.

    Raises:
        IllegalMoveError: The move is not in the table, or somebody was faster.
    """
    check_move(delivery.state, target)
    moved = connection.execute(
        statements(_SQL)["move_delivery"],
        {
            "id": delivery.id,
            "current": delivery.state.value,
            "target": target.value,
            "actor": actor,
        },
    ).fetchone()
    if moved is None:
        raise IllegalMoveError(
            "the delivery has moved meanwhile: look at it again",
            delivery=delivery.id,
            believed=delivery.state.value,
            target=target.value,
        )


def move_and_log(
    connection: Connection, delivery: Delivery, target: DeliveryState, *, actor: str
) -> None:
    """Move *delivery* as ``move_delivery`` does, and say in its log who did it."""
    move_delivery(connection, delivery, target, actor=actor)
    write_log(
        connection,
        delivery,
        level="info",
        event=f"delivery_{target.value}",
        problem=f"The delivery is {target.value}",
        facts={"by": actor},
    )


def excluded_of(delivery: Delivery) -> dict[str, int]:
    """Recipients left out, by reason, in order. Empty unless the preparation is complete."""
    if delivery.fingerprint is None:
        return {}
    counts = delivery.figures.get("excluded", {})
    return {reason.value: int(counts[reason]) for reason in Exclusion if reason in counts}


def read_figures(store: Store, delivery: Delivery) -> dict[str, int]:
    """
    Sum where the messages of *delivery* stand now.

    Returns:
        ``accepted`` (ever), ``delivered``, ``undelivered``, ``failed``, ``unknown``,
        ``cancelled``, ``expired``. All 0 before sending.
    """
    with store.transaction() as connection:
        row = connection.execute(
            statements(_SQL)["figures"], {"preparation": delivery.preparation}
        ).fetchone()
    return figures_of(row or {})


def read_causes(store: Store, delivery: Delivery) -> list[Row]:
    """Count messages by what ended them for now: ``kind``, ``code``, ``messages``; at most 50."""
    with store.transaction() as connection:
        return connection.execute(
            statements(_SQL)["causes"], {"preparation": delivery.preparation}
        ).fetchall()


def write_log(
    connection: Connection,
    delivery: Delivery,
    *,
    level: str,
    event: str,
    problem: str,
    facts: dict[str, Any] | None = None,
) -> None:
    """Add a line to the levelled log: info, warning or error. No phone and no text in it."""
    write_log_rows(connection, delivery, [(level, event, problem, facts or {})])


def write_log_rows(connection: Connection, delivery: Delivery, rows: Sequence[LogRow]) -> None:
    """Add lines to the levelled log. A fact that JSON has no word for is written as text."""
    for level, event, problem, facts in rows:
        connection.execute(
            statements(_SQL)["write_log"],
            {
                "delivery_no": delivery.no,
                "preparation": delivery.preparation,
                "level": level,
                "event": str(event),
                "problem": problem,
                "facts": Jsonb(facts, dumps=partial(json.dumps, default=str)),
            },
        )


def read_log(store: Store, delivery: Delivery) -> list[Row]:
    """Read the log since the current preparation began, oldest first."""
    with store.transaction() as connection:
        return connection.execute(
            statements(_SQL)["read_log"], {"delivery_no": delivery.no}
        ).fetchall()


def sample_messages(store: Store, delivery: Delivery, positions: list[int]) -> list[Row]:
    """Read prepared messages by position. Holds phones and texts: mask before showing."""
    if not delivery.to_deliver or delivery.fingerprint is None:
        return []
    with store.transaction() as connection:
        return connection.execute(
            statements(_SQL)["sample_messages"],
            {"preparation": delivery.preparation, "positions": positions},
        ).fetchall()


def figures_of(row: Row) -> dict[str, int]:
    """Read the counters of a row: those of ``read_figures``."""
    return {name: int(row.get(name) or 0) for name in FIGURES}
