"""
The recipes of the page on gateways by settings, against the contract and the vendors' answers.

The answers are made by hand after what the vendors document; nothing here calls a vendor.
"""

from __future__ import annotations

import asyncio
import json
from abc import abstractmethod
from functools import cache
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlencode

import pytest

from smsflow_provider.core.errors import GatewayError
from smsflow_provider.core.gateways.base import Checkable, Dialect, HttpCallback, HttpResponse
from smsflow_provider.core.gateways.error_table import ErrorTable
from smsflow_provider.core.gateways.generic import GenericDialect
from smsflow_provider.core.gateways.http import HttpGateway, HttpTransport, outcome_of
from smsflow_provider.core.gateways.registry import make_dialect, read_connection
from smsflow_provider.core.gateways.settings import ConnectionFields, GatewaySettings
from smsflow_provider.core.model import Encoding, Outcome, OutcomeKind, ReceiptKind
from smsflow_provider.testing import misbehaving
from smsflow_provider.testing.contracts import (
    SECRET,
    DialectContract,
    ErrorTableContract,
    RepliesContract,
)
from smsflow_provider.testing.examples import example_message
from smsflow_provider.testing.misbehaving import MisbehavingServer
from smsflow_provider.testing.replies_contract import RECIPIENT, SENDER
from smsflow_provider.testing.simulator import RunningSimulator
from tests.docs.blocks import blocks

PAGE = Path(__file__).parents[2] / "docs" / "generic_http.md"
CALLBACK = "https://sms.example/smsflow/receipts/sms_http?m=1-1-1&t=token"


@cache
def recipe(name: str, **changed: str) -> GenericDialect:
    """Make the dialect of a recipe of the page, as if its JSON were the connection."""
    (text,) = blocks(PAGE, "json", mark=f"recipe-{name}")
    fields = {"password": SECRET, **json.loads(text)} | changed
    conn_type = fields.pop("conn_type")
    fields["password"] = SECRET
    dialect = make_dialect(conn_type, read_connection(conn_type, ConnectionFields(**fields)))
    assert isinstance(dialect, GenericDialect)
    return dialect


def ok(document: object, status: int = 200) -> HttpResponse:
    return HttpResponse(status=status, body=json.dumps(document).encode())


def posted(document: object, message_id: str = "") -> HttpCallback:
    headers = {"Content-Type": "application/json"}
    return HttpCallback(message_id=message_id, headers=headers, body=json.dumps(document).encode())


def result_of(dialect: Dialect, response: HttpResponse) -> str:
    message = example_message()
    try:
        (outcome,) = dialect.read([message], response)
    except GatewayError as error:
        outcome = outcome_of(error, message_id=message.id)
    return f"{outcome.kind.value} {outcome.code}"


class RecipeContract(DialectContract, ErrorTableContract):
    name: ClassVar[str]

    def dialect(self) -> GenericDialect:
        return recipe(self.name)

    def table(self) -> ErrorTable:
        return self.dialect().table

    @abstractmethod
    def document(self, *, is_unicode: bool) -> dict[str, Any]:
        """What the vendor documents for message 1 with a callback address."""

    @pytest.mark.parametrize("encoding", Encoding)
    def test_writes_what_the_vendor_documents(self, encoding: Encoding) -> None:
        message = example_message(encoding=encoding, callback_url=CALLBACK)
        request = self.dialect().write([message])
        form = request.headers["Content-Type"] == "application/x-www-form-urlencoded"
        found = (
            {name: value for name, (value,) in parse_qs(request.body.decode()).items()}
            if form
            else json.loads(request.body)
        )

        assert self.document(is_unicode=encoding is Encoding.UCS2) == found


