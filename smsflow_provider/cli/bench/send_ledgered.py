"""Sending as the product does it, on a store that syncs to disk: through HTTP, and at once."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from smsflow_provider.cli.bench.made import begin_delivery, published
from smsflow_provider.cli.bench.send_reference import ACCOUNT
from smsflow_provider.core.delivery.approval import decide
from smsflow_provider.core.delivery.loop import run
from smsflow_provider.core.delivery.outlet import GatewayLimits
from smsflow_provider.core.delivery.send import Sender, send
from smsflow_provider.core.delivery.tokens import Signer, callback_urls
from smsflow_provider.core.errors import ConfigError, NotSentError
from smsflow_provider.core.fingerprint import MessageDigest, fingerprint_of
from smsflow_provider.core.gateways.base import Dialect, Gateway, HttpRequest, HttpResponse
from smsflow_provider.core.gateways.http import HttpGateway, HttpTransport
from smsflow_provider.core.gateways.settings import Secret
from smsflow_provider.core.gateways.simulator import SimulatorDialect, SimulatorSettings
from smsflow_provider.core.gateways.twilio import TwilioDialect, TwilioSettings
from smsflow_provider.core.model import Message, Outcome, OutcomeKind
from smsflow_provider.core.store.approvals import Decision
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.core.store.keys import read_keys
from smsflow_provider.core.store.prepared import (
    MessageRow,
    message_frame,
    writing_preparation,
)

_CONN_TYPE = "sms_twilio"
_FIRST_PHONE = 33_600_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """How long a delivery took, from the look at its approval to its report."""

    seconds: float
    #: Of this process, on all of its threads.
    cpu_s: float


def make_approved(store: Store, delivery_id: str, *, count: int) -> Delivery:
    """Make a delivery of *count* messages that a person has approved."""
    delivery = begin_delivery(store, delivery_id, count=count)
    rows = _rows(count)
    digest = MessageDigest()
    digest.add(row[:7] for row in rows)
    with writing_preparation(store, delivery) as writer:
        writer.write_messages(message_frame(rows))
        fingerprint = fingerprint_of(
            template=delivery.template,
            settings=delivery.settings,
            audience=delivery.audience,
            excluded={},
            messages=digest.hexdigest(),
        )
        writer.publish(published(count, fingerprint=fingerprint))
    decide(
        store,
        delivery_id,
        fingerprint=fingerprint,
        decision=Decision.SEND,
        decided_by="bench",
        via="bench",
    )
    return find_delivery(store, delivery_id)


def _rows(count: int) -> list[MessageRow]:
    return [
        (n, _FIRST_PHONE + n, f"r{n}", "ACME", f"Hello {n}", "gsm7", 1, "FR")
        for n in range(1, count + 1)
    ]


def send_by_http(store: Store, delivery: Delivery, *, url: str, connections: int) -> Measured:
    """Send *delivery* through the transport and the dialect of Twilio, one message a request."""
    settings = TwilioSettings(
        base_url=url, max_connections=connections, username=ACCOUNT, password=Secret("token")
    )

    @asynccontextmanager
    async def opened(_: str) -> AsyncIterator[Gateway]:
        async with HttpTransport.of(settings) as transport:
            yield HttpGateway(TwilioDialect(settings), transport)

    return _measured(store, delivery, opened, connections=connections)


def send_at_once(store: Store, delivery: Delivery) -> Measured:
    """Send *delivery* to a gateway in this process that answers at once: the ledger alone."""

    @asynccontextmanager
    async def opened(_: str) -> AsyncIterator[Gateway]:
        yield InstantGateway()

    return _measured(store, delivery, opened, connections=8)


class InstantGateway:
    """Takes whole batches at once, without a word on a wire."""

    def __init__(self) -> None:
        self._dialect = SimulatorDialect(SimulatorSettings(base_url="http://127.0.0.1"))

    @property
    def dialect(self) -> Dialect:
        """The dialect whose limits it has."""
        return self._dialect

    async def send(self, batch: Sequence[Message]) -> list[Outcome]:
        """Take all of it."""
        kind = OutcomeKind.ACCEPTED
        return [Outcome(message_id=one.id, kind=kind, gateway_ref=one.id) for one in batch]

    async def ask(self, request: HttpRequest) -> HttpResponse:
        """
        Answer no question.

        Raises:
            NotSentError: Always.
        """
        raise NotSentError("this gateway cannot be asked", method=request.method)


def _measured(
    store: Store,
    delivery: Delivery,
    opened: Callable[[str], AbstractAsyncContextManager[Gateway]],
    *,
    connections: int,
) -> Measured:
    address_of = callback_urls(
        "https://sms.example", conn_type=_CONN_TYPE, signer=Signer(read_keys(store))
    )
    sender = Sender(
        owner="bench",
        open_gateway=opened,
        conn_type_of=lambda _: _CONN_TYPE,
        callback_url_of=lambda _, message_id: address_of(message_id),
        limits_of=lambda _: GatewayLimits(connections=connections),
    )
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    report = run(send(store, delivery.id, sender))
    measured = Measured(
        seconds=time.perf_counter() - began_s, cpu_s=time.process_time() - began_cpu_s
    )
    if report["state"] != "finished" or report["accepted"] != delivery.to_deliver:
        raise ConfigError("the delivery of the benchmark did not finish", state=report["state"])
    return measured
