"""A whole delivery to a server like Twilio: real store, real sender, real HTTP."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.delivery.send import send
from smsflow_provider.core.errors import RefusedError
from smsflow_provider.core.gateways.base import Gateway
from smsflow_provider.core.gateways.http import HttpGateway, HttpTransport
from smsflow_provider.core.gateways.settings import Secret
from smsflow_provider.core.gateways.twilio import TwilioDialect, TwilioSettings
from smsflow_provider.core.store.connection import Store
from smsflow_provider.testing.gateway import RecordingGateway
from tests.fake_twilio import ACCOUNT, TOKEN, FakeTwilio
from tests.prepared_delivery import approve, make_prepared
from tests.sending import check_sums, make_sender

COUNT = 300


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    with FakeTwilio() as server:
        yield server


def send_through(store: Store, server: FakeTwilio, *, token: str) -> dict[str, Any]:
    settings = TwilioSettings(base_url=server.url, username=ACCOUNT, password=Secret(token))

    @asynccontextmanager
    async def open_gateway(_: str) -> AsyncIterator[Gateway]:
        async with HttpTransport.of(settings) as transport:
            yield HttpGateway(TwilioDialect(settings), transport)

    sender = replace(make_sender(RecordingGateway()), open_gateway=open_gateway)
    return asyncio.run(send(store, "d1", sender))


def test_each_message_of_a_delivery_reaches_twilio_once(store: Store, twilio: FakeTwilio) -> None:
    make_prepared(store, count=COUNT)
    approve(store)
    result = send_through(store, twilio, token=TOKEN)
    calls = Counter((form["To"], form["Body"], form["StatusCallback"]) for form in twilio.forms)

    assert ("finished", COUNT) == (result["state"], result["accepted"])
    assert (COUNT, {1}) == (len(calls), set(calls.values()))
    assert all(3000 < int(form["ValidityPeriod"]) <= 3600 for form in twilio.forms)
    check_sums(result)


def test_a_wrong_token_stops_the_sender_and_fails_nobody(store: Store, twilio: FakeTwilio) -> None:
    make_prepared(store, count=COUNT)
    approve(store)
    with pytest.raises(RefusedError) as caught:
        send_through(store, twilio, token="wrong")
    halfway = report(store, "d1")
    result = send_through(store, twilio, token=TOKEN)

    assert "misconfigured:20003" == caught.value.facts["code"]
    assert ("sending", 0, COUNT) == (halfway["state"], halfway["failed"], halfway["waiting"])
    assert ("finished", COUNT) == (result["state"], result["accepted"])
    assert COUNT == len(twilio.forms)
