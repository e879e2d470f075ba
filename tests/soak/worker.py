"""
A send worker in a process of its own, to be killed: ``python -m tests.soak.worker ORDERS``.

It ends with 0 when the delivery has ended, and with 1 and the name of the error on stderr when it
must be started again, as Airflow does with a task that failed.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Self

from smsflow_provider.core.delivery.outfit import Outfit
from smsflow_provider.core.delivery.outlet import Breaker, GatewayLimits, NoBreaker
from smsflow_provider.core.delivery.send import Sender, send
from smsflow_provider.core.delivery.signing import read_signer
from smsflow_provider.core.delivery.tokens import callback_url
from smsflow_provider.core.delivery.window import WindowSettings
from smsflow_provider.core.errors import SmsflowError
from smsflow_provider.core.gateways.base import Dialect, Gateway
from smsflow_provider.core.gateways.http import HttpGateway, HttpTransport
from smsflow_provider.core.gateways.kannel import KannelDialect, KannelSettings
from smsflow_provider.core.gateways.settings import GatewaySettings, Secret
from smsflow_provider.core.gateways.simulator import SimulatorDialect, SimulatorSettings
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery

#: Printed before the name of the error that ended a worker.
ENDED_BY = "ended by "
#: Messages marked and not settled at once, of one worker.
MOST_OPEN = 200
DELIVERY = "d1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What a worker is told."""

    dsn: str
    #: Where it hands over.
    url: str
    #: A family of the simulator; empty: a Kannel.
    family: str = ""
    #: Where receipts are taken; empty: none are asked for.
    public_url: str = ""
    lease_s: float = 2.0
    #: Requests under way at once.
    connections: int = 8
    #: Leave a gateway alone that does not answer, as in production: half a minute at a time.
    has_circuit: bool = False

    @property
    def conn_type(self) -> str:
        """The type of the gateway's connection."""
        return "sms_simulator" if self.family else "sms_kannel"

    def written(self) -> str:
        """Write them for the command line."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what ``written`` wrote."""
        return cls(**json.loads(text))


class Trusting(Outfit):
    """Goes on handing over whatever is lost, so that more of it is lost."""

    def breaker(self, store: Store, delivery: Delivery, conn_id: str) -> Breaker:
        """Trust the gateway."""
        del store, delivery, conn_id
        return NoBreaker()


def _dialect(orders: Orders) -> tuple[GatewaySettings, Dialect]:
    if orders.family:
        simulator = SimulatorSettings(
            base_url=orders.url,
            family=orders.family,
            max_connections=orders.connections,
            answer_timeout_s=2.0,
        )
        return simulator, SimulatorDialect(simulator)
    kannel = KannelSettings(
        base_url=orders.url,
        username="smsflow",
        password=Secret("secret"),
        max_connections=orders.connections,
        answer_timeout_s=2.0,
    )
    return kannel, KannelDialect(kannel)


def make_sender(orders: Orders, store: Store) -> Sender:
    """Make the sender that *orders* describe."""
    settings, dialect = _dialect(orders)
    signer = read_signer(store)

    @asynccontextmanager
    async def open_gateway(_: str) -> AsyncIterator[Gateway]:
        async with HttpTransport.of(settings) as transport:
            yield HttpGateway(dialect, transport)

    def address(_: str, message_id: str) -> str | None:
        if not orders.public_url:
            return None
        return callback_url(
            orders.public_url, conn_type=orders.conn_type, message_id=message_id, signer=signer
        )

    return Sender(
        owner=f"process {os.getpid()}",
        outfit=Outfit() if orders.has_circuit else Trusting(),
        open_gateway=open_gateway,
        conn_type_of=lambda _: orders.conn_type,
        callback_url_of=address,
        lease_s=orders.lease_s,
        limits_of=lambda _: GatewayLimits(connections=orders.connections),
        window=WindowSettings(
            most_open=MOST_OPEN, longest_backoff_s=1.0, stale_s=orders.lease_s * 0.3
        ),
    )


def main() -> int:
    """Send until the delivery has ended."""
    orders = Orders.read(sys.argv[1])
    store = Store(orders.dsn)
    try:
        asyncio.run(send(store, DELIVERY, make_sender(orders, store)))
    except SmsflowError as error:
        sys.stderr.write(f"{ENDED_BY}{type(error).__name__}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
