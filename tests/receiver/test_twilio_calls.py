"""Twilio's calls at the receiver, over real HTTP, signed by Twilio's own SDK."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import httpx
import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from smsflow_provider.core.delivery.tokens import Signer, callback_url, inbound_url
from smsflow_provider.core.gateways.settings import Secret
from smsflow_provider.core.gateways.twilio import TwilioDialect, TwilioSettings
from smsflow_provider.core.model import ReceiptKind
from smsflow_provider.core.store.receipts import ReceivedReceipt
from smsflow_provider.receiver.app import make_app
from smsflow_provider.receiver.calls import Item, ReceivedReply
from smsflow_provider.testing.serving import ServedApp

PUBLIC = "https://sms.example"
SIGNER = Signer([b"0123456789abcdef"])
SID = "SM" + "fedcba9876543210" * 2
DELIVERED = {"MessageSid": SID, "MessageStatus": "delivered", "To": "+447700900001"}
REPLY = {"MessageSid": SID, "From": "+447700900001", "To": "+15005550006", "Body": "Stop! 🛑"}


class Receiving:
    """A receiver with one Twilio connection, and what it has stored."""

    def __init__(self, *, auth_token: str) -> None:
        self.items: list[Item] = []
        settings = TwilioSettings(
            base_url="https://api.twilio.com", username="SK0", auth_token=Secret(auth_token)
        )
        self.dialect = TwilioDialect(settings)
        self.app = make_app(
            signer=SIGNER,
            append=self.append,
            dialects=lambda: {"sms_gateway": self.dialect},
            public_url=PUBLIC,
        )
        self.url = ""

    async def append(self, items: Sequence[Item]) -> None:
        self.items += items

    def call(self, url: str, form: dict[str, str], *, signed_with: str | None) -> int:
        """Call as Twilio does: sign the public address, arrive at the one behind the proxy."""
        headers = {}
        if signed_with is not None:
            validator = RequestValidator(signed_with)
            headers["X-Twilio-Signature"] = validator.compute_signature(url, form)
        parts = urlsplit(url)
        place = f"{self.url}{parts.path}?{parts.query}"
        return httpx.post(place, data=form, headers=headers).status_code


@pytest.fixture
def receiving() -> Iterator[Receiving]:
    receiver = Receiving(auth_token="right")
    with ServedApp(receiver.app) as served:
        receiver.url = served.url
        yield receiver


def receipt_address(message_id: str = "1-1-1") -> str:
    return callback_url(
        PUBLIC,
        conn_type="sms_twilio",
        message_id=message_id,
        signer=SIGNER,
        conn_id="sms_gateway",
    )


def test_a_receipt_of_twilio_is_stored(receiving: Receiving) -> None:
    assert 200 == receiving.call(receipt_address(), DELIVERED, signed_with="right")
    (item,) = receiving.items
    assert isinstance(item, ReceivedReceipt)
    assert ("1-1-1", ReceiptKind.DELIVERED, SID) == (item.message_id, item.kind, item.gateway_ref)


@pytest.mark.parametrize("secret", ["wrong", "", None])
def test_a_receipt_that_is_not_signed_is_refused(receiving: Receiving, secret: str | None) -> None:
    """Whoever gets hold of an address, of a log say, cannot make up what became of a message."""
    assert 403 == receiving.call(receipt_address(), DELIVERED, signed_with=secret)
    assert [] == receiving.items


def test_no_other_gateway_s_address_takes_the_token_without_a_signature(
    receiving: Receiving,
) -> None:
    """Kannel signs nothing: its address must not open with what leaked from one of Twilio's."""
    query = urlsplit(receipt_address()).query
    kannel = f"{PUBLIC}/smsflow/receipts/sms_kannel?{query}&d=1"

    assert 403 == receiving.call(kannel, {}, signed_with=None)
    assert 403 == receiving.call(kannel.replace("&g=sms_gateway", ""), {}, signed_with=None)
    assert [] == receiving.items


def test_a_connection_that_signs_nothing_takes_no_call_for_one_that_does() -> None:
    signing, plain = Receiving(auth_token="right"), Receiving(auth_token="")
    receiver = Receiving(auth_token="right")
    receiver.app = make_app(
        signer=SIGNER,
        append=receiver.append,
        dialects=lambda: {"sms_gateway": signing.dialect, "plain": plain.dialect},
        public_url=PUBLIC,
    )
    with ServedApp(receiver.app) as served:
        receiver.url = served.url
        for g in ("", "&g=plain"):
            url = receipt_address().replace("&g=sms_gateway", g)
            assert 403 == receiver.call(url, DELIVERED, signed_with=None)
    assert [] == receiver.items


def test_a_reply_is_stored_by_its_signature(receiving: Receiving) -> None:
    url = f"{PUBLIC}/smsflow/inbound/sms_twilio/sms_gateway"

    assert 403 == receiving.call(url, REPLY, signed_with="wrong")
    assert 200 == receiving.call(url, REPLY, signed_with="right")
    (item,) = receiving.items
    assert isinstance(item, ReceivedReply)
    assert (REPLY["From"], REPLY["Body"], SID) == (
        item.reply.sender,
        item.reply.body,
        item.reply.gateway_ref,
    )


def test_the_name_of_a_connection_may_hold_what_an_address_escapes() -> None:
    """Airflow lets names hold ``:`` and ``/``: every STOP of such a one would be refused."""
    name = "twilio:eu/2"
    receiver = Receiving(auth_token="right")
    receiver.app = make_app(
        signer=SIGNER,
        append=receiver.append,
        dialects=lambda: {name: receiver.dialect},
        public_url=PUBLIC,
    )
    address = inbound_url(PUBLIC, conn_type="sms_twilio", conn_id=name, signer=SIGNER)
    with ServedApp(receiver.app) as served:
        receiver.url = served.url
        assert 200 == receiver.call(address, REPLY, signed_with="right")
        assert 403 == receiver.call(address, REPLY, signed_with="wrong")
    assert [name] == [item.gateway for item in receiver.items]


def test_without_the_auth_token_our_own_token_has_to_do() -> None:
    """An API key signs nothing, so there is nothing to check a signature with."""
    receiver = Receiving(auth_token="")
    with ServedApp(receiver.app) as served:
        receiver.url = served.url
        forged = receipt_address().replace("m=1-1-1", "m=1-1-2")

        assert 200 == receiver.call(receipt_address(), DELIVERED, signed_with=None)
        assert 403 == receiver.call(forged, DELIVERED, signed_with=None)
    assert 1 == len(receiver.items)
