"""The transports against the contract, over real sockets."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from smsflow_provider.core.gateways.base import Transport
from smsflow_provider.core.gateways.http import HttpTransport
from smsflow_provider.testing.contracts import TransportContract


class TestHttpTransport(TransportContract):
    def transport(
        self, *, max_connections: int, connect_timeout_s: float, answer_timeout_s: float
    ) -> AbstractAsyncContextManager[Transport]:
        return HttpTransport(
            max_connections=max_connections,
            connect_timeout_s=connect_timeout_s,
            answer_timeout_s=answer_timeout_s,
        )
