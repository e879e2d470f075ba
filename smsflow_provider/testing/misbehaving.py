"""A web server that misbehaves, for judging transports. It speaks raw sockets on 127.0.0.1."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

Turn = Callable[["Visit"], Awaitable[None]]


class Visit:
    """One connection to the server, from its side."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read_request(self) -> bytes:
        """Read one whole request: its head and as much body as the head announces."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name == b"content-length":
                length = int(value)
        return head + await self._reader.readexactly(length)

    async def write(self, data: bytes) -> None:
        """Write *data* as it is."""
        self._writer.write(data)
        await self._writer.drain()

    def reset(self) -> None:
        """Close with a reset, at once."""
        own: socket.socket = self._writer.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


class MisbehavingServer:
    """
    Serves every connection with *turn* and closes it afterwards.

    Args:
        turn: What to do with a connection.
    """

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._server: asyncio.Server | None = None
        self._visits: set[asyncio.Task[None]] = set()
        #: Every whole request read by `reading`, in order.
        self.requests: list[bytes] = []
        #: Connections accepted.
        self.connections = 0
        self.url = ""

    async def __aenter__(self) -> Self:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._welcome, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.close()
        for visit in self._visits:
            visit.cancel()
        await asyncio.gather(*self._visits, return_exceptions=True)

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        if task is not None:
            self._visits.add(task)
            task.add_done_callback(self._visits.discard)
        try:
            await self._turn(_Counting(reader, writer, self.requests))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client went away first
        finally:
            writer.close()


class _Counting(Visit):
    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, requests: list[bytes]
    ) -> None:
        super().__init__(reader, writer)
        self._requests = requests

    async def read_request(self) -> bytes:
        request = await super().read_request()
        self._requests.append(request)
        return request


def answer(status: int = 200, body: bytes = b"ok", *, headers: str = "") -> bytes:
    """Write out a whole answer."""
    return (
        f"HTTP/1.1 {status} Whatever\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode()
        + body
    )


def answering(whole: bytes) -> Turn:
    """Answer every request with *whole* and keep the connection."""

    async def turn(visit: Visit) -> None:
        while True:
            await visit.read_request()
            await visit.write(whole)

    return turn


def answering_once(whole: bytes, *, then: Turn) -> Turn:
    """Answer the first request with *whole*; do *then* with the same connection."""

    async def turn(visit: Visit) -> None:
        await visit.read_request()
        await visit.write(whole)
        await then(visit)

    return turn


async def closing(_visit: Visit) -> None:
    """Close without reading a byte."""


async def resetting(visit: Visit) -> None:
    """Reset without reading a byte."""
    visit.reset()


async def reading_and_closing(visit: Visit) -> None:
    """Read a whole request, then close."""
    await visit.read_request()


async def reading_and_resetting(visit: Visit) -> None:
    """Read a whole request, then reset."""
    await visit.read_request()
    visit.reset()


async def hanging(visit: Visit) -> None:
    """Read a whole request and say nothing more."""
    await visit.read_request()
    await asyncio.sleep(3600)


def breaking_off(part: bytes) -> Turn:
    """Read a whole request, write *part* of an answer, then close."""

    async def turn(visit: Visit) -> None:
        await visit.read_request()
        await visit.write(part)

    return turn


def dripping(whole: bytes, *, pause_s: float) -> Turn:
    """Read a whole request and write the answer byte by byte."""

    async def turn(visit: Visit) -> None:
        await visit.read_request()
        for place in range(len(whole)):
            await visit.write(whole[place : place + 1])
            await asyncio.sleep(pause_s)

    return turn
