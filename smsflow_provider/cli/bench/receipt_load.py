"""
A gateway that reports on messages as fast as it is answered: ``python -m`` this module.

Reads what to report from standard input and writes what was answered to standard output, both as
JSON. Standard input, for the keys are secrets. It speaks as much HTTP as it needs: one request at
a time on each of its connections, which it keeps.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import uvloop

from smsflow_provider.core.delivery.tokens import Signer
from smsflow_provider.core.model import message_id_of

_END = b"\r\n\r\n"
_STORED = b"HTTP/1.1 200 "


@dataclass(slots=True)
class Load:
    """What is to be reported, and what was answered."""

    requests: list[bytes]
    over: asyncio.Future[None]
    sent: int = 0
    #: Numbers of the requests that were answered with 200.
    stored: list[int] = field(default_factory=list)
    #: Answers with another status.
    refused: int = 0
    open_connections: int = 0

    def next_number(self) -> int | None:
        """Take the next request."""
        if self.sent == len(self.requests):
            return None
        self.sent += 1
        return self.sent - 1

    def leave(self) -> None:
        """One connection is done or lost."""
        self.open_connections -= 1
        if self.open_connections == 0 and not self.over.done():
            self.over.set_result(None)


class Caller(asyncio.Protocol):
    """One connection of the gateway."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._number: int | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Make the first call."""
        self._transport: Any = transport
        self._load.open_connections += 1
        self._call()

    def data_received(self, data: bytes) -> None:
        """Read an answer, and make the next call."""
        self._buffer += data
        if not self._buffer.endswith(_END):
            return
        if self._buffer.startswith(_STORED) and self._number is not None:
            self._load.stored.append(self._number)
        else:
            self._load.refused += 1
        self._buffer = b""
        self._call()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's name
        """Leave; what was not answered was not promised."""
        self._load.leave()

    def _call(self) -> None:
        self._number = self._load.next_number()
        if self._number is None:
            self._transport.close()
        else:
            self._transport.write(self._load.requests[self._number])


def requests_of(told: dict[str, Any]) -> list[bytes]:
    """Write the calls of a Kannel: one for each message, in their order."""
    signer = Signer([bytes.fromhex(key) for key in told["keys"]])
    found = []
    for position in range(told["first"], told["first"] + told["count"]):
        name = message_id_of(told["delivery_no"], told["preparation"], position)
        path = f"/smsflow/receipts/sms_kannel?m={name}&t={signer.token_of(name)}"
        more = f"&type=1&ref=bench-{position}"
        head = f"GET {path}{more} HTTP/1.1\r\nHost: 127.0.0.1:{told['port']}\r\n"
        found.append(f"{head}User-Agent: Kannel/1.4.5\r\nConnection: keep-alive\r\n\r\n".encode())
    return found


async def report(told: dict[str, Any]) -> dict[str, Any]:
    """
    Make all calls, until they are answered or every connection is lost.

    Returns:
        ``stored`` (positions answered with 200), ``refused``, ``seconds``.
    """
    loop = asyncio.get_running_loop()
    load = Load(requests=requests_of(told), over=loop.create_future())
    began_s = time.perf_counter()
    for _ in range(told["connections"]):
        await loop.create_connection(lambda: Caller(load), "127.0.0.1", told["port"])
    await load.over
    seconds = time.perf_counter() - began_s
    stored = [told["first"] + number for number in load.stored]
    return {"stored": stored, "refused": load.refused, "seconds": seconds}


def main() -> None:
    """Report what standard input says."""
    told = json.load(sys.stdin)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        json.dump(runner.run(report(told)), sys.stdout)


if __name__ == "__main__":
    main()
