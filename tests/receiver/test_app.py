"""The receipt endpoint over real HTTP: nothing is acknowledged that is not stored."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import aiohttp
import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from smsflow_provider.core.delivery.tokens import Signer
from smsflow_provider.core.errors import StoreError
from smsflow_provider.core.model import ReceiptKind
from smsflow_provider.core.store.receipts import ReceivedReceipt
from smsflow_provider.receiver.app import BODY_LIMIT_BYTES, Receiver, make_app
from smsflow_provider.testing.serving import ServedApp

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SIGNER = Signer([b"a key for this very test", b"an older key for this test"])


class Store:
    """An append that keeps, counts, can be slow, and fails while told to."""

    def __init__(self, *, pause_s: float = 0.0) -> None:
        self.groups: list[list[ReceivedReceipt]] = []
        self.is_down = False
        self.is_busy = False
        self._pause_s = pause_s
        self._lock = threading.Lock()

    @property
    def ids(self) -> list[str]:
        return [receipt.message_id for group in self.groups for receipt in group]

    async def append(self, receipts: Sequence[ReceivedReceipt]) -> None:
        self.is_busy = True
        await asyncio.sleep(self._pause_s)
        if self.is_down:
            raise StoreError("the store is down")
        with self._lock:
            self.groups.append(list(receipts))


def make_receiver(store: Store, **changed: Any) -> Receiver:
    return make_app(signer=SIGNER, append=store.append, now=lambda: NOON, **changed)


def path_of(
    message_id: str = "1-1-1", *, token: str | None = None, more: str = "&type=1&ref=abc"
) -> str:
    token = SIGNER.token_of(message_id) if token is None else token
    return f"/smsflow/receipts/sms_kannel?m={message_id}&t={token}{more}"


def call(app: Any, *requests: tuple[str, str, bytes]) -> list[int]:
    """Send all requests at once over real HTTP; give the statuses in their order."""

    async def one(session: aiohttp.ClientSession, method: str, url: str, body: bytes) -> int:
        async with session.request(method, url, data=body or None) as answer:
            assert b"" == await answer.read()
            return answer.status

    async def run(base: str) -> list[int]:
        connector = aiohttp.TCPConnector(limit=100)
        async with aiohttp.ClientSession(connector=connector) as session:
            calls = [one(session, method, base + path, body) for method, path, body in requests]
            return await asyncio.gather(*calls)

    with ServedApp(app) as served:
        return asyncio.run(run(served.url))


def get(app: Any, path: str) -> int:
    return call(app, ("GET", path, b""))[0]


def test_a_receipt_is_stored_as_it_was_read() -> None:
    store = Store()

    assert 200 == get(make_receiver(store), path_of("2a-1-1388"))
    assert [
        [
            ReceivedReceipt(
                message_id="2a-1-1388",
                kind=ReceiptKind.DELIVERED,
                code="",
                gateway_ref="abc",
                received_at=NOON,
                conn_type="sms_kannel",
            )
        ]
    ] == store.groups


def test_a_body_is_read_by_the_gateways_dialect() -> None:
    store = Store()
    body = json.dumps({"id": "1-1-1", "status": "undelivered", "code": "absent"}).encode()
    path = path_of(more="").replace("sms_kannel", "sms_simulator")

    assert [200] == call(make_receiver(store), ("POST", path, body))
    (receipt,) = store.groups[0]
    assert (ReceiptKind.UNDELIVERED, "absent") == (receipt.kind, receipt.code)


def test_many_calls_make_few_appends_and_each_is_stored_once() -> None:
    store = Store(pause_s=0.01)
    ids = [f"1-1-{number:x}" for number in range(1, 401)]
    statuses = call(make_receiver(store), *[("GET", path_of(each), b"") for each in ids])

    assert [200] * 400 == statuses
    assert sorted(ids) == sorted(store.ids)
    assert len(store.groups) <= 100


def test_nothing_is_acknowledged_while_the_store_is_down() -> None:
    """503 makes the gateway call again."""
    store = Store()
    store.is_down = True
    statuses = call(make_receiver(store), *[("GET", path_of(f"1-1-{n}"), b"") for n in range(5)])

    assert [503] * 5 == statuses
    assert [] == store.ids


def test_a_call_is_acknowledged_only_after_the_append() -> None:
    """An append that would take longer than it may is not an acknowledgement."""
    store = Store(pause_s=30)

    assert 503 == get(make_receiver(store, append_timeout_s=0.1), path_of())
    assert [] == store.ids


def test_after_append_is_told_what_was_stored() -> None:
    store = Store()
    told: list[ReceivedReceipt] = []
    app = make_receiver(store, after_append=told.extend)

    assert 200 == get(app, path_of())
    assert ["1-1-1"] == [receipt.message_id for receipt in told]


@pytest.mark.parametrize(
    "path",
    [
        path_of(token="A" * 24),
        path_of(token=""),
        path_of("1-1-1", token=SIGNER.token_of("1-1-2")),
        "/smsflow/receipts/sms_kannel",
        "/smsflow/receipts/sms_kannel?m=1-1-1",
        "/smsflow/receipts/sms_kannel?t=abc",
        path_of(token="A" * 24) + "&t=" + SIGNER.token_of("1-1-1"),
        path_of(token="%FF%00"),
    ],
)
def test_without_its_token_a_call_is_turned_away_and_nothing_is_said(path: str) -> None:
    store = Store()

    assert 403 == get(make_receiver(store), path)
    assert [] == store.groups


def test_a_token_of_the_older_key_still_holds() -> None:
    older = Signer([b"an older key for this test"])

    assert 200 == get(make_receiver(Store()), path_of(token=older.token_of("1-1-1")))


def test_the_token_is_checked_before_the_body_is_read() -> None:
    body = b"x" * (BODY_LIMIT_BYTES + 1)

    assert [403] == call(make_receiver(Store()), ("POST", path_of(token="no"), body))


def test_a_later_value_of_the_same_name_overrides_nothing() -> None:
    store = Store()

    assert 200 == get(make_receiver(store), path_of() + "&m=9-9-9&type=2")
    assert [("1-1-1", ReceiptKind.DELIVERED)] == [
        (receipt.message_id, receipt.kind) for receipt in store.groups[0]
    ]


@pytest.mark.parametrize("more", ["", "&type=", "&type=99", "&type=delivered"])
def test_a_call_the_gateway_does_not_make_is_bad(more: str) -> None:
    store = Store()

    assert 400 == get(make_receiver(store), path_of(more=more))
    assert [] == store.groups


@pytest.mark.parametrize("message_id", ["hello", "1-1", "1-1-G", "f" * 60])
def test_an_id_that_is_none_of_ours_is_bad_even_with_a_token(message_id: str) -> None:
    """One such row would make the whole group impossible to store."""
    assert 400 == get(make_receiver(Store()), path_of(message_id))


def test_too_many_parameters_are_bad() -> None:
    assert 400 == get(make_receiver(Store()), path_of(more="&type=1" + "&x=1" * 60))


def test_an_intermediate_report_is_acknowledged_and_not_stored() -> None:
    store = Store()

    assert 200 == get(make_receiver(store), path_of(more="&type=4"))
    assert [] == store.groups


@pytest.mark.parametrize(
    "path",
    ["/", "/smsflow", "/receipts/", "/receipts/sms_nobody?m=1-1-1&t=x", "/receipts/a/b", "/x/y"],
)
def test_an_unknown_gateway_or_path_is_not_found(path: str) -> None:
    assert 404 == get(make_receiver(Store()), path)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_not_allowed(method: str) -> None:
    assert [405] == call(make_receiver(Store()), (method, path_of(), b""))


def test_a_body_no_receipt_can_have_is_too_large() -> None:
    body = b"x" * (BODY_LIMIT_BYTES + 1)

    assert [413] == call(make_receiver(Store()), ("POST", path_of(), body))
    assert [200] == call(make_receiver(Store()), ("POST", path_of(), body[:-1]))


def test_health_needs_no_token() -> None:
    assert 200 == get(make_receiver(Store()), "/health")


@pytest.mark.parametrize("prefix", ["", "/smsflow", "/air/flow/smsflow"])
def test_it_answers_under_any_prefix_it_is_mounted_at(prefix: str) -> None:
    store = Store()
    app = make_receiver(store)
    whole = Starlette(routes=[Mount(prefix, app)]) if prefix else app
    path = path_of().removeprefix("/smsflow")

    assert [200, 200] == call(whole, ("GET", prefix + path, b""), ("GET", f"{prefix}/health", b""))
    assert ["1-1-1"] == store.ids


def test_a_stopping_server_answers_the_calls_it_has() -> None:
    store = Store(pause_s=0.3)
    statuses: list[int] = []

    with ServedApp(make_receiver(store)) as served:
        url = served.url + path_of()
        calling = threading.Thread(target=lambda: statuses.append(httpx.get(url).status_code))
        calling.start()
        while not store.is_busy:
            time.sleep(0.005)
    calling.join(timeout=10)

    assert [200] == statuses
    assert ["1-1-1"] == store.ids
