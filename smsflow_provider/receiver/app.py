"""
The receipt endpoint: a raw ASGI application that acknowledges only what is durable.

``GET|POST …/receipts/{conn_type}?m=<message id>&t=<token>`` under whatever prefix it is
mounted, and ``GET …/health``. The answers:

* 200  stored, or a report that says nothing new. Empty. Not 204: Kannel (1.4.5) takes that
  for a failure and calls again.
* 400  not a call this gateway makes
* 403  no token of ours; nothing is said about why
* 404  no such gateway or path
* 405  another method than GET and POST
* 413  a body larger than a receipt can be
* 503  not stored: the gateway should call again
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.delivery.tokens import Signer
from smsflow_provider.core.errors import StoreError
from smsflow_provider.core.gateways.base import HttpCallback
from smsflow_provider.core.gateways.registry import ReceiptReader, receipt_readers
from smsflow_provider.core.model import read_message_id
from smsflow_provider.core.store.receipts import ReceivedReceipt
from smsflow_provider.receiver.group_commit import GroupCommit

#: No gateway's receipt is nearly as long; bytes.
BODY_LIMIT_BYTES = 64 * 1024

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Append = Callable[[Sequence[ReceivedReceipt]], Awaitable[None]]


class _RefusedError(Exception):
    """A call that is not a receipt; carries the status of the answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _GoneError(Exception):
    """The caller hung up before its body was here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """The parts of the application; see `make_app`."""

    signer: Signer
    group: GroupCommit[ReceivedReceipt]
    readers: Mapping[str, ReceiptReader]
    now: Callable[[], datetime]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            status = await self._status_of(scope, receive)
        except _RefusedError as refusal:
            status = refusal.status
        except StoreError:
            status = 503
        except _GoneError:
            return
        headers = [(b"content-length", b"0"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _status_of(self, scope: Scope, receive: Receive) -> int:
        path: str = scope["path"]
        if path.endswith("/health") and scope["method"] == "GET":
            return 200
        conn_type = _conn_type_of(path)
        reader = self.readers.get(conn_type)
        if reader is None:
            raise _RefusedError(404)
        if scope["method"] not in {"GET", "POST"}:
            raise _RefusedError(405)
        query = _query_of(scope["query_string"])
        self._check_token(query)
        callback = HttpCallback(
            message_id=query["m"],
            query=query,
            headers=_headers_of(scope["headers"]),
            body=await _body_of(receive),
        )
        await self._store(conn_type, reader, callback)
        return 200

    def _check_token(self, query: Mapping[str, str]) -> None:
        message_id = query.get("m", "")
        if not self.signer.verify(message_id, query.get("t", "")):
            raise _RefusedError(403)

    async def _store(self, conn_type: str, reader: ReceiptReader, callback: HttpCallback) -> None:
        try:
            read_message_id(callback.message_id)
            receipt = reader(callback)
        except ValueError:
            raise _RefusedError(400) from None
        if receipt is None:
            return
        await self.group.add(
            ReceivedReceipt(
                message_id=receipt.message_id,
                kind=receipt.kind,
                code=receipt.code,
                gateway_ref=receipt.gateway_ref,
                received_at=self.now(),
                conn_type=conn_type,
            )
        )

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            event = await receive()
            if event["type"] == "lifespan.shutdown":
                await self.group.flush()
            await send({"type": f"{event['type']}.complete"})
            if event["type"] == "lifespan.shutdown":
                return


def make_app(
    *,
    signer: Signer,
    append: Append,
    after_append: Callable[[Sequence[ReceivedReceipt]], None] | None = None,
    readers: Mapping[str, ReceiptReader] | None = None,
    now: Callable[[], datetime] = utc_now,
    wait_s: float = 0.005,
    append_timeout_s: float = 10.0,
) -> Receiver:
    """
    Make the application. It opens nothing; one application serves one event loop.

    Args:
        signer: Checks the token of each call before anything else of it is read.
        append: Stores receipts; durable when it returns. Called with a group, never twice at
            the same time.
        after_append: Told of each stored group, after its callers were answered; for waking
            whoever applies them. Must not block.
        readers: How each gateway's calls are read, by connection type; None: all we know.
        now: The clock.
        wait_s: Seconds the first call of a group waits for others.
        append_timeout_s: Seconds an append may take before its calls are answered with 503.
    """
    group = GroupCommit(
        append, wait_s=wait_s, append_timeout_s=append_timeout_s, after_append=after_append
    )
    known = receipt_readers() if readers is None else readers
    return Receiver(signer=signer, group=group, readers=known, now=now)


def _conn_type_of(path: str) -> str:
    place, _, conn_type = path.rpartition("/")
    if not place.endswith("/receipts"):
        raise _RefusedError(404)
    return conn_type


def _query_of(raw: bytes) -> dict[str, str]:
    """Decode the query; the first of each name counts, so that nothing appended overrides us."""
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=50)
    except ValueError:
        raise _RefusedError(400) from None
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name, value)
    return found


def _headers_of(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}


async def _body_of(receive: Receive) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise _GoneError
        piece: bytes = event.get("body", b"")
        size += len(piece)
        if size > BODY_LIMIT_BYTES:
            raise _RefusedError(413)
        pieces.append(piece)
        if not event.get("more_body", False):
            return b"".join(pieces)
