"""The gateway over HTTP: errors become outcomes. The transport has its contract suite."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from smsflow_provider.core.errors import GatewayError, MaybeSentError, NotSentError, RefusedError
from smsflow_provider.core.gateways.base import HttpRequest, HttpResponse
from smsflow_provider.core.gateways.http import HttpGateway, HttpTransport, outcome_of
from smsflow_provider.core.gateways.kannel import KannelDialect, KannelSettings
from smsflow_provider.core.gateways.simulator import SimulatorDialect, SimulatorSettings
from smsflow_provider.core.model import Outcome, OutcomeKind
from smsflow_provider.testing.examples import example_message

KANNEL = KannelDialect(KannelSettings(base_url="http://kannel"))
SIMULATOR = SimulatorDialect(SimulatorSettings(base_url="http://sim"))


class Script:
    """A transport that plays answers and errors in turn, and keeps the requests."""

    def __init__(self, plays: Sequence[HttpResponse | GatewayError]) -> None:
        self._plays = iter(plays)
        self.requests: list[HttpRequest] = []

    async def __call__(self, request: HttpRequest, /) -> HttpResponse:
        self.requests.append(request)
        play = next(self._plays)
        if isinstance(play, GatewayError):
            raise play
        return play


def test_an_accepted_message_is_accepted() -> None:
    script = Script([HttpResponse(status=202, body=b"0: Accepted for delivery")])
    (outcome,) = asyncio.run(HttpGateway(KANNEL, script).send([example_message()]))

    assert Outcome(message_id="1-1-1", kind=OutcomeKind.ACCEPTED, code="0") == outcome
    assert [KANNEL.write([example_message()])] == script.requests


@pytest.mark.parametrize(
    ("error", "kind", "code", "wait_s"),
    [
        (NotSentError("x", code="connect_refused"), OutcomeKind.NOT_SENT, "connect_refused", None),
        (NotSentError("x", code="http_429", retry_after_s=2), OutcomeKind.NOT_SENT, "http_429", 2),
        (MaybeSentError("x", code="timeout"), OutcomeKind.UNKNOWN, "timeout", None),
        (MaybeSentError("x", retry_after_s=2), OutcomeKind.UNKNOWN, "unknown", None),
        (RefusedError("x", code="http_401"), OutcomeKind.FAILED, "http_401", None),
        (GatewayError("x"), OutcomeKind.FAILED, "failed", None),
    ],
)
def test_an_error_of_the_request_is_the_outcome_of_each_message(
    error: GatewayError, kind: OutcomeKind, code: str, wait_s: float | None
) -> None:
    batch = [example_message(1), example_message(2)]
    outcomes = asyncio.run(HttpGateway(SIMULATOR, Script([error])).send(batch))

    assert [
        Outcome(message_id=each.id, kind=kind, code=code, retry_after_s=wait_s) for each in batch
    ] == outcomes


def test_what_cannot_be_written_fails_and_nothing_is_sent() -> None:
    script = Script([])
    (outcome,) = asyncio.run(HttpGateway(KANNEL, script).send([example_message(sender="É")]))

    assert (OutcomeKind.FAILED, "bad_sender") == (outcome.kind, outcome.code)
    assert [] == script.requests


def test_an_empty_batch_sends_nothing() -> None:
    assert [] == asyncio.run(HttpGateway(SIMULATOR, Script([])).send([]))


def test_the_gateway_shows_its_dialect() -> None:
    assert KANNEL is HttpGateway(KANNEL, Script([])).dialect


def test_an_outcome_of_an_error_carries_no_free_text() -> None:
    outcome = outcome_of(RefusedError("said no", code="http_400", other="x"), message_id="1")

    assert Outcome(message_id="1", kind=OutcomeKind.FAILED, code="http_400") == outcome


def send_unopened(url: str, headers: dict[str, str] | None = None) -> str:
    """Send through a transport that may be closed; give the code of the error."""

    async def run() -> str:
        transport = HttpTransport(connect_timeout_s=0.5)
        request = HttpRequest(method="POST", url=url, headers=headers or {})
        if headers is None:
            with pytest.raises(NotSentError) as caught:
                await transport(request)
        else:
            async with transport:
                with pytest.raises(NotSentError) as caught:
                    await transport(request)
        return str(caught.value.facts["code"])

    return asyncio.run(run())


def test_a_transport_that_is_not_open_sends_nothing() -> None:
    assert "closed" == send_unopened("http://127.0.0.1:9/")


@pytest.mark.parametrize("url", ["", "kannel", "http://", "ftp://kannel/", "http://[::1"])
def test_an_address_that_is_none_sends_nothing(url: str) -> None:
    assert send_unopened(url, {}) in {"bad_url", "bad_request", "lost"}


@pytest.mark.parametrize("value", ["a\r\nY: b", "a\x00", "half \ud83d"])
def test_a_header_that_cannot_be_written_sends_nothing(value: str) -> None:
    assert "bad_request" == send_unopened("http://127.0.0.1:9/", {"X": value})


def test_limits_come_from_the_settings() -> None:
    settings = KannelSettings(
        base_url="http://kannel", max_connections=3, connect_timeout_s=1.5, answer_timeout_s=4.0
    )
    transport = HttpTransport.of(settings)

    assert 3 == transport._max_connections
    assert (1.5, 4.0) == (transport._connect_timeout_s, transport._answer_timeout_s)
