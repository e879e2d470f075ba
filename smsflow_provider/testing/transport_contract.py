"""The contract suite of transports: a server that does its worst, over real sockets."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import pytest

from smsflow_provider.core.errors import GatewayError, MaybeSentError, NotSentError
from smsflow_provider.core.gateways.base import HttpRequest, HttpResponse, Transport
from smsflow_provider.testing import misbehaving
from smsflow_provider.testing.dialect_contract import SECRET
from smsflow_provider.testing.misbehaving import MisbehavingServer, Turn, answer


class TransportContract(ABC):
    """What every transport does, against a server that does its worst."""

    @abstractmethod
    def transport(
        self, *, max_connections: int, connect_timeout_s: float, answer_timeout_s: float
    ) -> AbstractAsyncContextManager[Transport]:
        """Make the transport under test."""

    def visit(
        self,
        turn: Turn,
        act: Callable[[Transport, HttpRequest], Awaitable[None]],
        *,
        method: str = "POST",
        answer_timeout_s: float = 5.0,
    ) -> MisbehavingServer:
        """Run *act* with the transport and a request to a server that does *turn*."""

        async def run() -> MisbehavingServer:
            async with (
                MisbehavingServer(turn) as server,
                self.transport(
                    max_connections=1, connect_timeout_s=0.5, answer_timeout_s=answer_timeout_s
                ) as transport,
            ):
                body = b"the body" if method in {"POST", "PUT"} else b""
                url = f"{server.url}/send"
                headers = {"X-Secret": SECRET}
                await act(
                    transport, HttpRequest(method=method, url=url, headers=headers, body=body)
                )
            return server

        return asyncio.run(run())

    def code_of_doubt(self, turn: Turn, *, answer_timeout_s: float = 5.0) -> str:
        """Expect doubt after *turn*, and one request at most; give the error's code."""
        codes: list[str] = []

        async def act(transport: Transport, request: HttpRequest) -> None:
            with pytest.raises(MaybeSentError) as caught:
                await transport(request)
            _check_clean(caught.value)
            codes.append(str(caught.value.facts["code"]))

        server = self.visit(turn, act, answer_timeout_s=answer_timeout_s)
        assert len(server.requests) <= 1
        assert 1 == server.connections
        return codes[0]

    def code_of_no(self, url: str) -> str:
        """Expect that nothing leaves for *url*; give the error's code."""

        async def run() -> NotSentError:
            async with self.transport(
                max_connections=1, connect_timeout_s=0.5, answer_timeout_s=1.0
            ) as transport:
                with pytest.raises(NotSentError) as caught:
                    await transport(HttpRequest(method="POST", url=url, body=b"x"))
                return caught.value

        error = asyncio.run(run())
        _check_clean(error)
        return str(error.facts["code"])

    def test_brings_the_whole_answer_and_sends_the_request_as_it_is(self) -> None:
        """Method, path, headers and body arrive; status, headers and body come back."""
        answers: list[HttpResponse] = []

        async def act(transport: Transport, request: HttpRequest) -> None:
            answers.append(await transport(request))

        whole = answer(202, b"0: Accepted", headers="Retry-After: 3\r\n")
        server = self.visit(misbehaving.answering(whole), act)

        assert (202, b"0: Accepted") == (answers[0].status, answers[0].body)
        assert "3" == answers[0].headers["Retry-After"]
        assert server.requests[0].startswith(b"POST /send HTTP/1.1\r\n")
        assert server.requests[0].endswith(b"\r\n\r\nthe body")
        assert f"X-Secret: {SECRET}".encode() in server.requests[0]

    def test_keeps_the_connection_for_the_next_request(self) -> None:
        """A connection for each message would be several times slower."""

        async def act(transport: Transport, request: HttpRequest) -> None:
            for _ in range(3):
                await transport(request)

        server = self.visit(misbehaving.answering(answer()), act)

        assert (1, 3) == (server.connections, len(server.requests))

    def test_nothing_left_when_nobody_listens(self) -> None:
        """The kernel refused the connection."""

        async def free_url() -> str:
            async with MisbehavingServer(misbehaving.closing) as server:
                return server.url

        assert "connect_refused" == self.code_of_no(asyncio.run(free_url()))

    def test_nothing_left_when_the_name_is_unknown(self) -> None:
        """The top-level domain ``invalid`` never resolves (RFC 2606)."""
        assert self.code_of_no("http://gateway.invalid:13013/") in {"dns", "connect_timeout"}

    def test_nothing_left_when_tls_fails(self) -> None:
        """A plain server cannot shake hands, so no request was written."""

        async def run() -> str:
            async with (
                MisbehavingServer(misbehaving.breaking_off(b"not TLS at all")) as server,
                self.transport(
                    max_connections=1, connect_timeout_s=0.5, answer_timeout_s=1.0
                ) as transport,
            ):
                url = server.url.replace("http:", "https:")
                with pytest.raises(NotSentError) as caught:
                    await transport(HttpRequest(method="POST", url=url, body=b"x"))
                return str(caught.value.facts["code"])

        assert asyncio.run(run()) in {"tls", "connect_timeout", "connect_failed", "reset"}

    def test_nothing_left_while_it_waited_for_a_free_connection(self) -> None:
        """All connections are busy: the second request never got one."""

        async def act(transport: Transport, request: HttpRequest) -> None:
            first = asyncio.ensure_future(transport(request))
            await asyncio.sleep(0.05)
            with pytest.raises(NotSentError) as caught:
                await transport(request)
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            assert "connect_timeout" == caught.value.facts["code"]

        server = self.visit(misbehaving.hanging, act)
        assert 1 == len(server.requests)

    @pytest.mark.parametrize("turn", [misbehaving.closing, misbehaving.resetting])
    def test_a_server_that_closes_unread_leaves_doubt(self, turn: Turn) -> None:
        """From here nobody can tell what it read."""
        assert self.code_of_doubt(turn) in {"closed", "reset"}

    def test_a_server_that_reads_and_closes_leaves_doubt(self) -> None:
        """It has the whole request."""
        assert "closed" == self.code_of_doubt(misbehaving.reading_and_closing)

    def test_a_server_that_reads_and_resets_leaves_doubt(self) -> None:
        """It has the whole request."""
        assert "reset" == self.code_of_doubt(misbehaving.reading_and_resetting)

    def test_silence_leaves_doubt_and_ends_in_time(self) -> None:
        """It has the whole request and may still work on it."""
        assert "timeout" == self.code_of_doubt(misbehaving.hanging, answer_timeout_s=0.2)

    def test_an_answer_that_drips_too_slowly_leaves_doubt(self) -> None:
        """The time counts for the whole answer, not between two bytes."""
        turn = misbehaving.dripping(answer(body=b"x" * 200), pause_s=0.02)

        assert "timeout" == self.code_of_doubt(turn, answer_timeout_s=0.3)

    @pytest.mark.parametrize(
        "part",
        [
            b"HTTP/1.1 202 Acc",
            b"HTTP/1.1 202 Accepted\r\nContent-Le",
            b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n",
            b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n0: Acc",
            b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n0: A",
        ],
    )
    def test_half_an_answer_leaves_doubt(self, part: bytes) -> None:
        """Even a status of success is no answer while the rest is missing."""
        assert self.code_of_doubt(misbehaving.breaking_off(part)) in {"closed", "truncated"}

    @pytest.mark.parametrize(
        "part", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00\xff\r\n\r\n", b"HTTP/9\r\n"]
    )
    def test_garbage_leaves_doubt(self, part: bytes) -> None:
        """Something listens there, and it read the request."""
        assert self.code_of_doubt(misbehaving.breaking_off(part)) in {"garbage", "closed"}

    def test_an_endless_answer_is_not_read_to_its_end(self) -> None:
        """Memory is bounded whatever the server does."""
        turn = misbehaving.breaking_off(answer(body=b"x" * 3_000_000))

        assert "answer_too_long" == self.code_of_doubt(turn)

    @pytest.mark.parametrize("method", ["POST", "GET", "PUT", "DELETE"])
    def test_a_request_on_a_dying_connection_is_never_repeated(self, method: str) -> None:
        """The server read it, then died; only the sender may decide what to do."""
        turn = misbehaving.answering_once(answer(), then=misbehaving.reading_and_closing)

        async def act(transport: Transport, request: HttpRequest) -> None:
            await transport(request)
            with pytest.raises(MaybeSentError):
                await transport(request)

        server = self.visit(turn, act, method=method)
        assert 2 == len(server.requests)

    @pytest.mark.parametrize("method", ["POST", "GET"])
    def test_a_request_on_a_new_connection_is_never_repeated(self, method: str) -> None:
        """Not even where HTTP would allow it."""

        async def act(transport: Transport, request: HttpRequest) -> None:
            with pytest.raises(MaybeSentError):
                await transport(request)

        server = self.visit(misbehaving.reading_and_resetting, act, method=method)
        assert (1, 1) == (server.connections, len(server.requests))

    def test_a_connection_the_server_closed_is_not_used_again(self) -> None:
        """A closed connection is seen before the next request is written to it."""
        turn = misbehaving.answering_once(answer(), then=misbehaving.closing)

        async def act(transport: Transport, request: HttpRequest) -> None:
            for _ in range(3):
                assert 200 == (await transport(request)).status
                await asyncio.sleep(0.05)

        server = self.visit(turn, act)
        assert (3, 3) == (server.connections, len(server.requests))

    def test_follows_no_redirect(self) -> None:
        """The message would leave for somebody else, maybe as another method."""
        whole = answer(307, b"", headers="Location: /elsewhere\r\n")

        async def act(transport: Transport, request: HttpRequest) -> None:
            assert 307 == (await transport(request)).status

        server = self.visit(misbehaving.answering(whole), act)
        assert 1 == len(server.requests)


def _check_clean(error: GatewayError) -> None:
    """Nothing secret, and no error of a library, hangs on *error*: those show headers."""
    assert SECRET not in repr(error) + str(error)
    assert error.__context__ is None
    assert error.__cause__ is None
