"""A sender in a process of its own: ``python -m tests.family_sender DSN URL FAMILY``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from smsflow_provider.core.delivery.outfit import Outfit
from smsflow_provider.core.delivery.outlet import Breaker, GatewayLimits, NoBreaker
from smsflow_provider.core.delivery.send import Sender, send
from smsflow_provider.core.delivery.window import WindowSettings
from smsflow_provider.core.gateways.base import Gateway
from smsflow_provider.core.gateways.http import HttpGateway, HttpTransport
from smsflow_provider.core.gateways.simulator import SimulatorDialect, SimulatorSettings
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery


class Trusting(Outfit):
    """Goes on sending whatever is lost: the test is about doubts, not about circuits."""

    def breaker(self, store: Store, delivery: Delivery, conn_id: str) -> Breaker:
        """Trust the gateway."""
        del store, delivery, conn_id
        return NoBreaker()


def main() -> None:
    """Send delivery ``d1`` through the simulator at URL, which plays FAMILY."""
    dsn, url, family = sys.argv[1:4]
    settings = SimulatorSettings(
        base_url=url, family=family, max_connections=1, answer_timeout_s=2.0
    )

    @asynccontextmanager
    async def open_gateway(_: str) -> AsyncIterator[Gateway]:
        async with HttpTransport.of(settings) as transport:
            yield HttpGateway(SimulatorDialect(settings), transport)

    sender = Sender(
        owner="process",
        outfit=Trusting(),
        open_gateway=open_gateway,
        conn_type_of=lambda _: "sms_simulator",
        callback_url_of=lambda _, __: None,
        lease_s=0.5,
        limits_of=lambda _: GatewayLimits(connections=settings.max_connections),
        window=WindowSettings(most_open=100),
    )
    asyncio.run(send(Store(dsn), "d1", sender))


if __name__ == "__main__":
    main()
