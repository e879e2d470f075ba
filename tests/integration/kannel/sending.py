"""Sends texts through a gateway over HTTP, the way the sender does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from smsflow_provider.core.content.encoding import measure
from smsflow_provider.core.gateways.base import Dialect
from smsflow_provider.core.gateways.http import HttpGateway, HttpTransport
from smsflow_provider.core.gateways.settings import GatewaySettings
from smsflow_provider.core.model import Encoding, Message, Outcome
from smsflow_provider.testing.examples import example_message


def message_of(text: str, *, number: int = 1, dialect: Dialect) -> Message:
    """Prepare *text* as the preparation does: encoding and parts from the measuring."""
    measured = measure(text)
    encoding = Encoding(measured.encoding)
    predicted = measure(text, split=dialect.splitting[encoding].value)
    return example_message(number, body=text, encoding=encoding, parts=predicted.parts)


def send_all(
    dialect: Dialect, messages: Sequence[Message], *, settings: GatewaySettings
) -> list[Outcome]:
    """Hand over each message in turn, so that the order of arrival is that of *messages*."""

    async def run() -> list[Outcome]:
        async with HttpTransport.of(settings) as transport:
            gateway = HttpGateway(dialect, transport)
            return [outcome for each in messages for outcome in await gateway.send([each])]

    return asyncio.run(run())
