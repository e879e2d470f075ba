"""Acme against the contract."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from smsflow_acme.gateway import GATEWAY, AcmeSettings

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.gateways.base import Dialect, HttpCallback, HttpResponse
from smsflow_provider.core.gateways.settings import Secret
from smsflow_provider.core.model import ReceiptKind
from smsflow_provider.testing.contracts import SECRET, DialectContract
from smsflow_provider.testing.recorded import Recorded, check_recorded, read_recorded

ANSWERS = Path(__file__).parent / "answers"
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

    @pytest.mark.parametrize("recorded", read_recorded(ANSWERS), ids=lambda each: each.name)
    def test_reads_recorded_answers(self, recorded: Recorded) -> None:
        check_recorded(self.dialect(), recorded)