class TestVonage(RecipeContract):
    name = "vonage"

    def document(self, *, is_unicode: bool) -> dict[str, Any]:
        return {
            "api_key": "the API key",
            "api_secret": SECRET,
            "to": "447700900001",
            "from": "smsflow",
            "text": "Example 1",
            "type": "unicode" if is_unicode else "text",
            "client-ref": "1-1-1",
            "callback": CALLBACK,
        }

    def parts(self, *statuses: str) -> HttpResponse:
        rows = [
            {"to": "447700900001", "status": each, "error-text": "words about 447700900001"}
            | ({"message-id": f"0A000{place}"} if each == "0" else {})
            for place, each in enumerate(statuses)
        ]
        return ok({"message-count": str(len(rows)), "messages": rows})

    def accepting(self, *ids: str) -> HttpResponse:
        assert len(ids) == 1
        return self.parts("0")

    def refusing(self, code: str) -> HttpResponse:
        return self.parts(code)

    def callback(self, message_id: str, *, kind: ReceiptKind) -> HttpCallback:
        word = {ReceiptKind.DELIVERED: "delivered", ReceiptKind.UNDELIVERED: "failed"}[kind]
        fields = {"msisdn": SENDER, "to": "smsflow", "status": word, "err-code": "0"}
        body = urlencode(fields | {"client-ref": message_id, "messageId": "0A0000"}).encode()
        return HttpCallback(message_id=message_id, body=body)

    @pytest.mark.parametrize(
        ("statuses", "result"),
        [
            (["0"], "accepted "),
            (["0", "0", "0"], "accepted "),
            (["1"], "not_sent 1"),
            (["5"], "unknown 5"),
            (["6"], "failed 6"),
            (["9"], "failed misconfigured:9"),
            # A throttled part behind one that was taken: the message must not go again.
            (["0", "1"], "unknown garbage"),
            (["1", "0"], "unknown garbage"),
            (["1", "5"], "unknown garbage"),
        ],
    )
    def test_the_status_is_in_the_body_one_for_each_part(
        self, statuses: list[str], result: str
    ) -> None:
        assert result == result_of(self.dialect(), self.parts(*statuses))

    def test_an_accepted_message_has_the_vendors_id(self) -> None:
        (outcome,) = self.dialect().read([example_message()], self.parts("0", "0"))

        assert "0A0000" == outcome.gateway_ref


class TestVonageReplies(RepliesContract):
    def dialect(self) -> GenericDialect:
        return recipe("vonage")

    def reply_call(self, body: str, *, gateway_ref: str) -> HttpCallback:
        fields = {"msisdn": SENDER.strip("+"), "to": RECIPIENT.strip("+"), "text": body}
        return HttpCallback(body=urlencode(fields | {"messageId": gateway_ref}).encode())

    def receipt_call(self) -> HttpCallback:
        return TestVonage().callback("1-1-1", kind=ReceiptKind.DELIVERED)


class TestBrevo(RecipeContract):
    name = "brevo"

    def document(self, *, is_unicode: bool) -> dict[str, Any]:
        return {
            "type": "marketing",
            "recipient": "447700900001",
            "sender": "smsflow",
            "content": "Example 1",
            "unicodeEnabled": is_unicode,
            "tag": "1-1-1",
            "webUrl": CALLBACK,
        }

    def accepting(self, *ids: str) -> HttpResponse:
        assert len(ids) == 1
        return ok({"reference": "ab1cde2fgh", "messageId": 1511882900176220, "smsCount": 1}, 201)

    def refusing(self, code: str) -> HttpResponse:
        return ok({"code": code, "message": "words about +447700900001"}, 400)

    def callback(self, message_id: str, *, kind: ReceiptKind) -> HttpCallback:
        word = {ReceiptKind.DELIVERED: "delivered", ReceiptKind.UNDELIVERED: "hardBounce"}[kind]
        return posted({"msg_status": word, "messageId": 1511882900176220}, message_id)

    def test_does_what_the_table_says(self) -> None:
        """A code in no list of an answer of the 4xx family is a refusal, whatever the default."""
        assert "failed not_in_the_list" == result_of(
            self.dialect(), self.refusing("not_in_the_list")
        )

    def test_the_dialect_does_what_the_table_says(self) -> None:
        for code in self.table().rows:
            assert result_of(self.dialect(), self.refusing(code)).endswith(code)

    def test_a_number_as_an_id_becomes_a_text(self) -> None:
        (outcome,) = self.dialect().read([example_message()], self.accepting("1-1-1"))

        assert "1511882900176220" == outcome.gateway_ref


