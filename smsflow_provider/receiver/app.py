"""
The receipt endpoint: a raw ASGI application that acknowledges only what is durable.

``GET|POST …/receipts/{conn_type}?m=<message id>&t=<token>`` for one message,
``GET|POST …/inbound/{conn_type}/{conn_id}?t=<token>`` for what comes for a whole connection
(replies, and receipts that name no message of ours in their address), under whatever prefix it is
mounted, and ``GET …/health``. A gateway that signs its calls must have signed, at both: at the
second its signature stands for the token. The answers:

* 200  stored, or a report that says nothing new. Empty. Not 204: Kannel (1.4.5) takes that
  for a failure and calls again.
* 400  not a call this gateway makes
* 403  no token of ours, or no signature of the gateway; nothing is said about why
* 404  no such gateway or path
* 405  another method than GET and POST
* 408  a body that takes too long
* 413  a body larger than a receipt or a reply can be
* 503  not stored, or its reader fails: the gateway should call again
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.delivery.tokens import Signer, receipt_name
from smsflow_provider.core.errors import SmsflowError
from smsflow_provider.core.gateways.base import Dialect, HttpCallback
from smsflow_provider.core.gateways.registry import (
    CONNECTION_PARAMETER,
    ReceiptReader,
    gateway_type,
    receipt_readers,
)
from smsflow_provider.core.store.group_writer import Item
from smsflow_provider.receiver.calls import Calls, is_signing
from smsflow_provider.receiver.fresh import Fresh
from smsflow_provider.receiver.group_commit import GroupCommit
from smsflow_provider.receiver.request import (
    BODY_LIMIT_BYTES,
    GoneError,
    Receive,
    RefusedError,
    Scope,
    Send,
    body_of,
    headers_of,
    query_of,
)

__all__ = ["BODY_LIMIT_BYTES", "Append", "Item", "Receiver", "make_app"]

log = logging.getLogger(__name__)

#: Takes a group of ``Item``; one that never sees replies may name receipts only.
Append = Callable[[Sequence[Any]], Awaitable[None]]

_HEADERS = ((b"content-length", b"0"), (b"cache-control", b"no-store"))
_END = {"type": "http.response.body", "body": b""}
_STARTS = {
    status: {"type": "http.response.start", "status": status, "headers": _HEADERS}
    for status in (200, 400, 403, 404, 405, 408, 413, 503)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """The parts of the application; see `make_app`."""

    calls: Calls
    group: GroupCommit[Item]
    close: Callable[[], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._take(scope, receive)
            status = 200
        except RefusedError as refusal:
            status = refusal.status
        except SmsflowError:
            status = 503
        except GoneError:
            return
        except Exception as error:  # noqa: BLE001  its words and its trace may quote the call
            facts = {"event": "call_not_read", "kind": type(error).__name__}
            log.warning("A call could not be read", extra=facts)
            status = 503
        await send(dict(_STARTS[status]))
        await send(dict(_END))

    async def _take(self, scope: Scope, receive: Receive) -> None:
        # As it was called: a connection's name may hold what an address must escape.
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        place, _, last = raw.decode("latin-1").rpartition("/")
        about, _, conn_type = place.rpartition("/")
        if about.endswith("/inbound"):
            item = await self._inbound(conn_type, last, scope, receive)
        elif last == "health" and scope["method"] == "GET":
            return
        elif place.endswith("/receipts"):
            item = await self._receipt(last, scope, receive)
        else:
            raise RefusedError(404)
        if item is not None:
            await self.group.add(item)

    async def _receipt(self, conn_type: str, scope: Scope, receive: Receive) -> Item | None:
        query = self._query_of(conn_type, scope)
        message_id = query.get("m", "")
        conn_id = query.get(CONNECTION_PARAMETER, "")
        name = receipt_name(message_id, conn_type=conn_type, conn_id=conn_id)
        await self.calls.check_token(name, query.get("t", ""))
        place = f"receipts/{conn_type}"
        callback = await self._callback(scope, receive, query, place=place, message_id=message_id)
        return await self.calls.read_receipt(conn_type, callback)

    async def _inbound(
        self, conn_type: str, last: str, scope: Scope, receive: Receive
    ) -> Item | None:
        query = self._query_of(conn_type, scope)
        conn_id = unquote(last)
        dialect = await self.calls.find(conn_type, conn_id)
        await self.calls.check_inbound(dialect, conn_id, query)
        place = f"inbound/{conn_type}/{last}"
        callback = await self._callback(scope, receive, query, place=place)
        if dialect is None:
            return None
        return self.calls.read_inbound(conn_type, conn_id, dialect, callback)

    def _query_of(self, conn_type: str, scope: Scope) -> dict[str, str]:
        if conn_type not in self.calls.readers:
            raise RefusedError(404)
        if scope["method"] not in {"GET", "POST"}:
            raise RefusedError(405)
        return query_of(scope["query_string"])

    async def _callback(
        self,
        scope: Scope,
        receive: Receive,
        query: Mapping[str, str],
        *,
        place: str,
        message_id: str = "",
    ) -> HttpCallback:
        raw = scope["query_string"].decode("ascii")
        headers = headers_of(scope["headers"])
        # What a proxy makes of the address is not what the gateway called and signed.
        url = f"{self.calls.public_url}/smsflow/{place}{'?' if raw else ''}{raw}"
        return HttpCallback(
            message_id=message_id,
            method=scope["method"],
            url=url if self.calls.public_url else "",
            query=query,
            headers=headers,
            body=await body_of(headers, receive),
        )

    async def end(self) -> None:
        """Store what is waiting, and let go of what is kept open."""
        await self.group.flush()
        self.close()

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            event = await receive()
            if event["type"] == "lifespan.shutdown":
                await self.end()
            await send({"type": f"{event['type']}.complete"})
            if event["type"] == "lifespan.shutdown":
                return


def make_app(
    *,
    signer: Signer | Fresh[Signer],
    append: Append,
    dialects: Callable[[], Mapping[str, Dialect]] = dict,
    public_url: str = "",
    after_append: Callable[[Sequence[Any]], None] | None = None,
    readers: Mapping[str, ReceiptReader] | None = None,
    now: Callable[[], datetime] = utc_now,
    wait_s: float = 0.005,
    append_timeout_s: float = 10.0,
    close: Callable[[], None] = lambda: None,
) -> Receiver:
    """
    Make the application. It opens nothing; one application serves one event loop.

    Args:
        signer: Checks the token of each call before anything else of it is read; one that is
            read again now and then, so that keys can be rotated, or one for good.
        append: Stores receipts and replies; durable when it returns. Called with a group, never
            twice at the same time.
        dialects: Reads the gateways by connection, on a thread, when one is needed for the first
            time and then every minute: for signatures, and for what comes for a whole connection.
        public_url: Where gateways reach the receiver: the address that they sign.
        after_append: Told of each stored group, after its callers were answered; for waking
            whoever applies them. Must not block.
        readers: How each gateway's calls are read, by connection type; None: all we know.
        now: The clock.
        wait_s: Seconds the first call of a group waits for others.
        append_timeout_s: Seconds an append may take before its calls are answered with 503.
        close: Called when the application ends.
    """
    known = receipt_readers() if readers is None else readers
    calls = Calls(
        signer=Fresh.fixed(signer) if isinstance(signer, Signer) else signer,
        dialects=Fresh(dialects),
        readers=known,
        by_connection=frozenset(filter(_is_by_connection, known)),
        public_url=public_url.rstrip("/"),
        now=now,
    )
    group = GroupCommit(
        append, wait_s=wait_s, append_timeout_s=append_timeout_s, after_append=after_append
    )
    return Receiver(calls=calls, group=group, close=close)


def _is_by_connection(conn_type: str) -> bool:
    """Whether only a connection can judge or read the calls of a type: they are signed, say."""
    kind = gateway_type(conn_type)
    return kind.reads_by_connection or is_signing(kind.make(kind.settings(base_url=""), utc_now))
