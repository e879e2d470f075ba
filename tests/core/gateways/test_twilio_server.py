"""Twilio's dialect over the real transport, against a server that behaves as Twilio does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.gateways.base import Asked, Found, Known
from smsflow_provider.core.gateways.http import HttpGateway, HttpTransport
from smsflow_provider.core.gateways.settings import Secret
from smsflow_provider.core.gateways.status import is_hopeless
from smsflow_provider.core.gateways.twilio import TwilioDialect, TwilioSettings
from smsflow_provider.core.model import Message, Outcome, OutcomeKind
from smsflow_provider.testing.examples import example_message
from tests.fake_twilio import ACCOUNT, BUSY, LOST_ANSWER, LOST_REQUEST, TOKEN, FakeTwilio

TEXTS = [
    "Hello",
    " blanks at both ends ",
    "a+b=c&d%20e;f #x",
    "line\nbreak\r\nand tab\t",
    "Été à 5 € {[~^\\|]}",
    "Прекрасно 👩‍👩‍👧‍👦 🇫🇷",
    "“quotes” – and … dashes",
    "x" * 1600,
]


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    with FakeTwilio() as server:
        yield server


def dialect_of(server: FakeTwilio, **changed: Any) -> TwilioDialect:
    given = {"username": ACCOUNT, "password": Secret(TOKEN), **changed}
    settings = TwilioSettings(base_url=server.url, **given)
    later = utc_now() + timedelta(hours=5)
    return TwilioDialect(settings, now=lambda: later)


def send(dialect: TwilioDialect, messages: Sequence[Message]) -> list[Outcome]:
    async def run() -> list[Outcome]:
        async with HttpTransport() as transport:
            gateway = HttpGateway(dialect, transport)
            return [outcome for each in messages for outcome in await gateway.send([each])]

    return asyncio.run(run())


def look_up(dialect: TwilioDialect, message: Message) -> Found:
    asked = Asked(message=message, handed_over_at=utc_now())

    async def run() -> Found:
        async with HttpTransport() as transport:
            response = await HttpGateway(dialect, transport).ask(dialect.write_lookup([asked]))
            (found,) = dialect.read_lookup([asked], response)
            return found

    return asyncio.run(run())


def test_every_text_arrives_as_it_was_written(twilio: FakeTwilio) -> None:
    messages = [example_message(number, body=text) for number, text in enumerate(TEXTS, start=1)]
    outcomes = send(dialect_of(twilio), messages)

    assert {OutcomeKind.ACCEPTED} == {each.kind for each in outcomes}
    assert TEXTS == [form["Body"] for form in twilio.forms]
    assert [each["sid"] for each in reversed(twilio.messages)] == [
        each.gateway_ref for each in outcomes
    ]


def test_each_refusal_has_its_outcome(twilio: FakeTwilio) -> None:
    numbers = ("+447700900211", "+447700900610", "+447700900660", BUSY)
    outcomes = send(dialect_of(twilio), [example_message(to=each) for each in numbers])

    assert [
        (OutcomeKind.FAILED, "21211", None),
        (OutcomeKind.FAILED, "21610", None),
        (OutcomeKind.FAILED, "misconfigured:21660", None),
        (OutcomeKind.NOT_SENT, "20429", 7.0),
    ] == [(each.kind, each.code, each.retry_after_s) for each in outcomes]
    assert [] == twilio.messages


def test_a_wrong_login_is_nobodys_failure(twilio: FakeTwilio) -> None:
    wrong = dialect_of(twilio, password=Secret("wrong"))
    (outcome,) = send(wrong, [example_message()])

    assert is_hopeless(outcome.code)
    assert [] == twilio.forms


def test_a_lost_answer_is_found_again_and_a_lost_request_goes_again(twilio: FakeTwilio) -> None:
    dialect = dialect_of(twilio)
    lost = [example_message(1, to=LOST_ANSWER), example_message(2, to=LOST_REQUEST)]
    outcomes = send(dialect, lost)
    found = [look_up(dialect, each) for each in lost]

    assert [OutcomeKind.UNKNOWN, OutcomeKind.UNKNOWN] == [each.kind for each in outcomes]
    assert [Known.TAKEN, Known.NOT_TAKEN] == [each.known for each in found]
    assert twilio.messages[0]["sid"] == found[0].gateway_ref
    assert 2 == len(twilio.forms)


def test_a_number_with_more_messages_than_a_page_stays_in_doubt(twilio: FakeTwilio) -> None:
    dialect, message = dialect_of(twilio), example_message()
    send(dialect, [message])
    (taken,) = twilio.messages
    old = {**taken, "date_created": "Sat, 22 Nov 2025 12:00:00 +0000"}
    twilio.messages = [old] * 600

    assert Known.UNSURE is look_up(dialect, message).known


def test_neither_number_nor_text_nor_token_is_ever_logged(
    twilio: FakeTwilio, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even by the libraries, with everything turned on."""
    caplog.set_level(logging.DEBUG)
    dialect, message = dialect_of(twilio), example_message(1, to=LOST_ANSWER, body="Xylophone")
    outcomes = send(dialect, [message])
    found = look_up(dialect, message)
    logging.getLogger("a test").debug("asked", extra={"found": repr(found)})
    shown = caplog.text + repr(outcomes) + repr(found) + repr([vars(r) for r in caplog.records])

    assert Known.TAKEN is found.known
    assert LOST_ANSWER.strip("+") not in shown
    assert "Xylophone" not in shown
    assert TOKEN not in shown
