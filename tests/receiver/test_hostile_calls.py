"""Slow, huge and broken calls, wrong tokens by the thousand, items that cannot be stored."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from smsflow_provider.core.delivery.tokens import Signer
from smsflow_provider.core.errors import StoreError
from smsflow_provider.core.gateways.base import HttpCallback
from smsflow_provider.core.model import Receipt
from smsflow_provider.receiver.app import make_app
from smsflow_provider.receiver.fresh import Fresh
from smsflow_provider.receiver.group_commit import BadItemError, GroupCommit
from smsflow_provider.receiver.request import RefusedError, body_of, headers_of, query_of
from smsflow_provider.testing.serving import ServedApp
from tests.receiver.calling import SIGNER, EchoDialect, Kept, call, post, settings_of

ANNOUNCED = {"content-length": "3"}


def test_a_body_that_does_not_come_is_given_up() -> None:
    async def never() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {}

    with pytest.raises(RefusedError) as caught:
        asyncio.run(body_of(ANNOUNCED, never, timeout_s=0.05))

    assert 408 == caught.value.status


def test_a_body_that_trickles_is_given_up_after_the_same_time() -> None:
    async def trickle() -> dict[str, Any]:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    with pytest.raises(RefusedError) as caught:
        asyncio.run(body_of(ANNOUNCED, trickle, timeout_s=0.1))

    assert 408 == caught.value.status


def test_a_call_without_a_body_is_not_waited_for() -> None:
    async def never() -> dict[str, Any]:
        raise AssertionError("nothing was announced")

    assert b"" == asyncio.run(body_of({"host": "x"}, never))


@pytest.mark.parametrize(
    "raw", [b"\xff=1", b"m=1&t=%", b"m=%FF%FE", b"&&&", b"=", b"m", b"m=1&m=2", b"a=" + b"%00" * 99]
)
def test_any_query_is_read_or_refused(raw: bytes) -> None:
    found: dict[str, str] = {}
    with contextlib.suppress(RefusedError):
        found = query_of(raw)

    assert found.get("m") in {None, "1", "", "\ufffd\ufffd"}


def test_the_first_header_of_a_name_counts() -> None:
    assert {"a": "1", "b": "\xff"} == headers_of([(b"a", b"1"), (b"b", b"\xff"), (b"a", b"2")])


def test_wrong_tokens_by_the_thousand_are_turned_away_and_the_right_one_is_not() -> None:
    kept = Kept()
    reads: list[int] = []

    def read() -> Signer:
        reads.append(1)
        return SIGNER

    app = make_app(signer=Fresh(read), append=kept.append)
    path = "/receipts/sms_kannel?m=1-1-1&type=1&t="
    calls: list[tuple[str, str, bytes, Mapping[str, str]]] = [
        ("GET", f"{path}{number:024d}", b"", {}) for number in range(2000)
    ]

    statuses = call(app, *calls, ("GET", path + SIGNER.token_of("1-1-1"), b"", {}))

    assert [403] * 2000 + [200] == statuses
    assert len(reads) <= 30


def test_a_key_that_was_made_meanwhile_is_known_at_the_first_call_that_needs_it() -> None:
    """Also one that nobody has read yet: the keys are read again before it is refused."""
    kept = Kept()
    newer = Signer([b"a key that was just made"])
    now_s = [0.0]
    found = iter([SIGNER, newer])
    app = make_app(
        signer=Fresh(lambda: next(found, newer), monotonic=lambda: now_s[0]).read_now(),
        append=kept.append,
    )
    now_s[0] = 5.0
    path = f"/receipts/sms_kannel?m=1-1-1&type=1&t={newer.token_of('1-1-1')}"

    assert [200] == call(app, ("GET", path, b"", {}))


def test_a_connection_that_breaks_off_in_its_body_leaves_nothing() -> None:
    kept = Kept()
    path = f"/receipts/sms_kannel?m=1-1-1&type=1&t={SIGNER.token_of('1-1-1')}"

    with ServedApp(make_app(signer=SIGNER, append=kept.append)) as served:
        host, port = served.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as line:
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc"
            line.sendall(head.encode())

    assert [] == kept.items


class Picky:
    """An append that cannot store some items at all."""

    def __init__(self, *bad: int) -> None:
        self.stored: list[int] = []
        self.appends = 0
        self._bad = set(bad)

    async def __call__(self, items: Sequence[int]) -> None:
        self.appends += 1
        if self._bad & set(items):
            raise BadItemError
        self.stored += items


@pytest.mark.parametrize("bad", [(0,), (7,), (99,), (3, 4), (0, 50, 99)])
def test_an_item_that_cannot_be_stored_takes_no_other_with_it(bad: tuple[int, ...]) -> None:
    picky = Picky(*bad)

    async def run() -> list[object]:
        group = GroupCommit(picky)
        return list(await asyncio.gather(*map(group.add, range(100)), return_exceptions=True))

    results = asyncio.run(run())

    failed = {number for number, one in enumerate(results) if isinstance(one, StoreError)}
    assert set(bad) == failed
    assert sorted(set(range(100)) - set(bad)) == sorted(picky.stored)
    assert picky.appends <= 1 + 2 * 7 * len(bad)


def test_nobody_waits_for_ever_when_the_loop_ends_while_halves_are_tried() -> None:
    async def run() -> bool:
        async def append(items: Sequence[int]) -> None:
            if len(items) > 2:
                raise BadItemError
            await asyncio.sleep(60)

        group = GroupCommit(append)
        adding = [asyncio.create_task(group.add(number)) for number in range(4)]
        await asyncio.sleep(0.05)
        assert group._worker is not None
        group._worker.cancel()
        results = await asyncio.gather(*adding, return_exceptions=True)
        return all(isinstance(one, StoreError) for one in results)

    assert asyncio.run(run())


class LoudDialect(EchoDialect):
    """Breaks its word, and quotes the call in what it raises."""

    def read_callback(self, callback: HttpCallback) -> Receipt | None:
        raise KeyError(callback.body.decode())


def test_a_reader_that_fails_says_nothing_of_the_call(caplog: pytest.LogCaptureFixture) -> None:
    kept = Kept()
    reader = LoudDialect(settings_of()).read_callback
    app = make_app(signer=SIGNER, append=kept.append, readers={"sms_simulator": reader})
    path = f"/smsflow/receipts/sms_simulator?m=1-1-1&t={SIGNER.token_of('1-1-1')}"

    assert [503] == call(app, post(path, b"+33612345678 says hello"))
    assert [] == kept.items
    assert "KeyError" in {getattr(one, "kind", "") for one in caplog.records}
    assert not any("33612345678" in repr(vars(one)) for one in caplog.records)
