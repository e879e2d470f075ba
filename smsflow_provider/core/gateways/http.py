"""
The one transport that talks to gateways, and the gateway built on it.

The transport judges one thing: did the request leave? It is sure of "no" only while no byte
of it was handed to a socket; from then on every mishap is doubt. Nothing is ever sent again
from here: no retry, no redirect, no proxy taken from the environment.
"""

from __future__ import annotations

import asyncio
import errno
import re
from collections.abc import Awaitable, Callable, Sequence
from types import SimpleNamespace, TracebackType
from typing import Self

import aiohttp

from smsflow_provider.core.errors import GatewayError, MaybeSentError, NotSentError
from smsflow_provider.core.gateways.base import Dialect, HttpRequest, HttpResponse, Transport
from smsflow_provider.core.gateways.deadline import is_too_late
from smsflow_provider.core.gateways.settings import GatewaySettings
from smsflow_provider.core.model import Message, Outcome, OutcomeKind

#: An answer longer than this is not one of a gateway; bytes.
ANSWER_LIMIT_BYTES = 1 << 20
#: Idle connections are closed by us after this long; gateways commonly wait for 30 to 60
#: seconds. Closing first keeps a message from leaving on a connection that is just dying,
#: which nobody could tell from one that was lost on the way.
IDLE_LIMIT_S = 10.0

_UNWRITABLE = re.compile("[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")