class TestTelnyx(RecipeContract):
    name = "telnyx"

    def document(self, *, is_unicode: bool) -> dict[str, Any]:
        return {
            "to": "+447700900001",
            "from": "smsflow",
            "text": "Example 1",
            "type": "SMS",
            "encoding": "ucs2" if is_unicode else "gsm7",
            "tags": ["1-1-1"],
            "webhook_url": CALLBACK,
            "use_profile_webhooks": False,
        }

    def accepting(self, *ids: str) -> HttpResponse:
        assert len(ids) == 1
        to = [{"phone_number": "+447700900001", "status": "queued"}]
        return ok({"data": {"id": "b0c7e8cb-6227-4c74-9f32-c7f80c30934b", "to": to}})

    def refusing(self, code: str) -> HttpResponse:
        return ok({"errors": [{"code": code, "title": "words about +447700900001"}]})

    def callback(self, message_id: str, *, kind: ReceiptKind) -> HttpCallback:
        word = {ReceiptKind.DELIVERED: "delivered", ReceiptKind.UNDELIVERED: "delivery_failed"}
        payload = {"id": "b0c7e8cb", "to": [{"status": word[kind]}], "errors": []}
        event = {"event_type": "message.finalized", "payload": payload}
        return posted({"data": event}, message_id)


class TestTelnyxReplies(RepliesContract):
    def dialect(self) -> GenericDialect:
        return recipe("telnyx")

    def reply_call(self, body: str, *, gateway_ref: str) -> HttpCallback:
        payload = {
            "id": gateway_ref,
            "from": {"phone_number": SENDER},
            "to": [{"phone_number": RECIPIENT, "status": "webhook_delivered"}],
            "text": body,
        }
        return posted({"data": {"event_type": "message.received", "payload": payload}})

    def receipt_call(self) -> HttpCallback:
        return TestTelnyx().callback("1-1-1", kind=ReceiptKind.DELIVERED)


class TestInfobip(RecipeContract):
    name = "infobip"
    gateway_chooses_encoding = True

    def document(self, *, is_unicode: bool) -> dict[str, Any]:
        del is_unicode
        message = {
            "sender": "smsflow",
            "destinations": [{"to": "447700900001", "messageId": "1-1-1"}],
            "content": {"text": "Example 1"},
            "webhooks": {"delivery": {"url": CALLBACK}},
        }
        return {"messages": [message]}

    def rows(self, *rows: tuple[str, str, str]) -> HttpResponse:
        found = [
            {"messageId": each, "status": {"groupName": group, "name": name}, "destination": "44"}
            for each, group, name in rows
        ]
        return ok({"bulkId": "b", "messages": found})

    def accepting(self, *ids: str) -> HttpResponse:
        return self.rows(*((each, "PENDING", "PENDING_ACCEPTED") for each in ids))

    def refusing(self, code: str) -> HttpResponse:
        return self.rows(("1-1-1", "REJECTED", code))

    def callback(self, message_id: str, *, kind: ReceiptKind) -> HttpCallback:
        word = {ReceiptKind.DELIVERED: "DELIVERED", ReceiptKind.UNDELIVERED: "UNDELIVERABLE"}
        row = {"messageId": message_id, "status": {"groupName": word[kind]}}
        return posted({"results": [row | {"error": {"id": 0, "name": "NO_ERROR"}}]}, message_id)

    def test_a_duplicate_of_our_id_was_taken_before(self) -> None:
        response = self.rows(("1-1-1", "REJECTED", "REJECTED_DUPLICATE_MESSAGE_ID"))

        assert "accepted " == result_of(self.dialect(), response)

    def test_each_message_of_a_batch_has_an_outcome_of_its_own(self) -> None:
        batch = [example_message(number) for number in (1, 2, 3)]
        response = self.rows(
            ("1-1-3", "PENDING", "PENDING_ACCEPTED"), ("1-1-1", "REJECTED", "REJECTED_PREFIX")
        )
        found = self.dialect().read(batch, response)

        kinds = [OutcomeKind.FAILED, OutcomeKind.UNKNOWN, OutcomeKind.ACCEPTED]
        assert kinds == [each.kind for each in found]


class TestInfobipReplies(RepliesContract):
    def dialect(self) -> GenericDialect:
        return recipe("infobip")

    def reply_call(self, body: str, *, gateway_ref: str) -> HttpCallback:
        ends = {"from": SENDER.strip("+"), "to": RECIPIENT.strip("+")}
        return posted({"results": [{"messageId": gateway_ref, "text": body, **ends}]})

    def receipt_call(self) -> HttpCallback:
        return TestInfobip().callback("1-1-1", kind=ReceiptKind.DELIVERED)


