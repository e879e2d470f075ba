"""
The one transport that talks to gateways, and the gateway built on it.

The transport judges one thing: did the request leave? It is sure of "no" only while no byte
of it was handed to a socket; from then on every mishap is doubt. Nothing is ever sent again
from here: no retry, no redirect, no proxy taken from the environment.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from smsflow_provider.core.errors import GatewayError, MaybeSentError, NotSentError
from smsflow_provider.core.gateways.base import Dialect, HttpRequest, HttpResponse, Transport
from smsflow_provider.core.gateways.deadline import is_too_late
from smsflow_provider.core.gateways.http_pool import ConnectError, Pool
from smsflow_provider.core.gateways.http_wire import WireError
from smsflow_provider.core.gateways.http_writing import written
from smsflow_provider.core.gateways.settings import GatewaySettings
from smsflow_provider.core.model import Message, Outcome, OutcomeKind


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
        self._connect_timeout_s = connect_timeout_s
        self._answer_timeout_s = answer_timeout_s
        self._pool: Pool | None = None

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
        self._pool = Pool(
            max_connections=self._max_connections, connect_timeout_s=self._connect_timeout_s
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every connection."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    async def __call__(self, request: HttpRequest, /) -> HttpResponse:
        """
        Send *request* once, never again, and return the whole answer.

        Raises:
            NotSentError: No byte of the request was handed to a socket.
            MaybeSentError: It left, and no whole answer came back.
        """
        if self._pool is None:
            raise NotSentError("the transport is not open", code="closed")
        place, text = written(request)
        verdict: GatewayError
        try:
            wire = await self._pool.lend(place)
            try:
                if is_too_late():
                    # The connection is as good as it was: nothing was written.
                    raise ConnectError("too_late")
                return await wire.exchange(text, timeout_s=self._answer_timeout_s)
            finally:
                self._pool.take_back(place, wire)
        except ConnectError as error:
            verdict = NotSentError("the request did not leave", code=error.code)
        except WireError as error:
            verdict = MaybeSentError("no whole answer came back", code=error.code)
        # Raised out here so that nothing hangs on it.
        raise verdict


class HttpGateway:
    """
    A gateway that speaks HTTP: a dialect over a transport.

    Args:
        lookups_per_s: How often it wants to be asked about messages in doubt; whoever asks keeps
            to it. 0: as often as they like.
    """

    def __init__(
        self, dialect: Dialect, transport: Transport, *, lookups_per_s: float = 0.0
    ) -> None:
        self.lookups_per_s = lookups_per_s
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
