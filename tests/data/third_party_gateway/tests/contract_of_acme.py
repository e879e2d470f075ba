"""Acme against the contract."""

from __future__ import annotations

import json

from smsflow_acme.gateway import GATEWAY, AcmeSettings

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.gateways.base import Dialect, HttpCallback, HttpResponse
from smsflow_provider.core.gateways.settings import Secret
from smsflow_provider.core.model import ReceiptKind
from smsflow_provider.testing.contracts import SECRET, DialectContract

STATES = {ReceiptKind.DELIVERED: "arrived", ReceiptKind.UNDELIVERED: "lost"}


class TestAcmeDialect(DialectContract):
    def dialect(self) -> Dialect:
        settings = AcmeSettings(base_url="https://api.acme.example", password=Secret(SECRET))
        return GATEWAY.make(settings, utc_now)

    def accepting(self, *ids: str) -> HttpResponse:
        assert len(ids) == 1
        return HttpResponse(status=200, body=b'{"result": "queued"}')

    def callback(self, message_id: str, *, kind: ReceiptKind) -> HttpCallback:
        body = json.dumps({"state": STATES[kind]}).encode()
        return HttpCallback(message_id=message_id, body=body)
