"""Connections to gateways: made when they are needed, kept for the next request, bounded."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import time
from collections import defaultdict, deque
from typing import Any, Final

from smsflow_provider.core.gateways.http_wire import Wire
from smsflow_provider.core.gateways.http_writing import Place

#: Idle connections are closed by us after this long; gateways commonly wait for 30 to 60
#: seconds. Closing first keeps a message from leaving on a connection that is just dying,
#: which nobody could tell from one that was lost on the way.
IDLE_LIMIT_S: Final = 10.0
#: Seconds for which the addresses of a name are believed.
_NAME_S: Final = 10.0
#: Seconds that closed connections get to end.
_CLOSE_S: Final = 1.0
_ERRNO_CODES: Final = {errno.ECONNREFUSED: "connect_refused", errno.ECONNRESET: "reset"}

_Addresses = list[tuple[Any, ...]]


class ConnectError(Exception):
    """There is no connection, so nothing left. Its only argument is a short code."""

    @property
    def code(self) -> str:
        """The code."""
        return str(self.args[0])


class Pool:
    """
    The connections of one transport. Lives on one event loop.

    Args:
        max_connections: Connections at once, over all places.
        connect_timeout_s: Seconds to wait for a free one, and for a new one to connect.
    """

    def __init__(self, *, max_connections: int, connect_timeout_s: float) -> None:
        self._max_connections = max_connections
        self._connect_timeout_s = connect_timeout_s
        self._idle: dict[Place, list[Wire]] = defaultdict(list)
        self._wires: set[Wire] = set()
        #: Connections, those that are being made too.
        self._open = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._names: dict[tuple[str, int], tuple[float, _Addresses]] = {}
        self._naming = asyncio.Lock()
        self._tls: ssl.SSLContext | None = None

    async def lend(self, place: Place) -> Wire:
        """
        Lend a connection to *place* that nobody else uses. ``take_back`` it, whatever happens.

        Raises:
            ConnectError: There is none in time.
        """
        return self._idle_wire(place) or await self._new_wire(place)

    def _idle_wire(self, place: Place) -> Wire | None:
        """Take the one used last: the others may go to sleep."""
        idle = self._idle[place]
        while idle:
            wire = idle.pop()
            if wire.is_usable and time.monotonic() - wire.idle_since < IDLE_LIMIT_S:
                return wire
            self._drop(wire)
        return None

    def take_back(self, place: Place, wire: Wire) -> None:
        """Keep a connection for the next request, or close it if it is good for none."""
        if wire.is_usable:
            self._idle[place].append(wire)
            self._wake()
        else:
            self._drop(wire)

    def _drop(self, wire: Wire) -> None:
        wire.abort()
        self._open -= 1
        self._wake()

    def _wake(self) -> None:
        """Let the first who waits look again."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    async def _new_wire(self, place: Place) -> Wire:
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                return await self._found_or_made(place)
        except (OSError, ssl.CertificateError, UnicodeError) as error:
            problem = ConnectError(_code_of(error))
        raise problem

    async def _found_or_made(self, place: Place) -> Wire:
        while self._open >= self._max_connections:
            self._close_one_elsewhere(place)
            if self._open < self._max_connections:
                break
            await self._turn()
            if (wire := self._idle_wire(place)) is not None:
                return wire
        self._open += 1
        try:
            wire = await self._connect(place)
        except BaseException:
            self._open -= 1
            self._wake()
            raise
        self._wires.add(wire)
        wire.lost.add_done_callback(lambda _: self._wires.discard(wire))
        return wire

    async def _turn(self) -> None:
        """Wait until a connection came back or went."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self._wake()  # it was this one's turn, and it has gone
            raise

    def _close_one_elsewhere(self, place: Place) -> None:
        """Make room: an idle connection to another place is of no use here."""
        for other, idle in self._idle.items():
            if idle and other != place:
                self._drop(idle.pop(0))
                return

    async def _connect(self, place: Place) -> Wire:
        """Try one address after the other, each for its share of the time that is left."""
        ends = time.monotonic() + self._connect_timeout_s
        addresses = await self._addresses_of(place)
        last: Exception = OSError("no address")
        for tried, address in enumerate(addresses):
            share_s = (ends - time.monotonic()) / (len(addresses) - tried)
            try:
                async with asyncio.timeout(share_s):
                    return await self._connect_to(place, address)
            except (OSError, ssl.CertificateError) as error:
                last = error
        raise last

    async def _connect_to(self, place: Place, address: tuple[Any, ...]) -> Wire:
        loop = asyncio.get_running_loop()
        secure: dict[str, Any] = {}
        if place.is_secure:
            secure = {"ssl": await self._context(), "server_hostname": place.host}
        made: list[Wire] = []

        def make() -> Wire:
            made.append(Wire())
            return made[-1]

        try:
            _, wire = await loop.create_connection(make, address[0], address[1], **secure)
        except BaseException:
            for one in made:
                one.abort()
            raise
        return wire

    async def _context(self) -> ssl.SSLContext:
        """Make the one that checks certificates against those of the system, once."""
        if self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        return self._tls

    async def _addresses_of(self, place: Place) -> _Addresses:
        """Ask for the addresses of a name, once for all who want to know."""
        async with self._naming:
            until, found = self._names.get((place.host, place.port), (0.0, []))
            if until <= time.monotonic():
                loop = asyncio.get_running_loop()
                rows = await loop.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
                found = [row[4] for row in rows]
                self._names[place.host, place.port] = (time.monotonic() + _NAME_S, found)
        return found

    async def close(self) -> None:
        """Close every connection, those under way too."""
        wires = list(self._wires)
        for wire in wires:
            wire.abort()
        if wires:
            await asyncio.wait([wire.lost for wire in wires], timeout=_CLOSE_S)


def _code_of(error: Exception) -> str:
    if isinstance(error, socket.gaierror | UnicodeError):
        return "dns"
    if isinstance(error, ssl.SSLError | ssl.CertificateError):
        return "tls"
    if isinstance(error, TimeoutError):
        return "connect_timeout"
    return _ERRNO_CODES.get(getattr(error, "errno", None) or 0, "connect_failed")
