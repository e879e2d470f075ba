"""A sender for tests: real store, fake gateway, short waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from smsflow_provider.core.delivery.send import Sender, send
from smsflow_provider.core.delivery.window import WindowSettings
from smsflow_provider.core.gateways.base import Gateway
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery


def make_sender(gateway: Gateway, *, owner: str = "tester", **settings: Any) -> Sender:
    """Make a sender that hands everything to *gateway*."""

    @asynccontextmanager
    async def open_gateway(_: Delivery) -> AsyncIterator[Gateway]:
        yield gateway

    window = WindowSettings(
        connections=settings.pop("connections", 4),
        tick_s=0.001,
        idle_tick_s=0.01,
        longest_backoff_s=settings.pop("longest_backoff_s", 0.02),
        progress_s=settings.pop("progress_s", 60.0),
    )
    return Sender(
        owner=owner,
        open_gateway=open_gateway,
        conn_type_of=lambda _: "sms_simulator",
        callback_url_of=lambda conn_type, message_id: f"http://x/{conn_type}?m={message_id}",
        window_of=lambda _: window,
        **settings,
    )


def run_send(store: Store, gateway: Gateway, delivery_id: str = "d1", **kw: Any) -> dict[str, Any]:
    """Send a delivery through *gateway* and return the report."""
    return asyncio.run(send(store, delivery_id, make_sender(gateway, **kw)))


def check_sums(report: dict[str, Any]) -> None:
    """Make sure that a report adds up."""
    assert report["targeted"] == sum(report["excluded"].values()) + report["to_deliver"]
    settled = sum(report[k] for k in ("accepted", "failed", "unknown", "cancelled", "expired"))
    assert report["to_deliver"] == settled + report["waiting"]
    if report["state"] in {"finished", "stopped"}:
        assert 0 == report["waiting"]
