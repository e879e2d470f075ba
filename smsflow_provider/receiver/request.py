"""Reading a request of a gateway: bounded in size and in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

#: No gateway's receipt is nearly as long, and no reply; bytes.
BODY_LIMIT_BYTES = 64 * 1024
#: Seconds a body may take to come in.
BODY_TIMEOUT_S = 10.0
#: Most parameters in a query.
FIELD_LIMIT = 50

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class RefusedError(Exception):
    """A call that is not taken; carries the status of the answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class GoneError(Exception):
    """The caller hung up before its body was here."""


def query_of(raw: bytes) -> dict[str, str]:
    """
    Decode a query; the first of each name counts, so that nothing appended overrides us.

    Raises:
        RefusedError: It is no query, or one with too many parameters.
    """
    if raw.count(b"&") >= FIELD_LIMIT:
        raise RefusedError(400)
    try:
        pairs = _pairs_of(raw.decode("ascii"))
    except ValueError:
        raise RefusedError(400) from None
    return dict(reversed(pairs))


def _pairs_of(text: str) -> list[tuple[str, str]]:
    if "%" in text or "+" in text:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=FIELD_LIMIT)
    # Nothing to decode, as in nearly every receipt: a third of the time.
    pieces = [piece.partition("=") for piece in text.split("&") if piece]
    return [(name, value) for name, _, value in pieces]


def headers_of(raw: Sequence[tuple[bytes, bytes]]) -> Mapping[str, str]:
    """Decode headers, their names in lower case as ASGI has them. The first of a name counts."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(list(raw))}


async def body_of(
    headers: Mapping[str, str], receive: Receive, *, timeout_s: float = BODY_TIMEOUT_S
) -> bytes:
    """
    Read the body, if *headers* announce one.

    Raises:
        RefusedError: It is too large, or too slow.
        GoneError: The caller hung up.
    """
    if "content-length" not in headers and "transfer-encoding" not in headers:
        return b""
    try:
        async with asyncio.timeout(timeout_s):
            return await _whole_body(receive)
    except TimeoutError:
        raise RefusedError(408) from None


async def _whole_body(receive: Receive) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise GoneError
        piece: bytes = event.get("body", b"")
        size += len(piece)
        if size > BODY_LIMIT_BYTES:
            raise RefusedError(413)
        pieces.append(piece)
        if not event.get("more_body", False):
            return b"".join(pieces)
