"""
One connection to a gateway, and one request at a time on it.

Written over the sockets of the event loop, because a hand-over costs a tenth of what it does
with a client library, and because here the moment in which a request leaves is one line of ours.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from functools import lru_cache
from typing import Any, Final

import httptools

from smsflow_provider.core.gateways.base import HttpResponse

#: An answer longer than this is not one of a gateway; bytes.
ANSWER_LIMIT_BYTES: Final = 1 << 20
_INFORMATION: Final = range(100, 200)


class WireError(Exception):
    """No whole answer came. Its only argument is a short code; nothing of the answer shows."""

    @property
    def code(self) -> str:
        """The code."""
        return str(self.args[0])


class Wire(asyncio.Protocol):
    """
    A connection. ``exchange`` writes a request and gives the answer; see there.

    What comes without a request, or behind the answer to one, makes it useless.
    """

    def __init__(self) -> None:
        self._transport: Any = None
        self._answer: asyncio.Future[HttpResponse] | None = None
        self._reader = _Reader()
        self._is_over = False
        #: When the request under way has waited long enough, on the clock of the loop.
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.idle_since = time.monotonic()
        #: Done once the connection is closed.
        self.lost = asyncio.get_running_loop().create_future()

    @property
    def is_usable(self) -> bool:
        """Whether another request may be written."""
        return not self._is_over and self._answer is None and not self._transport.is_closing()

    async def exchange(self, request: bytes, *, timeout_s: float) -> HttpResponse:
        """
        Write *request*, at once and whole, and wait for the whole answer.

        Whatever it raises, the request may have arrived, and the connection is gone.

        Raises:
            WireError: No whole answer came within *timeout_s*.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[HttpResponse] = loop.create_future()
        self._answer = answer
        self._reader = _Reader()
        self._watch(loop, timeout_s)
        try:
            self._transport.write(request)
            return await answer
        finally:
            self._answer = None
            self.idle_since = time.monotonic()
            if not answer.done() or answer.cancelled() or answer.exception() is not None:
                self.abort()

    def _watch(self, loop: asyncio.AbstractEventLoop, timeout_s: float) -> None:
        """
        Let the request end in *timeout_s*.

        One timer serves many requests, as it costs more than all the rest of one: it goes off no
        later than the request is due, and looks then how long the one of that moment may wait.
        """
        self._due = loop.time() + timeout_s
        if self._timer is not None and self._timer.when() > self._due:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = loop.call_at(self._due, self._look_at_time, loop)

    def _look_at_time(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        if self._answer is None:
            return
        if loop.time() >= self._due:
            self._fail("timeout")
        else:
            self._timer = loop.call_at(self._due, self._look_at_time, loop)

    def abort(self) -> None:
        """Close it at once."""
        self._is_over = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what requests are written to. What is written goes to the socket at once."""
        self._transport = transport
        # Else uvloop would keep it until its next turn: a process frozen meanwhile would let
        # messages leave long after another one has taken over.
        self._transport.set_write_buffer_limits(high=0)

    def data_received(self, data: bytes) -> None:
        """Read a piece of the answer."""
        if self._answer is None or self._answer.done():
            self.abort()  # nobody asked for anything
            return
        try:
            self._reader.feed(data)
        except WireError as error:
            self._fail(error.code)
            return
        if self._reader.is_whole:
            self._take_answer()

    def _take_answer(self) -> None:
        is_left_over = self._reader.is_beyond or self._transport.get_write_buffer_size()
        if is_left_over or not self._reader.keeps_connection:
            self.abort()
        self._resolve()

    def _resolve(self) -> None:
        if self._answer is None or self._answer.done():
            return
        try:
            self._answer.set_result(self._reader.response())
        except WireError as error:
            self._fail(error.code)

    def eof_received(self) -> bool:
        """Use it no more: the gateway closes it."""
        self._is_over = True
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Say what this means for the request that was under way."""
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.lost.done():
            self.lost.set_result(None)
        if exc is None and self._reader.ends_with_connection:
            self._resolve()
        elif isinstance(exc, ConnectionResetError | BrokenPipeError):
            self._fail("reset")
        elif exc is not None:
            self._fail("lost")
        else:
            self._fail("truncated" if self._reader.has_head else "closed")

    def _fail(self, code: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(WireError(code))


class _Reader:
    """Reads one answer. What the parser calls back is named as the parser wants it."""

    __slots__ = (
        "_body",
        "_headers",
        "_parser",
        "_size",
        "_status",
        "has_head",
        "is_beyond",
        "is_whole",
        "keeps_connection",
    )

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._size = 0
        self._status = 0
        self.has_head = False
        #: The whole answer was read.
        self.is_whole = False
        #: Something came behind it.
        self.is_beyond = False
        self.keeps_connection = False

    def feed(self, data: bytes) -> None:
        """
        Read on.

        Raises:
            WireError: This is no answer, or one that is too long.
        """
        self._size += len(data)
        if self._size > ANSWER_LIMIT_BYTES:
            raise WireError("answer_too_long")
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, ValueError):
            if self.is_whole:
                self.is_beyond = True
                return
            problem = WireError("garbage")
        else:
            return
        raise problem

    @property
    def ends_with_connection(self) -> bool:
        """Whether the end of the connection is the end of the answer: it tells no length."""
        names = {name.lower() for name, _ in self._headers}
        has_length = not names.isdisjoint({b"content-length", b"transfer-encoding"})
        return self.has_head and not self.is_whole and not has_length

    def response(self) -> HttpResponse:
        """
        Give the answer.

        Raises:
            WireError: It was packed, and cannot be unpacked.
        """
        body = b"".join(self._body)
        headers: dict[str, str] = {}
        seen: dict[str, str] = {}
        for name, value in self._headers:
            told, plain = _name_of(name)
            text = value.decode("utf-8", "replace")
            if plain not in seen:  # of one that comes twice the first
                headers[told] = seen[plain] = text
        if seen.get("content-encoding", "identity").lower() != "identity":
            body = _unpacked(body)
        return HttpResponse(status=self._status, headers=headers, body=body)

    def on_message_begin(self) -> None:
        """An answer begins: the one that is read, or one that nobody asked for."""
        if self.is_whole:
            self.is_beyond = True
        else:
            self._headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        if not self.is_whole:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Know the status now. One such as 100 only says that the answer is to come."""
        if not self.is_whole:
            self._status = self._parser.get_status_code()
            self.has_head = self._status not in _INFORMATION

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body."""
        if not self.is_whole:
            self._body.append(body)

    def on_message_complete(self) -> None:
        """Know that all of it was read."""
        if self.has_head:
            self.is_whole = True
            self.keeps_connection = self._parser.should_keep_alive()


@lru_cache(maxsize=256)
def _name_of(name: bytes) -> tuple[str, str]:
    """Read the name of a header: as it was told, and in small letters."""
    told = name.decode("utf-8", "replace")
    return told, told.lower()


def _unpacked(body: bytes) -> bytes:
    """Unpack what a gateway packed although nobody said that it may."""
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        found = unpacker.decompress(body, ANSWER_LIMIT_BYTES)
    except zlib.error:
        found = b""
    if not unpacker.eof:
        raise WireError("garbage")
    return found
