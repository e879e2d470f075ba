"""Twilio's dialect against the contracts, and against recorded answers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from smsflow_provider.core.gateways.base import Asked, HttpCallback, HttpResponse
from smsflow_provider.core.gateways.error_table import ErrorTable
from smsflow_provider.core.gateways.settings import Secret
from smsflow_provider.core.gateways.twilio import TwilioDialect, TwilioSettings, error_table
from smsflow_provider.core.model import ReceiptKind
from smsflow_provider.testing.contracts import (
    SECRET,
    DialectContract,
    ErrorTableContract,
    LookUpContract,
    RepliesContract,
    SignedCallsContract,
)
from smsflow_provider.testing.lookup_contract import NOON
from smsflow_provider.testing.replies_contract import RECIPIENT, SENDER
from smsflow_provider.testing.signed_calls_contract import ADDRESS
from tests.contract.recorded import Recorded, check_recorded, recorded_answers

ACCOUNT = "AC" + "0123456789abcdef" * 2
SID = "SM" + "fedcba9876543210" * 2


def make_dialect(*, password: str = SECRET, **changed: Any) -> TwilioDialect:
    settings = TwilioSettings(
        base_url="https://api.twilio.com", username=ACCOUNT, password=Secret(password), **changed
    )
    return TwilioDialect(settings, now=lambda: NOON)


def form_call(form: Mapping[str, str], **more: Any) -> HttpCallback:
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
    return HttpCallback(headers=headers, body=urlencode(form).encode(), **more)


class TestTwilioDialect(DialectContract):
    gateway_chooses_encoding = True

    def dialect(self) -> TwilioDialect:
        return make_dialect()

    def accepting(self, *ids: str) -> HttpResponse:
        assert len(ids) == 1
        return HttpResponse(status=201, body=json.dumps({"sid": SID, "status": "queued"}).encode())

    def callback(self, message_id: str, *, kind: ReceiptKind) -> HttpCallback:
        return form_call({"MessageSid": SID, "MessageStatus": kind.value}, message_id=message_id)

    @pytest.mark.parametrize("recorded", recorded_answers("twilio"), ids=lambda each: each.name)
    def test_reads_recorded_answers(self, recorded: Recorded) -> None:
        check_recorded(self.dialect(), recorded)


class TestTwilioLookUp(LookUpContract):
    def dialect(self) -> TwilioDialect:
        return make_dialect()

    def knowing(self, asked: Asked, *, gateway_ref: str) -> HttpResponse:
        row = {
            "sid": gateway_ref,
            "direction": "outbound-api",
            "to": asked.message.to,
            "from": asked.message.sender,
            "body": asked.message.body,
            "messaging_service_sid": None,
            "date_created": format_datetime(asked.handed_over_at + timedelta(seconds=1)),
            "status": "sent",
            "error_code": None,
        }
        return page(row)

    def knowing_nothing(self) -> HttpResponse:
        return page()

    def gateway_ref(self) -> str:
        return SID


def page(*rows: Mapping[str, Any]) -> HttpResponse:
    body = {"messages": list(rows), "next_page_uri": None, "page_size": 500}
    return HttpResponse(status=200, body=json.dumps(body).encode())


class TestTwilioReplies(RepliesContract):
    def dialect(self) -> TwilioDialect:
        return make_dialect()

    def reply_call(self, body: str, *, gateway_ref: str) -> HttpCallback:
        form = {
            "MessageSid": gateway_ref,
            "SmsStatus": "received",
            "From": SENDER,
            "To": RECIPIENT,
            "Body": body,
            "NumMedia": "0",
        }
        return form_call(form)

    def receipt_call(self) -> HttpCallback:
        return form_call({"MessageSid": SID, "MessageStatus": "delivered", "From": "x", "To": "y"})

    def gateway_ref(self) -> str:
        return SID


class TestTwilioSignedCalls(SignedCallsContract):
    signature_headers = ("X-Twilio-Signature",)

    def signed_dialect(self, *, secret: str) -> TwilioDialect:
        return make_dialect(password=secret)

    def signed_call(self, *, secret: str) -> HttpCallback:
        call = form_call({"MessageSid": SID, "MessageStatus": "sent"}, url=ADDRESS)
        fields = "".join(name + value for name, value in sorted(parse_qsl(call.body.decode())))
        made = hmac.new(secret.encode(), (ADDRESS + fields).encode(), hashlib.sha1).digest()
        headers = {**call.headers, "X-Twilio-Signature": base64.b64encode(made).decode()}
        return HttpCallback(url=call.url, headers=headers, body=call.body)


class TestTwilioSignedDocuments(TestTwilioSignedCalls):
    """Calls with another body than a form: the address carries its hash."""

    def signed_call(self, *, secret: str) -> HttpCallback:
        body = b'{"EventType": "sent"}'
        url = f"{ADDRESS}&bodySHA256={hashlib.sha256(body).hexdigest()}"
        made = hmac.new(secret.encode(), url.encode(), hashlib.sha1).digest()
        headers = {
            "Content-Type": "application/json",
            "X-Twilio-Signature": base64.b64encode(made).decode(),
        }
        return HttpCallback(url=url, headers=headers, body=body)


class TestTwilioErrorTable(ErrorTableContract):
    def table(self) -> ErrorTable:
        return error_table()

    def dialect(self) -> TwilioDialect:
        return make_dialect()

    def refusing(self, code: str) -> HttpResponse:
        body = {"code": int(code), "message": "...", "status": 400}
        return HttpResponse(status=400, body=json.dumps(body).encode())
