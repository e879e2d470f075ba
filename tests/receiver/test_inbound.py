"""Calls for a whole connection, and signatures: nothing of anybody else is taken."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from smsflow_provider.core.delivery.tokens import inbound_url
from smsflow_provider.core.gateways.base import Dialect
from smsflow_provider.core.model import Reply
from smsflow_provider.core.store.group_writer import ReceivedReply
from smsflow_provider.core.store.receipts import ReceivedReceipt
from smsflow_provider.receiver.app import Receiver, make_app
from tests.receiver.calling import (
    HEADER,
    PUBLIC,
    SIGNER,
    EchoDialect,
    Kept,
    SigningDialect,
    call,
    post,
    settings_of,
    signature,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
REPLY = {"from": "+33600000001", "to": "36111", "text": "STOP", "ref": "r1"}
RECEIPT = {"ref": "g7", "status": "delivered"}


def make_receiver(kept: Kept, dialects: Mapping[str, Dialect] | None = None) -> Receiver:
    known = {"plain": EchoDialect(settings_of())} if dialects is None else dialects
    return make_app(
        signer=SIGNER,
        append=kept.append,
        dialects=lambda: dict(known),
        public_url=PUBLIC,
        now=lambda: NOON,
    )


def address(conn_id: str = "plain", *, conn_type: str = "sms_simulator") -> str:
    url = inbound_url(PUBLIC, conn_type=conn_type, conn_id=conn_id, signer=SIGNER)
    return url.removeprefix("https://sms.example/base")


def signed(path: str, body: bytes, *, public: str = PUBLIC, key: bytes = b"secret") -> Any:
    return post(path, body, **{HEADER: signature(public + path, body, key=key)})


def test_a_reply_is_stored_with_the_connection_it_came_in_by() -> None:
    kept = Kept()

    assert [200] == call(make_receiver(kept), post(address(), REPLY))
    reply = Reply(sender="+33600000001", recipient="36111", body="STOP", gateway_ref="r1")
    assert [ReceivedReply(gateway="plain", reply=reply, received_at=NOON)] == kept.items


def test_a_receipt_that_names_the_gateways_id_only_is_stored_with_the_connection() -> None:
    kept = Kept()

    assert [200] == call(make_receiver(kept), post(address(), RECEIPT))
    (one,) = kept.items
    assert isinstance(one, ReceivedReceipt)
    assert ("", "g7", "plain") == (one.message_id, one.gateway_ref, one.gateway)


def test_a_receipt_may_name_our_id_in_its_body() -> None:
    kept = Kept()
    row = {"id": "2a-1-1", "status": "undelivered", "part": 2, "parts": 3}

    assert [200] == call(make_receiver(kept), post(address(), row))
    (one,) = kept.items
    assert isinstance(one, ReceivedReceipt)
    assert ("2a-1-1", 2, 3) == (one.message_id, one.part, one.parts)
    assert "plain" == one.gateway


def test_who_has_signed_may_name_messages_of_other_connections_of_the_account() -> None:
    kept = Kept()
    known = {"signing": SigningDialect(settings_of())}
    path, body = address("signing"), b'{"id": "2a-1-1", "status": "delivered"}'

    assert [200] == call(make_receiver(kept, known), signed(path, body))
    (one,) = kept.items
    assert isinstance(one, ReceivedReceipt)
    assert ("2a-1-1", "") == (one.message_id, one.gateway)


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ({"status": "delivered"}, 400),
        ({"status": "delivered", "id": "no id of ours"}, 400),
        ({"status": "delivered", "ref": "x" * 257}, 400),
        ({"status": "delivered", "ref": "x", "part": 256}, 400),
        ({"status": "delivered", "ref": "x", "part": -1}, 400),
        ({"status": "unheard of", "ref": "x"}, 400),
        ({**REPLY, "ref": "x" * 257}, 400),
        ({"status": "queued"}, 200),
        (b"\xff\xfe not a text", 400),
        (b"[]", 400),
        (b"", 400),
    ],
)
def test_what_is_neither_reply_nor_receipt_is_not_stored(row: Any, status: int) -> None:
    kept = Kept()

    assert [status] == call(make_receiver(kept), post(address(), row))
    assert [] == kept.items


def test_what_a_database_cannot_hold_is_left_out_and_the_rest_kept() -> None:
    kept = Kept()
    row = {**REPLY, "text": "st\x00op\nnow \ud83d", "ref": "r\x001"}

    assert [200] == call(make_receiver(kept), post(address(), row))
    (one,) = kept.items
    assert isinstance(one, ReceivedReply)
    assert ("stop\nnow ?", "r1") == (one.reply.body, one.reply.gateway_ref)


def test_without_the_token_of_the_connection_a_call_is_turned_away() -> None:
    kept = Kept()
    known = {name: EchoDialect(settings_of()) for name in ("plain", "other")}
    own = address().partition("?")[0]
    paths = [
        own,
        f"{own}?t=",
        f"{own}?t={'A' * 24}",
        f"{own}?t={SIGNER.token_of('1-1-1')}",
        address("other").replace("/other", "/plain"),
        f"/smsflow/inbound/sms_simulator/nobody?t={'A' * 24}",
    ]

    assert [403] * 6 == call(make_receiver(kept, known), *[post(each, REPLY) for each in paths])
    assert [] == kept.items


def test_the_token_of_a_connection_is_good_for_no_message() -> None:
    token = address().partition("t=")[2]
    path = f"/smsflow/receipts/sms_simulator?m=inbound:plain&t={token}"

    assert [400] == call(make_receiver(Kept()), post(path, {"status": "delivered"}))


def test_a_connection_that_is_not_known_yet_lets_the_gateway_call_again() -> None:
    assert [503] == call(make_receiver(Kept(), {}), post(address(), REPLY))


def test_a_connection_of_another_type_is_not_that_connection() -> None:
    path = address(conn_type="sms_kannel")

    assert [503] == call(make_receiver(Kept()), post(path, REPLY))


@pytest.mark.parametrize("path", ["/inbound/sms_nobody/plain", "/inbound/sms_simulator", "/x/y/z"])
def test_another_path_is_not_found(path: str) -> None:
    assert [404] == call(make_receiver(Kept()), post(path, REPLY))


def test_a_gateway_that_signs_needs_no_token_but_its_signature() -> None:
    kept = Kept()
    app = make_receiver(kept, {"signs": SigningDialect(settings_of())})
    path = "/smsflow/inbound/sms_simulator/signs"
    body = b'{"ref": "g1", "status": "delivered"}'

    good = signed(path, body)
    bad = [
        post(path, body),
        post(address("signs"), body),
        signed(path, body, key=b"another"),
        post(path, body + b" ", **good[3]),
        post(path + "?x=1", body, **good[3]),
        signed(path, body, public="http://127.0.0.1"),
    ]

    assert [200] + [403] * 6 == call(app, good, *bad)
    assert 1 == len(kept.items)


def test_a_signature_is_made_for_the_address_that_the_gateway_knows() -> None:
    """A proxy may have changed host, scheme and prefix; what it called is the public address."""
    kept = Kept()
    app = make_receiver(kept, {"signs": SigningDialect(settings_of())})
    path = "/smsflow/inbound/sms_simulator/signs?a=%20b&a=c"
    body = b'{"ref": "g1", "status": "delivered"}'
    method, _, _, headers = signed(path, body)

    assert [200] == call(app, (method, path.replace("/smsflow", "/behind/proxy"), body, headers))


def test_replies_are_not_stored_while_the_store_is_down() -> None:
    kept = Kept()
    kept.is_down = True

    assert [503] == call(make_receiver(kept), post(address(), REPLY))


def test_connections_that_cannot_be_read_let_the_gateway_call_again() -> None:
    def fail() -> dict[str, Dialect]:
        raise OSError("no secrets backend")

    app = make_app(signer=SIGNER, append=Kept().append, dialects=fail, public_url=PUBLIC)

    assert [503, 503] == call(app, post(address(), REPLY), post(address(), REPLY))


def test_a_body_that_is_no_reply_can_have_is_too_large() -> None:
    row = {**REPLY, "text": "x" * 70_000}

    assert [413] == call(make_receiver(Kept()), post(address(), row))


def test_a_connection_called_health_is_a_connection() -> None:
    kept = Kept()
    app = make_receiver(kept, {"health": EchoDialect(settings_of())})
    path = address("health")

    assert [200, 403] == call(app, post(path, REPLY), ("GET", path.partition("?")[0], b"", {}))
    assert 1 == len(kept.items)
