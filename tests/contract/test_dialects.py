"""The dialects against the contract, and against recorded answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from smsflow_provider.core.gateways.base import Dialect, HttpCallback, HttpResponse
from smsflow_provider.core.gateways.kannel import KannelDialect, KannelSettings
from smsflow_provider.core.gateways.settings import Secret
from smsflow_provider.core.gateways.simulator import SimulatorDialect, SimulatorSettings
from smsflow_provider.core.model import ReceiptKind
from smsflow_provider.testing.contracts import SECRET, DialectContract
from tests.contract.recorded import Recorded, check_recorded, recorded_answers

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class TestKannelDialect(DialectContract):
    def dialect(self) -> Dialect:
        settings = KannelSettings(
            base_url="http://kannel:13013", username="smsflow", password=Secret(SECRET)
        )
        return KannelDialect(settings, now=lambda: NOON)

    def accepting(self, *ids: str) -> HttpResponse:
        assert len(ids) == 1
        return HttpResponse(status=202, body=b"0: Accepted for delivery")

    def callback(self, message_id: str, *, kind: ReceiptKind) -> HttpCallback:
        types = {ReceiptKind.DELIVERED: "1", ReceiptKind.UNDELIVERED: "2"}
        return HttpCallback(message_id=message_id, query={"type": types[kind]})

    @pytest.mark.parametrize("recorded", recorded_answers("kannel"), ids=lambda each: each.name)
    def test_reads_recorded_answers(self, recorded: Recorded) -> None:
        check_recorded(self.dialect(), recorded)


class TestSimulatorDialect(DialectContract):
    def dialect(self) -> Dialect:
        settings = SimulatorSettings(base_url="http://127.0.0.1:8890", password=Secret(SECRET))
        return SimulatorDialect(settings)

    def accepting(self, *ids: str) -> HttpResponse:
        rows = [{"id": each, "status": "accepted", "ref": f"sim-{each}"} for each in ids]
        return HttpResponse(status=200, body=json.dumps({"messages": rows}).encode())

    def callback(self, message_id: str, *, kind: ReceiptKind) -> HttpCallback:
        row = {"id": message_id, "status": kind.value, "ref": "sim-1"}
        return HttpCallback(message_id=message_id, body=json.dumps(row).encode())

    @pytest.mark.parametrize("recorded", recorded_answers("simulator"), ids=lambda each: each.name)
    def test_reads_recorded_answers(self, recorded: Recorded) -> None:
        check_recorded(self.dialect(), recorded)