class HttpTransport:
    """
    Carries one request over kept-alive, bounded connections. Use it as a context manager.

    It does not retry, follow redirects, keep cookies, or read proxies and passwords from the
    environment. A cancelled call leaves the same doubt as a lost answer: the caller counts
    what was in flight as unknown.

    Args:
        max_connections: Sockets open at once; further requests wait for a free one.
        connect_timeout_s: Seconds to wait for a free socket and for it to connect.
        answer_timeout_s: Seconds for the answer; a call takes at most the sum of both.
    """

    def __init__(
        self,
        *,
        max_connections: int = 50,
        connect_timeout_s: float = 5.0,
        answer_timeout_s: float = 30.0,
    ) -> None:
        self._max_connections = max_connections
        self._timeout = aiohttp.ClientTimeout(
            connect=connect_timeout_s, total=connect_timeout_s + answer_timeout_s
        )
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    def of(cls, settings: GatewaySettings) -> Self:
        """Make a transport with the limits of *settings*."""
        return cls(
            max_connections=settings.max_connections,
            connect_timeout_s=settings.connect_timeout_s,
            answer_timeout_s=settings.answer_timeout_s,
        )

    async def __aenter__(self) -> Self:
        """Open the pool; no connection is made yet."""
        connector = aiohttp.TCPConnector(
            limit=self._max_connections, keepalive_timeout=IDLE_LIMIT_S
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[_leaving_trace()],
            middlewares=(_never_again,),
            skip_auto_headers=("User-Agent", "Accept-Encoding"),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
        self._session = None

    async def __call__(self, request: HttpRequest, /) -> HttpResponse:
        """
        Send *request* once, never again, and return the whole answer.

        Raises:
            NotSentError: No byte of the request was handed to a socket.
            MaybeSentError: It left, and no whole answer came back.
        """
        way = SimpleNamespace(left=False)
        try:
            return await self._exchange(request, way)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            verdict = _verdict(error, left=way.left)
        # Raised out here so that no aiohttp error hangs on it: those show request headers.
        raise verdict

    async def _exchange(self, request: HttpRequest, way: SimpleNamespace) -> HttpResponse:
        if self._session is None:
            raise NotSentError("the transport is not open", code="closed")
        if any(_UNWRITABLE.search(f"{name}{value}") for name, value in request.headers.items()):
            # aiohttp would notice only once the connection is there, where doubt begins.
            raise NotSentError("a header holds a control character", code="bad_request")
        async with self._session.request(
            request.method,
            request.url,
            headers=request.headers,
            data=request.body or None,
            allow_redirects=False,
            trace_request_ctx=way,
        ) as answer:
            body = await _read_bounded(answer)
            return HttpResponse(status=answer.status, headers=dict(answer.headers), body=body)


class HttpGateway:
    """A gateway that speaks HTTP: a dialect over a transport."""

    def __init__(self, dialect: Dialect, transport: Transport) -> None:
        self._dialect = dialect
        self._transport = transport

    @property
    def dialect(self) -> Dialect:
        """The dialect behind it."""
        return self._dialect

    async def send(self, batch: Sequence[Message]) -> list[Outcome]:
        """
        Hand *batch* over once; one outcome a message, in order.

        Never raises GatewayError: NotSentError becomes ``not_sent``, MaybeSentError
        ``unknown``, RefusedError ``failed``, for each message of the batch.
        """
        if not batch:
            return []
        try:
            request = self._dialect.write(batch)
            return self._dialect.read(batch, await self._transport(request))
        except GatewayError as error:
            return [outcome_of(error, message_id=message.id) for message in batch]

    async def ask(self, request: HttpRequest) -> HttpResponse:
        """Carry a question that hands nothing over. Raises what the transport raises."""
        return await self._transport(request)


def outcome_of(error: GatewayError, *, message_id: str) -> Outcome:
    """Say what *error* means for one message. The error's ``code`` fact becomes the code."""
    kind = OutcomeKind.FAILED
    if isinstance(error, NotSentError):
        kind = OutcomeKind.NOT_SENT
    elif isinstance(error, MaybeSentError):
        kind = OutcomeKind.UNKNOWN
    wait = error.facts.get("retry_after_s") if kind is OutcomeKind.NOT_SENT else None
    return Outcome(
        message_id=message_id,
        kind=kind,
        code=str(error.facts.get("code", kind.value)),
        retry_after_s=float(wait) if isinstance(wait, int | float) else None,
        is_own=bool(error.facts.get("is_own", False)),
    )


class _TooLateError(ValueError):
    """The moment until which the request might leave has passed."""


class _TooLongError(ValueError):
    """The answer is longer than any answer of a gateway."""


class _BrokenError(aiohttp.ClientError):
    """Wraps the errors after which aiohttp would send an idempotent request again."""


async def _never_again(
    request: aiohttp.ClientRequest,
    handler: Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]],
) -> aiohttp.ClientResponse:
    """
    Keep aiohttp from repeating a request.

    It repeats GET, PUT and the like once after these two errors. Another type hides them;
    a connection that could not be made is not repeated and passes as it is.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _BrokenError(_code_of(error)) from None


def _leaving_trace() -> aiohttp.TraceConfig:
    """Mark the way of a request as left, just before its headers go to the socket."""
    trace = aiohttp.TraceConfig()

    async def mark(_session: object, context: SimpleNamespace, _params: object) -> None:
        if is_too_late():
            raise _TooLateError
        context.trace_request_ctx.left = True

    trace.on_request_headers_sent.append(mark)
    return trace


async def _read_bounded(answer: aiohttp.ClientResponse) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in answer.content.iter_any():
        size += len(piece)
        if size > ANSWER_LIMIT_BYTES:
            raise _TooLongError
        pieces.append(piece)
    return b"".join(pieces)


def _verdict(error: Exception, *, left: bool) -> GatewayError:
    if left:
        return MaybeSentError("no whole answer came back", code=_code_of(error))
    return NotSentError("the request did not leave", code=_code_of(error))


#: The first type that fits names the mishap; subclasses stand before their parents.
_CODES: tuple[tuple[type[BaseException], str], ...] = (
    (_TooLongError, "answer_too_long"),
    (_TooLateError, "too_late"),
    (aiohttp.ClientConnectorDNSError, "dns"),
    (aiohttp.ClientSSLError, "tls"),
    (aiohttp.ServerFingerprintMismatch, "tls"),
    (aiohttp.ConnectionTimeoutError, "connect_timeout"),
    (aiohttp.ClientConnectorError, "connect_failed"),
    (asyncio.TimeoutError, "timeout"),
    (aiohttp.ServerDisconnectedError, "closed"),
    (ConnectionResetError, "reset"),
    (BrokenPipeError, "reset"),
    (aiohttp.ClientPayloadError, "truncated"),
    (aiohttp.ClientResponseError, "garbage"),
    (aiohttp.InvalidURL, "bad_url"),
    (ValueError, "bad_request"),
)
_ERRNO_CODES = {
    errno.ECONNREFUSED: "connect_refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
}


def _code_of(error: BaseException) -> str:
    if isinstance(error, _BrokenError):
        return str(error)
    for kind, code in _CODES:
        if isinstance(error, kind):
            return _ERRNO_CODES.get(getattr(error, "errno", None) or 0, code)
    return _ERRNO_CODES.get(getattr(error, "errno", None) or 0, "lost")
