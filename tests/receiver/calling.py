"""Gateways for tests of the receiver: one that signs, one that does not, and calls over HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import aiohttp

from smsflow_provider.core.delivery.tokens import Signer
from smsflow_provider.core.errors import StoreError
from smsflow_provider.core.gateways.base import Feature, HttpCallback
from smsflow_provider.core.gateways.simulator import SimulatorDialect, SimulatorSettings
from smsflow_provider.core.model import Receipt, ReceiptKind, Reply
from smsflow_provider.core.store.group_writer import Item
from smsflow_provider.testing.serving import ServedApp

SIGNER = Signer([b"a key for this very test", b"an older key for this test"])
PUBLIC = "https://sms.example/base"
HEADER = "X-Test-Signature"


class EchoDialect(SimulatorDialect):
    """Reads JSON: a reply when there is a text, else a receipt by our id or its own."""

    name: ClassVar[str] = "sms_simulator"
    features: ClassVar[frozenset[Feature]] = frozenset({Feature.RECEIPTS, Feature.REPLIES})

    def __new__(cls, _settings: SimulatorSettings, *_more: object) -> Self:
        return object.__new__(cls)

    def read_reply(self, callback: HttpCallback) -> Reply | None:
        row = _row_of(callback)
        if "text" not in row:
            return None
        return Reply(
            sender=row["from"],
            recipient=row.get("to", ""),
            body=row["text"],
            gateway_ref=row.get("ref", ""),
        )

    def read_callback(self, callback: HttpCallback) -> Receipt | None:
        row = _row_of(callback)
        if row.get("status") == "queued":
            return None
        return Receipt(
            message_id=row.get("id", callback.message_id),
            kind=ReceiptKind(row["status"]),
            code=row.get("code", ""),
            gateway_ref=row.get("ref", ""),
            part=row.get("part", 0),
            parts=row.get("parts", 0),
        )


class SigningDialect(EchoDialect):
    """The same, and every call carries the HMAC of its address and body."""

    features: ClassVar[frozenset[Feature]] = EchoDialect.features | {Feature.SIGNED_CALLS}

    def __init__(self, settings: SimulatorSettings, key: bytes = b"secret") -> None:
        super().__init__(settings)
        self._key = key

    def is_signed(self, callback: HttpCallback) -> bool:
        found = callback.headers.get(HEADER.lower(), "")
        made = signature(callback.url, callback.body, key=self._key)
        return hmac.compare_digest(made.encode(), found.encode())


def signature(url: str, body: bytes, *, key: bytes = b"secret") -> str:
    return hmac.digest(key, url.encode() + b"\n" + body, hashlib.sha256).hex()


def settings_of() -> SimulatorSettings:
    return SimulatorSettings(base_url="http://127.0.0.1")


def _row_of(callback: HttpCallback) -> dict[str, Any]:
    row = json.loads(callback.body)
    if not isinstance(row, dict):
        raise ValueError("no object")  # noqa: TRY004  what a dialect raises
    return row


class Kept:
    """An append that keeps what comes, and fails while told to."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.is_down = False

    async def append(self, items: Sequence[Item]) -> None:
        if self.is_down:
            raise StoreError("the store is down")
        self.items += items


Call = tuple[str, str, bytes, Mapping[str, str]]


def post(path: str, row: Any, **headers: str) -> Call:
    body = row if isinstance(row, bytes) else json.dumps(row).encode()
    return "POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()}


def call(app: Any, *calls: Call) -> list[int]:
    """Make all calls at once over real HTTP; give the statuses in their order."""

    async def one(session: aiohttp.ClientSession, base: str, each: Call) -> int:
        method, path, body, headers = each
        async with session.request(method, base + path, data=body or None, headers=headers) as got:
            assert b"" == await got.read()
            return got.status

    async def run(base: str) -> list[int]:
        connector = aiohttp.TCPConnector(limit=100)
        async with aiohttp.ClientSession(connector=connector) as session:
            return await asyncio.gather(*[one(session, base, each) for each in calls])

    with ServedApp(app) as served:
        return asyncio.run(run(served.url))
