"""Messages in doubt, for people: which they are, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smsflow_provider.core.model import message_id_of
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.doubts import Doubt, read_doubts


def routes_of(delivery: Delivery) -> list[str]:
    """Name the connections of a delivery by route: its own, and the one it fails over to."""
    sending = delivery.template.get("settings", {}).get("sending") or {}
    failover = sending.get("failover") or {}
    second = failover.get("gateway", "")
    return [delivery.gateway, second] if second else [delivery.gateway]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """One message in doubt, for people. No phone and no text."""

    position: int
    message_id: str
    recipient_id: str
    #: Why nobody knows: ``timeout``, ``reset``, ``sender_lost``, ``http_503``, …
    reason: str
    #: When it was handed over, and when that was given up.
    marked_at: datetime
    settled_at: datetime
    #: Connection of the gateway.
    gateway: str

    def as_dict(self) -> dict[str, Any]:
        """Give JSON values by name."""
        return {
            "position": self.position,
            "message_id": self.message_id,
            "recipient_id": self.recipient_id,
            "reason": self.reason,
            "marked_at": self.marked_at.isoformat(),
            "settled_at": self.settled_at.isoformat(),
            "gateway": self.gateway,
        }


def list_unknown(
    store: Store, delivery: Delivery, *, after: int = 0, limit: int = 100
) -> list[Unknown]:
    """
    List messages in doubt with a position above *after*, in order.

    The position of the last one is the next *after*; an empty list: there are no more.
    """
    routes = routes_of(delivery)
    return [
        Unknown(
            position=one.position,
            message_id=message_id_of_doubt(delivery, one),
            recipient_id=one.recipient_id,
            reason=one.code,
            marked_at=one.marked_at,
            settled_at=one.settled_at,
            gateway=routes[one.route] if one.route < len(routes) else "",
        )
        for one in read_doubts(store, delivery, after=after, limit=limit)
    ]


def message_id_of_doubt(delivery: Delivery, doubt: Doubt) -> str:
    """Build the id that the gateway saw."""
    return message_id_of(delivery.no, delivery.preparation, doubt.position)
