"""Receipts that a gateway is asked for: each once stored, none passed over."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import ClassVar

import pytest

from smsflow_provider.core.delivery.poll import poll_once
from smsflow_provider.core.errors import MaybeSentError
from smsflow_provider.core.gateways.base import (
    Dialect,
    Feature,
    HttpRequest,
    HttpResponse,
    Page,
)
from smsflow_provider.core.gateways.kannel import KannelDialect, KannelSettings
from smsflow_provider.core.gateways.simulator import SimulatorDialect, SimulatorSettings
from smsflow_provider.core.model import Message, Outcome, Receipt, ReceiptKind
from smsflow_provider.core.store.connection import Store


class PagedDialect(SimulatorDialect):
    """Two receipts a page; the cursor is how many were given out."""

    features: ClassVar[frozenset[Feature]] = frozenset({Feature.POLL})

    def write_poll(self, cursor: str) -> HttpRequest:
        return HttpRequest(method="GET", url=f"http://127.0.0.1/r?after={cursor or 0}")

    def read_poll(self, _cursor: str, response: HttpResponse) -> Page:
        row = json.loads(response.body)
        receipts = [
            Receipt(message_id=message_id, gateway_ref=ref, kind=ReceiptKind.DELIVERED)
            for message_id, ref in row["receipts"]
        ]
        return Page(receipts=receipts, cursor=row["cursor"], has_more=row["has_more"])


class Reporting:
    """A gateway with receipts to fetch, that does not answer while told to."""

    def __init__(self, receipts: Sequence[tuple[str, str]], dialect: Dialect | None = None) -> None:
        self.receipts = list(receipts)
        self.dialect: Dialect = dialect or PagedDialect(
            SimulatorSettings(base_url="http://127.0.0.1")
        )
        self.asked: list[int] = []
        self.silent_after: int | None = None

    async def send(self, batch: Sequence[Message]) -> list[Outcome]:
        raise AssertionError(f"{len(batch)} messages handed over by a poll")

    async def ask(self, request: HttpRequest) -> HttpResponse:
        after = int(request.url.partition("after=")[2])
        if self.silent_after is not None and after >= self.silent_after:
            raise MaybeSentError("no answer")
        self.asked.append(after)
        end = after + 2
        row = {
            "receipts": self.receipts[after:end],
            "cursor": str(min(end, len(self.receipts))),
            "has_more": end < len(self.receipts),
        }
        return HttpResponse(status=200, body=json.dumps(row).encode())


def poll(store: Store, gateway: Reporting) -> int:
    return asyncio.run(poll_once(store, "sms_gateway", gateway))


def stored_in(store: Store) -> list[str]:
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT gateway_ref, gateway, '' AS expected FROM smsflow_receipt_inbox UNION ALL"
            " SELECT gateway_ref, gateway, 'sms_gateway' FROM smsflow_receipts_by_ref"
            " ORDER BY gateway_ref"
        ).fetchall()
    # A gateway that we asked may speak of all messages of its account.
    assert [row["expected"] for row in rows] == [row["gateway"] for row in rows]
    return [row["gateway_ref"] for row in rows]


def test_all_pages_are_fetched_and_the_next_poll_goes_on_behind_them(store: Store) -> None:
    gateway = Reporting([("1-1-1", "a"), ("", "b"), ("", "c"), ("1-1-2", "d"), ("", "e")])

    assert 5 == poll(store, gateway)
    assert ([0, 2, 4], list("abcde")) == (gateway.asked, stored_in(store))

    assert 0 == poll(store, gateway)
    gateway.receipts += [("", "f")]
    assert 1 == poll(store, gateway)
    assert list("abcdef") == stored_in(store)


def test_a_poll_that_is_cut_short_goes_on_where_it_was(store: Store) -> None:
    gateway = Reporting([("", name) for name in "abcde"])
    gateway.silent_after = 2

    with pytest.raises(MaybeSentError):
        poll(store, gateway)
    assert list("ab") == stored_in(store)
    gateway.silent_after = None

    assert 3 == poll(store, gateway)
    assert list("abcde") == stored_in(store)


def test_two_polls_at_once_store_nothing_twice(store: Store) -> None:
    gateway = Reporting([("", name) for name in "abcdef"])

    async def both() -> list[int]:
        polls = [poll_once(store, "sms_gateway", gateway) for _ in range(2)]
        return list(await asyncio.gather(*polls))

    assert 6 == sum(asyncio.run(both()))
    assert list("abcdef") == stored_in(store)


def test_a_receipt_about_nothing_does_not_hold_up_the_others(store: Store) -> None:
    gateway = Reporting([("", ""), ("not an id", "x"), ("", "a"), ("1-1-1", "b\x00")])

    assert 2 == poll(store, gateway)
    assert ["a", "b"] == stored_in(store)


def test_a_gateway_that_cannot_be_asked_is_not(store: Store) -> None:
    dialect = KannelDialect(KannelSettings(base_url="http://127.0.0.1"))
    gateway = Reporting([("", "a")], dialect)

    assert 0 == poll(store, gateway)
    assert [] == gateway.asked
