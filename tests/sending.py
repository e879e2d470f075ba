"""A sender for tests: real store, fake gateway, short waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

from smsflow_provider.core.delivery.outlet import GatewayLimits
from smsflow_provider.core.delivery.send import Sender, send
from smsflow_provider.core.delivery.window import WindowSettings
from smsflow_provider.core.gateways.base import Gateway
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.ledger import Ledger
from smsflow_provider.core.store.ledger_rows import Settled, Standing, Taken


def make_sender(gateway: Gateway, *, owner: str = "tester", **settings: Any) -> Sender:
    """Make a sender that hands everything to *gateway*."""

    @asynccontextmanager
    async def open_gateway(_: str) -> AsyncIterator[Gateway]:
        yield gateway

    connections = settings.pop("connections", 4)
    window = WindowSettings(
        tick_s=0.001,
        idle_tick_s=0.01,
        longest_backoff_s=settings.pop("longest_backoff_s", 0.02),
        progress_s=settings.pop("progress_s", 60.0),
        most_open=settings.pop("most_open", 2000),
    )
    limits = GatewayLimits(connections=connections)
    return Sender(
        owner=owner,
        conn_type_of=lambda _: "sms_simulator",
        **{
            "callback_url_of": lambda _, message_id: f"http://x/sms_simulator?m={message_id}",
            "open_gateway": open_gateway,
            "limits_of": lambda _: limits,
            "window": window,
            **settings,
        },
    )


#: What a test has read ahead through a ledger and not marked.
_AHEAD: WeakKeyDictionary[Ledger, list[Taken]] = WeakKeyDictionary()


def tick(
    ledger: Ledger, *, settled: Sequence[Settled] = (), wanted: int = 0
) -> tuple[Standing, list[Taken]]:
    """Write *settled* and mark the next *wanted* messages, those that go once more first."""
    standing = ledger.tick(settled=settled).standing
    ahead = _AHEAD.setdefault(ledger, [])
    while len(ahead) < wanted and (leased := ledger.lease_chunk(until=None)):
        ahead += [*leased[1], *leased[0]]
    leaving, ahead[:] = ahead[:wanted], ahead[wanted:]
    if leaving:
        ticked = ledger.tick(settled=[], leaving=[(one, 0) for one in leaving])
        standing, gone = ticked.standing, ticked.gone
    else:
        gone = ()
    lost = {one.position for one in gone}
    return standing, [one for one in leaving if one.position not in lost]


def put_again(ledger: Ledger, *messages: Taken) -> None:
    """Let *messages*, which the gateway did not take, go once more before all others."""
    _AHEAD.setdefault(ledger, [])[:0] = [one.again() for one in messages]


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
