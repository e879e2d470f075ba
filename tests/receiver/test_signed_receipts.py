"""Receipts of a gateway that signs: the token is not enough."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from smsflow_provider.core.delivery.tokens import Signer, receipt_name
from smsflow_provider.core.gateways.base import Dialect
from smsflow_provider.core.store.receipts import ReceivedReceipt
from smsflow_provider.receiver.app import Receiver
from smsflow_provider.receiver.calls import Calls
from smsflow_provider.receiver.fresh import Fresh
from smsflow_provider.receiver.group_commit import GroupCommit
from tests.receiver.calling import (
    HEADER,
    PUBLIC,
    SIGNER,
    Call,
    EchoDialect,
    Kept,
    SigningDialect,
    call,
    post,
    settings_of,
    signature,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BODY = b'{"status": "delivered"}'


def make_receiver(kept: Kept, dialects: Mapping[str, Dialect]) -> Receiver:
    """A receiver to which ``sms_simulator`` is a type whose calls are signed."""
    calls = Calls(
        signer=Fresh.fixed(SIGNER),
        dialects=Fresh(lambda: dict(dialects)),
        readers={"sms_simulator": EchoDialect(settings_of()).read_callback},
        by_connection=frozenset({"sms_simulator"}),
        public_url=PUBLIC,
        now=lambda: NOON,
    )
    return Receiver(calls=calls, group=GroupCommit(kept.append), close=lambda: None)


def path_of(message_id: str = "1-1-1", *, more: str = "", signer: Signer = SIGNER) -> str:
    conn_id = more.removeprefix("&g=")
    name = receipt_name(message_id, conn_type="sms_simulator", conn_id=conn_id)
    return f"/smsflow/receipts/sms_simulator?m={message_id}&t={signer.token_of(name)}{more}"


def signed(path: str, *, key: bytes = b"secret", body: bytes = BODY) -> Call:
    return post(path, body, **{HEADER: signature(PUBLIC + path, body, key=key)})


def test_token_and_signature_are_both_needed() -> None:
    kept = Kept()
    app = make_receiver(kept, {"signs": SigningDialect(settings_of())})
    stranger = Signer([b"the key of a stranger"])

    statuses = call(
        app,
        signed(path_of()),
        post(path_of(), BODY),
        signed(path_of(), key=b"another"),
        signed(path_of(signer=stranger)),
        signed(path_of().replace("m=1-1-1", "m=1-1-2")),
    )

    assert [200, 403, 403, 403, 403] == statuses
    assert ["1-1-1"] == [one.message_id for one in kept.items if isinstance(one, ReceivedReceipt)]


def test_any_connection_of_the_type_may_verify_it() -> None:
    kept = Kept()
    known = {
        "one": SigningDialect(settings_of(), b"key one"),
        "two": SigningDialect(settings_of(), b"key two"),
    }

    assert [200] == call(make_receiver(kept, known), signed(path_of(), key=b"key two"))
    # The address names the message: it may be of any connection.
    assert [""] == [one.gateway for one in kept.items]


def test_a_connection_that_is_named_is_the_one_that_verifies() -> None:
    known = {
        "one": SigningDialect(settings_of(), b"key one"),
        "two": SigningDialect(settings_of(), b"key two"),
    }
    path = path_of(more="&g=one")

    assert [403, 200] == call(
        make_receiver(Kept(), known), signed(path, key=b"key two"), signed(path, key=b"key one")
    )


@pytest.mark.parametrize("more", ["", "&g=gone"])
def test_with_no_connection_that_could_verify_nothing_is_taken(more: str) -> None:
    kept = Kept()
    known: dict[str, Dialect] = {"signs": SigningDialect(settings_of())} if more else {}

    assert [503] == call(make_receiver(kept, known), signed(path_of(more=more)))
    assert [] == kept.items


def test_a_receipt_about_another_message_than_its_token_is_refused() -> None:
    kept = Kept()
    app = make_receiver(kept, {"signs": SigningDialect(settings_of())})
    body = b'{"status": "delivered", "id": "1-1-2"}'

    assert [400] == call(app, signed(path_of(), body=body))
    assert [] == kept.items
