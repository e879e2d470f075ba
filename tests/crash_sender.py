"""A sender in a process of its own, to be killed: ``python -m tests.crash_sender DSN URL KEY``."""

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
    settings = SimulatorSettings(base_url=url, max_connections=2)

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
        limits_of=lambda _: GatewayLimits(connections=settings.max_connections),
        window=WindowSettings(most_open=200),
    )
    asyncio.run(send(Store(dsn), "d1", sender))


if __name__ == "__main__":
    main()
