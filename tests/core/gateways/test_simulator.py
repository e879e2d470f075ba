"""The simulator's dialect, written and read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.errors import MaybeSentError, RefusedError
from smsflow_provider.core.gateways.base import HttpCallback, HttpResponse
from smsflow_provider.core.gateways.settings import Secret
from smsflow_provider.core.gateways.simulator import SimulatorDialect, SimulatorSettings
from smsflow_provider.core.model import Encoding, OutcomeKind, Receipt, ReceiptKind
from smsflow_provider.testing.examples import example_message

DIALECT = SimulatorDialect(SimulatorSettings(base_url="http://sim:1", password=Secret("key")))


def answer(*rows: dict[str, Any]) -> HttpResponse:
    return HttpResponse(status=200, body=json.dumps({"messages": rows}).encode())


def test_a_batch_is_one_document() -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    batch = [
        example_message(1, body="Été 🎉", encoding=Encoding.UCS2, expires_at=noon),
        example_message(2, callback_url="https://sms.example/x"),
    ]
    request = DIALECT.write(batch)

    assert ("POST", "http://sim:1/v1/messages") == (request.method, request.url)
    assert "Bearer key" == request.headers["Authorization"]
    assert [
        {
            "id": "1-1-1",
            "to": "+447700900001",
            "sender": "smsflow",
            "text": "Été 🎉",
            "encoding": "ucs2",
            "parts": 1,
            "expires_at": "2026-11-22T12:00:00+00:00",
            "callback_url": None,
        },
        {
            "id": "1-1-2",
            "to": "+447700900002",
            "sender": "smsflow",
            "text": "Example 2",
            "encoding": "gsm7",
            "parts": 1,
            "expires_at": None,
            "callback_url": "https://sms.example/x",
        },
    ] == json.loads(request.body)["messages"]


def test_without_a_key_none_is_sent() -> None:
    request = SimulatorDialect(SimulatorSettings(base_url="http://s")).write([example_message()])

    assert "Authorization" not in request.headers


def test_a_text_with_half_a_character_is_refused_before_sending() -> None:
    with pytest.raises(RefusedError) as caught:
        DIALECT.write([example_message(body="half \ud83d")])

    assert "bad_text" == caught.value.facts["code"]


def test_messages_of_one_batch_may_fare_differently() -> None:
    response = answer(
        {"id": "1-1-3", "status": "refused", "code": "number_denied"},
        {"id": "1-1-1", "status": "accepted", "ref": "sim-7"},
    )
    outcomes = DIALECT.read([example_message(number) for number in (1, 2, 3)], response)

    assert [
        ("1-1-1", OutcomeKind.ACCEPTED, "", "sim-7"),
        ("1-1-2", OutcomeKind.UNKNOWN, "not_answered", ""),
        ("1-1-3", OutcomeKind.FAILED, "number_denied", ""),
    ] == [(each.message_id, each.kind, each.code, each.gateway_ref) for each in outcomes]


@pytest.mark.parametrize(
    "row",
    [{}, {"id": "1-1-1"}, {"id": "1-1-1", "status": "maybe"}, {"id": [], "status": "accepted"}, 7],
)
def test_a_row_nobody_can_read_leaves_doubt_for_all(row: Any) -> None:
    with pytest.raises(MaybeSentError) as caught:
        DIALECT.read([example_message()], answer(row))

    assert caught.value.__context__ is None


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["messages", "id", "status"]), x),
    )
)
def test_no_answer_but_a_proper_one_accepts(document: Any) -> None:
    response = HttpResponse(status=200, body=json.dumps(document).encode())
    try:
        (outcome,) = DIALECT.read([example_message()], response)
    except MaybeSentError:
        return
    assert OutcomeKind.UNKNOWN is outcome.kind


def callback(**row: object) -> HttpCallback:
    return HttpCallback(message_id="1-1-1", body=json.dumps(row).encode())


@pytest.mark.parametrize("kind", list(ReceiptKind))
def test_receipts_are_read(kind: ReceiptKind) -> None:
    received = callback(id="1-1-1", status=kind.value, code="absent", ref="sim-1")
    expected = Receipt(message_id="1-1-1", kind=kind, code="absent", gateway_ref="sim-1")

    assert expected == DIALECT.read_callback(received)


@pytest.mark.parametrize(
    "received",
    [
        HttpCallback(message_id="1-1-1"),
        HttpCallback(message_id="1-1-1", body=b"[]"),
        HttpCallback(message_id="1-1-1", body=b"\xff"),
        callback(id="1-1-2", status="delivered"),
        callback(status="delivered"),
        callback(id="1-1-1", status="done"),
        callback(id="1-1-1"),
    ],
)
def test_anything_else_is_not_a_receipt(received: HttpCallback) -> None:
    with pytest.raises(ValueError, match=r"^body:"):
        DIALECT.read_callback(received)


def test_free_text_in_a_receipt_is_not_kept() -> None:
    received = callback(id="1-1-1", status="undelivered", code="could not reach +44", ref=7)

    assert Receipt(message_id="1-1-1", kind=ReceiptKind.UNDELIVERED) == DIALECT.read_callback(
        received
    )
