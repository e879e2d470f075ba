"""What comes over one connection, piece by piece, on both event loops a sender may run on."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.delivery.loop import run as run_on_uvloop
from smsflow_provider.core.errors import MaybeSentError, NotSentError
from smsflow_provider.core.gateways.base import HttpRequest, HttpResponse
from smsflow_provider.core.gateways.http import HttpTransport
from smsflow_provider.core.gateways.http_pool import Pool
from smsflow_provider.core.gateways.http_wire import Wire
from smsflow_provider.core.gateways.http_writing import Place, written

Run = Callable[[Coroutine[Any, Any, Any]], Any]
LOOPS = pytest.mark.parametrize("run", [asyncio.run, run_on_uvloop])
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BYE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class Server:
    """Answers each request with the next pieces, a moment apart; an empty piece closes."""

    def __init__(self, *answers: list[bytes]) -> None:
        self._answers = list(answers)
        self.requests = 0
        self.connections = 0
        self.url = ""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.requests += 1
                for piece in self._answers.pop(0):
                    if not piece:
                        return
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.002)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(*answers: list[bytes]) -> AsyncIterator[Server]:
    told = Server(*answers)
    server = await asyncio.start_server(told.talk, "127.0.0.1", 0)
    told.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield told


async def ask(*answers: list[bytes], times: int = 1) -> tuple[list[HttpResponse], Server]:
    """Ask a server that answers so, as often as said."""
    async with serving(*answers) as server, HttpTransport(max_connections=1) as transport:
        found = []
        for _ in range(times):
            found.append(await transport(HttpRequest(method="GET", url=server.url)))
            for _ in range(2):  # what comes meanwhile is read, however busy the machine is
                await asyncio.sleep(0.01)
    return found, server


@LOOPS
@pytest.mark.parametrize(
    "pieces",
    [
        [OK],
        [OK[:20], OK[20:]],
        [OK[index : index + 1] for index in range(len(OK))],
        [b"HTTP/1.1 100 Continue\r\n\r\n", OK],
        [b"HTTP/1.1 100 Continue\r\n\r\n" + OK],
        [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n",
            b"1\r\nk\r\n0\r\n\r\n",
        ],
        [b"HTTP/1.0 200 OK\r\n\r\no", b"k", b""],
        [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok", b""],
    ],
)
def test_an_answer_is_whole_however_it_comes(run: Run, pieces: list[bytes]) -> None:
    (answer,), _ = run(ask(pieces))

    assert (200, b"ok") == (answer.status, answer.body)


@LOOPS
def test_an_answer_without_a_body_keeps_the_connection(run: Run) -> None:
    answers, server = run(ask([b"HTTP/1.1 204 No Content\r\n\r\n"], [OK], times=2))

    assert ([204, 200], 1) == ([one.status for one in answers], server.connections)


@LOOPS
@pytest.mark.parametrize(
    "first", [[BYE], [OK + OK], [OK, b"HTTP/1.1 408 Request Timeout\r\n\r\n"], [OK + b"?"]]
)
def test_a_connection_with_a_bad_end_is_not_used_again(run: Run, first: list[bytes]) -> None:
    """What came behind an answer would be taken for the answer to the next message."""
    answers, server = run(ask(first, [OK], times=2))

    assert [b"ok", b"ok"] == [one.body for one in answers]
    assert (2, 2) == (server.connections, server.requests)


@LOOPS
def test_an_answer_that_was_packed_unasked_is_unpacked(run: Run) -> None:
    packed = gzip.compress(b"ok")
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"

    (answer,), _ = run(ask([head % len(packed) + packed]))

    assert b"ok" == answer.body


@LOOPS
@pytest.mark.parametrize(
    ("pieces", "code"),
    [
        ([b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok"], "garbage"),
        ([b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"], None),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", b""], "closed"),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2_000_000], "answer_too_long"),
    ],
)
def test_what_is_no_whole_answer_leaves_doubt(
    run: Run, pieces: list[bytes], code: str | None
) -> None:
    async def go() -> str:
        async with serving(pieces) as server, HttpTransport(answer_timeout_s=0.5) as transport:
            with pytest.raises(MaybeSentError) as caught:
                await transport(HttpRequest(method="GET", url=server.url))
        return str(caught.value.facts["code"])

    found = run(go())

    assert found == code if code else found in {"garbage", "timeout", "closed", "truncated"}


@LOOPS
def test_an_idle_connection_elsewhere_makes_room(run: Run) -> None:
    async def go() -> list[int]:
        async with serving([OK], [OK]) as one, serving([OK]) as other:
            async with HttpTransport(max_connections=1, connect_timeout_s=0.5) as transport:
                for server in (one, other, one):
                    await transport(HttpRequest(method="GET", url=server.url))
            return [one.connections, other.connections]

    assert [2, 1] == run(go())


@LOOPS
def test_who_waits_gets_the_connection_that_comes_back(run: Run) -> None:
    async def go() -> tuple[int, int]:
        async with serving(*[[OK]] * 60) as server, HttpTransport(max_connections=3) as transport:
            request = HttpRequest(method="GET", url=server.url)
            await asyncio.gather(*(transport(request) for _ in range(60)))
            return server.requests, server.connections

    assert (60, 3) == run(go())


@LOOPS
def test_who_stops_waiting_takes_no_turn_from_others(run: Run) -> None:
    async def go() -> int:
        async with serving(*[[OK]] * 20) as server, HttpTransport(max_connections=1) as transport:
            request = HttpRequest(method="GET", url=server.url)
            tasks = [asyncio.create_task(transport(request)) for _ in range(20)]
            await asyncio.sleep(0.005)
            for task in tasks[1::2]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            return sum(not task.cancelled() for task in tasks[::2])

    assert 10 == run(go())


@LOOPS
def test_what_is_written_is_at_the_socket_when_the_call_returns(run: Run) -> None:
    """Nothing is kept for later: a process frozen behind it lets nothing leave late."""

    async def go() -> tuple[int, bool]:
        async with serving([OK]) as server:
            pool = Pool(max_connections=1, connect_timeout_s=1.0)
            place, text = written(HttpRequest(method="GET", url=server.url))
            wire = await pool.lend(place)
            asking = wire.exchange(text, timeout_s=1.0)
            asking.send(None)  # up to its first wait, without a turn of the loop
            left = wire._transport.get_write_buffer_size()
            asking.close()
            pool.take_back(place, wire)
            is_usable = wire.is_usable
            await pool.close()
            return left, is_usable

    assert (0, False) == run(go())


@LOOPS
def test_each_request_of_a_connection_has_the_whole_of_its_time(run: Run) -> None:
    """One timer serves them all: that of the first must neither end the second nor be its last."""

    async def go() -> tuple[str, float, int]:
        async with serving([OK], []) as server, HttpTransport(answer_timeout_s=0.2) as transport:
            request = HttpRequest(method="GET", url=server.url)
            await transport(request)
            await asyncio.sleep(0.1)
            began = time.monotonic()
            with pytest.raises(MaybeSentError) as caught:
                await asyncio.wait_for(transport(request), timeout=5)
            return str(caught.value.facts["code"]), time.monotonic() - began, server.connections

    code, took_s, connections = run(go())

    assert ("timeout", 1) == (code, connections)
    assert took_s > 0.19


@LOOPS
def test_a_wire_is_of_no_use_when_its_request_was_given_up(run: Run) -> None:
    async def go() -> bool:
        async with serving([OK]) as server:
            loop = asyncio.get_running_loop()
            port = int(server.url.rpartition(":")[2])
            _, wire = await loop.create_connection(Wire, "127.0.0.1", port)
            asking = asyncio.create_task(wire.exchange(b"GET / HTTP/1.1\r\n\r\n", timeout_s=5))
            await asyncio.sleep(0)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await wire.lost
            return wire.is_usable

    assert not run(go())


@pytest.mark.parametrize(
    ("url", "place", "line"),
    [
        ("http://sms.example", Place(is_secure=False, host="sms.example", port=80), "GET / "),
        ("https://sms.example/a/", Place(is_secure=True, host="sms.example", port=443), "GET /a/ "),
        ("http://[::1]:81/a?b=%2B#c", Place(is_secure=False, host="::1", port=81), "GET /a?b=%2B "),
        (
            "http://é.example/é?é=\r\n",
            Place(False, "xn--9ca.example", 80),
            "GET /%C3%A9?%C3%A9=%0D",
        ),
    ],
)
def test_an_address_is_written_as_http_has_it(url: str, place: Place, line: str) -> None:
    found, text = written(HttpRequest(method="GET", url=url))

    assert place == found
    assert text.startswith(line.encode())


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("http://sms.example:80/", "sms.example"),
        ("http://sms.example:443/", "sms.example:443"),
        ("https://[::1]:444/", "[::1]:444"),
    ],
)
def test_the_host_is_named_with_a_port_that_is_not_the_usual(url: str, named: str) -> None:
    _, text = written(HttpRequest(method="GET", url=url))

    assert f"\r\nHost: {named}\r\n".encode() in text


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": "1"},
        {"transfer-encoding": "chunked"},
        {"a b": "c"},
        {"": "c"},
        {"a:": ""},
    ],
)
def test_headers_that_would_change_where_a_request_ends_send_nothing(
    headers: dict[str, str],
) -> None:
    with pytest.raises(NotSentError) as caught:
        written(HttpRequest(method="POST", url="http://sms.example/", headers=headers, body=b"x"))

    assert "bad_request" == caught.value.facts["code"]


@pytest.mark.parametrize("url", ["http://user:secret@sms.example/", "http://sms.example:0/", "//x"])
def test_an_address_that_is_not_plain_sends_nothing(url: str) -> None:
    with pytest.raises(NotSentError) as caught:
        written(HttpRequest(method="GET", url=url))

    assert "secret" not in str(caught.value)


@given(st.text(), st.text(), st.binary(max_size=50))
def test_no_text_can_end_a_request_early(query: str, value: str, body: bytes) -> None:
    request = HttpRequest(
        method="POST", url=f"http://sms.example/?{query}", headers={"X": value}, body=body
    )
    try:
        _, text = written(request)
    except NotSentError:
        return
    head, _, rest = text.partition(b"\r\n\r\n")

    assert body == rest
    assert 6 - (not body) == len(head.split(b"\r\n"))
    assert f"Content-Length: {len(body)}".encode() in head
