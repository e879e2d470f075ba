"""
A sender in a process of its own, to be killed: ``python -m tests.crash_sender DSN URL``.

With ``default`` behind that it has the window and the connections of a sender nobody has set;
without, two connections and a window of 200 messages.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from smsflow_provider.core.delivery.outlet import GatewayLimits
from smsflow_provider.core.delivery.send import Sender, send
from smsflow_provider.core.delivery.window import WindowSettings
from smsflow_provider.core.gateways.base import Gateway
from smsflow_provider.core.gateways.http import HttpGateway, HttpTransport
from smsflow_provider.core.gateways.simulator import SimulatorDialect, SimulatorSettings
from smsflow_provider.core.store.connection import Store


def main() -> None:
    """Send delivery ``d1`` through the simulator at URL."""
    dsn, url = sys.argv[1:3]
    limits, window = GatewayLimits(connections=2), WindowSettings(most_open=200)
    if sys.argv[3:] == ["default"]:
        limits, window = GatewayLimits(), WindowSettings()
    settings = SimulatorSettings(base_url=url, max_connections=limits.connections)

    @asynccontextmanager
    async def open_gateway(_: str) -> AsyncIterator[Gateway]:
        async with HttpTransport.of(settings) as transport:
            yield HttpGateway(SimulatorDialect(settings), transport)

    sender = Sender(
        owner="process",
        open_gateway=open_gateway,
        conn_type_of=lambda _: "sms_simulator",
        callback_url_of=lambda _, __: None,
        lease_s=0.5,
        limits_of=lambda _: limits,
        window=window,
    )
    asyncio.run(send(Store(dsn), "d1", sender))


if __name__ == "__main__":
    main()
