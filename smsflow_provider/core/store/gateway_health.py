"""How gateways are, from what the store knows of them already: nothing is asked of a gateway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from smsflow_provider.core.store.circuits import CircuitRow
from smsflow_provider.core.store.connection import Connection, Row, Store
from smsflow_provider.core.store.statements import statements

_SQL: Final = "gateway_health"


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """A delivery that a gateway is sending."""

    id: str
    label: str
    dag_id: str
    state: str


@dataclass(slots=True, kw_only=True)
class GatewayHealth:
    """What is known of one connection."""

    circuit: CircuitRow = field(default_factory=CircuitRow)
    #: Parts a second that senders were granted just now.
    parts_per_s: float = 0.0
    #: Share of the limit that is used, below 1 after the gateway said to slow down.
    factor: float = 1.0
    #: The gateway said when to go on, and that is later.
    is_throttled: bool = False
    #: Messages of deliveries that were sent within the last hour, as far as they are settled.
    accepted: int = 0
    failed: int = 0
    unknown: int = 0
    receipts: int = 0
    #: When the latest receipt came, of the last messages of these deliveries or the one before.
    last_receipt_at: datetime | None = None
    busy: list[Busy] = field(default_factory=list)


def read_health(store: Store, gateways: Sequence[str]) -> dict[str, GatewayHealth]:
    """
    Tell how some gateways are, by connection id.

    Reads counters and a few rows at the end of indexes; never counts messages.
    """
    found = {name: GatewayHealth() for name in gateways}
    with store.transaction() as connection:
        _read_circuits(connection, found)
        _read_pace(connection, found)
        _read_deliveries(connection, found)
    return found


def _rows(connection: Connection, name: str, values: Mapping[str, Any]) -> list[Row]:
    return connection.execute(statements(_SQL)[name], values).fetchall()


def _read_circuits(connection: Connection, found: dict[str, GatewayHealth]) -> None:
    for row in _rows(connection, "gateway_circuits", {"gateways": [*found]}):
        found[row["gateway"]].circuit = CircuitRow(
            is_open=row["is_open"],
            failures=row["failures"],
            code=row["code"],
            changed_at=row["changed_at"],
        )


def _read_pace(connection: Connection, found: dict[str, GatewayHealth]) -> None:
    buckets = [f"account {name}" for name in found]
    for row in _rows(connection, "gateway_buckets", {"buckets": buckets}):
        one = found[row["gateway"]]
        granted = row["memory"].get("recent", [])
        one.parts_per_s = float(sum(parts for until, parts in granted if until > row["clock"]))
        one.factor, one.is_throttled = row["factor"], row["is_closed"]


def _read_deliveries(connection: Connection, found: dict[str, GatewayHealth]) -> None:
    rows = _rows(connection, "gateway_deliveries", {"gateways": [*found]})
    of = {row["preparation"]: row["gateway"] for row in rows if row["preparation"] is not None}
    for row in _rows(connection, "outcomes_by_preparation", {"preparations": [*of]}):
        one = found[of[row["preparation"]]]
        one.accepted += row["accepted"]
        one.failed += row["failed"]
        one.unknown += row["unknown"]
        one.receipts += row["receipts"]
    for row in rows:
        if row["state"] in ("sending", "paused"):
            busy = Busy(**{name: row[name] for name in ("id", "label", "dag_id", "state")})
            found[row["gateway"]].busy.append(busy)
    _read_receipts(connection, found)


def _read_receipts(connection: Connection, found: dict[str, GatewayHealth]) -> None:
    rows = _rows(connection, "latest_preparations", {"gateways": [*found]})
    for row in rows:  # one by one: asked together, the tables of all other deliveries are locked
        (latest,) = _rows(connection, "latest_receipt", {"preparation": row["preparation"]})
        found[row["gateway"]].last_receipt_at = latest["at"]
