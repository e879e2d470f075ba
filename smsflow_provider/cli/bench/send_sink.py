"""
A gateway that takes every message and keeps none: ``python -m`` this module.

Answers as Twilio does, after as long as the first argument says, in seconds. It is lean, so that
what is measured is whoever calls it. Writes its port to standard output; ends when standard
input does, and says then how many messages it took, and how many of them it had taken before.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvloop

from smsflow_provider.core.errors import ConfigError

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TO = re.compile(rb"(?:^|&)To=([^&]*)")


class Book:
    """What the sink took."""

    def __init__(self, delay_s: float) -> None:
        self.delay_s = delay_s
        self.count = 0
        self.numbers: set[bytes] = set()

    def take(self, body: bytes) -> bytes:
        """Take a message; give the answer."""
        self.count += 1
        found = _TO.search(body)
        self.numbers.add(found[1] if found else b"")
        said = b'{"sid":"SM%032x","status":"queued","error_code":null}' % self.count
        head = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: "
        return b"%s%d\r\n\r\n%s" % (head, len(said), said)


class Sink(asyncio.Protocol):
    """One connection: one request after the other."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers are written to."""
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        """Read a request, which may come in pieces, and answer it in a while."""
        self._buffer += data
        head_end = self._buffer.find(_END)
        if head_end < 0:
            return
        length = _LENGTH.search(self._buffer, 0, head_end)
        end = head_end + len(_END) + (int(length[1]) if length else 0)
        if len(self._buffer) < end:
            return
        answer = self._book.take(self._buffer[head_end + len(_END) : end])
        self._buffer = self._buffer[end:]
        if self._book.delay_s:
            asyncio.get_running_loop().call_later(self._book.delay_s, self._answer, answer)
        else:
            self._answer(answer)

    def _answer(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def serve(delay_s: float) -> Book:
    """Take messages until standard input ends."""
    loop = asyncio.get_running_loop()
    book = Book(delay_s)
    server = await loop.create_server(lambda: Sink(book), "127.0.0.1", 0, backlog=1024)
    async with server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)
    return book


def main() -> None:
    """Serve, and say what was taken."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        book = runner.run(serve(float(sys.argv[1])))
    taken = {"count": book.count, "repeated": book.count - len(book.numbers)}
    print(json.dumps(taken))


class RunningSink:
    """A sink in a process of its own. Made by ``running_sink``."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self._process = process
        self.url = f"http://127.0.0.1:{port}"

    def check(self, count: int) -> None:
        """
        End it, and make sure that it took *count* messages, each once.

        Raises:
            ConfigError: It did not: what was measured is not worth anything.
        """
        said, _ = self._process.communicate()
        taken = json.loads(said or "{}")
        if taken != {"count": count, "repeated": 0}:
            raise ConfigError("not every message arrived once", expected=count, **taken)


@contextmanager
def running_sink(*, delay_s: float) -> Iterator[RunningSink]:
    """Start a sink that answers after *delay_s*, and end it behind the block."""
    command = [sys.executable, "-m", "smsflow_provider.cli.bench.send_sink", str(delay_s)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            port = process.stdout.readline() if process.stdout is not None else ""
            if not port.strip():
                raise ConfigError("the sink of the benchmark did not start")
            yield RunningSink(process, int(port))
        finally:
            process.kill()


if __name__ == "__main__":
    main()