class TestXml(DialectContract):
    def dialect(self) -> GenericDialect:
        return recipe("xml")

    def accepting(self, *ids: str) -> HttpResponse:
        assert len(ids) == 1
        return HttpResponse(status=200, body=b'<ok id="17"/>')

    def callback(self, message_id: str, *, kind: ReceiptKind) -> HttpCallback:
        return posted({"state": kind.value}, message_id)

    def test_reads_the_last_receipt(self) -> None:  # type: ignore[override]
        """It sends none."""
        with pytest.raises(ValueError, match="receipt_status"):
            self.dialect().read_callback(self.callback("1-1-1", kind=ReceiptKind.DELIVERED))

    @pytest.mark.parametrize(
        ("body", "result"),
        [
            (b'<ok id="17"/>', "accepted "),
            (b'<error code="E12">words</error>', "failed E12"),
            (b'<error code="E99"/>', "not_sent E99"),
            (b'<error code="E1"/>', "unknown E1"),
            (b"<html>", "unknown garbage"),
        ],
    )
    def test_reads_texts_without_a_parser(self, body: bytes, result: str) -> None:
        assert result == result_of(self.dialect(), HttpResponse(status=200, body=body))


@pytest.mark.parametrize("name", ["vonage", "brevo", "telnyx", "infobip", "xml"])
def test_a_recipe_sends_to_the_host_of_its_connection_through_our_transport(name: str) -> None:
    """The vendor's host is a setting: here it is a server of ours, which throttles."""

    async def send() -> tuple[str, list[bytes]]:
        turn = misbehaving.answering(misbehaving.answer(429, b"{}", headers="Retry-After: 3\r\n"))
        async with MisbehavingServer(turn) as server, HttpTransport() as transport:
            dialect = recipe(name, host=server.url)
            (outcome,) = await HttpGateway(dialect, transport).send([example_message()])
            return f"{outcome.kind.value} {outcome.retry_after_s}", server.requests

    result, requests = asyncio.run(send())

    assert "not_sent 3.0" == result
    assert 1 == len(requests)
    assert b"447700900001" not in requests[0].splitlines()[0]


#: Our own simulator, as if smsflow had no dialect for it.
SIMULATOR: dict[str, Any] = {
    "path": "/v1/messages",
    "headers": {"Authorization": "Bearer {{ password }}"},
    "max_batch": 100,
    "body": {
        "messages": {
            "each_message": {
                "id": "{{ id }}",
                "to": "{{ to }}",
                "sender": "{{ sender }}",
                "text": "{{ text }}",
                "encoding": "{{ encoding }}",
                "parts": "{{ parts }}",
                "expires_at": "{{ expires_at }}",
                "callback_url": "{{ callback_url }}",
            }
        }
    },
    "items": "json.messages",
    "item_id": "item.id",
    "accepted_when": "item.status == 'accepted'",
    "reference": "item.ref",
    "error_code": "item.code",
    "default_class": "refused",
    "check_path": "/v1/counts",
}


def test_the_simulator_can_be_reached_by_settings_alone() -> None:
    batch = [example_message(number, body=f'"{number}" & é €\n') for number in range(1, 101)]

    async def send(settings: GatewaySettings) -> tuple[list[Outcome], int]:
        async with HttpTransport.of(settings) as transport:
            gateway = HttpGateway(make_dialect("sms_http", settings), transport)
            assert isinstance(gateway.dialect, Checkable)
            checked = await gateway.ask(gateway.dialect.write_check())
            return await gateway.send(batch), checked.status

    with RunningSimulator(api_key="k3y") as simulator:
        fields = ConnectionFields(host=simulator.url, password="k3y", extra=SIMULATOR)
        outcomes, status = asyncio.run(send(read_connection("sms_http", fields)))
        got = simulator.messages()

    assert 200 == status
    assert {OutcomeKind.ACCEPTED} == {each.kind for each in outcomes}
    assert all(each.gateway_ref for each in outcomes)
    assert [(each.id, each.to, each.body) for each in batch] == [
        (each["id"], each["to"], each["text"]) for each in got
    ]
