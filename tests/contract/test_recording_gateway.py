"""The fake gateway does what tests rely on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from smsflow_provider.core.errors import MaybeSentError, NotSentError
from smsflow_provider.core.gateways.kannel import KannelDialect, KannelSettings
from smsflow_provider.core.model import Message, Outcome, OutcomeKind
from smsflow_provider.testing.examples import example_message
from smsflow_provider.testing.gateway import RecordingGateway

ONE, TWO, THREE = (example_message(number) for number in (1, 2, 3))


def test_it_accepts_everything_unless_told_otherwise() -> None:
    outcomes = asyncio.run(RecordingGateway().send([ONE, TWO]))

    assert [
        Outcome(message_id=each.id, kind=OutcomeKind.ACCEPTED) for each in (ONE, TWO)
    ] == outcomes


def test_it_plays_the_script_message_by_message() -> None:
    told = Outcome(message_id=TWO.id, kind=OutcomeKind.FAILED, code="x")
    gateway = RecordingGateway([NotSentError("no route", code="dns"), told])
    outcomes = asyncio.run(gateway.send([ONE, TWO, THREE]))

    assert [
        Outcome(message_id=ONE.id, kind=OutcomeKind.NOT_SENT, code="dns"),
        told,
        Outcome(message_id=THREE.id, kind=OutcomeKind.ACCEPTED),
    ] == outcomes


def test_what_is_told_of_an_id_goes_before_the_script() -> None:
    gateway = RecordingGateway(
        [OutcomeKind.FAILED], by_id={ONE.id: MaybeSentError("silence", code="timeout")}
    )
    outcomes = asyncio.run(gateway.send([ONE, TWO]))

    assert [OutcomeKind.UNKNOWN, OutcomeKind.FAILED] == [each.kind for each in outcomes]


def test_it_records_every_hand_over_in_order() -> None:
    async def run(gateway: RecordingGateway) -> None:
        await gateway.send([ONE, TWO])
        await gateway.send([ONE])

    gateway = RecordingGateway()
    asyncio.run(run(gateway))

    assert [[ONE, TWO], [ONE]] == gateway.batches
    assert [ONE, TWO, ONE] == gateway.messages
    assert [ONE.id] == gateway.repeated()


def test_it_counts_how_many_requests_were_under_way() -> None:
    async def run(gateway: RecordingGateway) -> None:
        await asyncio.gather(*(gateway.send([each]) for each in (ONE, TWO, THREE)))

    gateway = RecordingGateway(delay_s=0.01)
    asyncio.run(run(gateway))

    assert 3 == gateway.busiest


def test_time_passes_as_it_is_told() -> None:
    waits: list[float] = []

    async def pause(seconds: float) -> None:
        waits.append(seconds)

    asyncio.run(RecordingGateway(delay_s=7.0, pause=pause).send([ONE]))
    assert [7.0] == waits


def test_the_world_may_end_at_a_hand_over() -> None:
    """The batch counts as handed over: it was at the gateway when the sender died."""

    def die(_batch: Sequence[Message]) -> None:
        raise KeyboardInterrupt

    gateway = RecordingGateway(before=die)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(gateway.send([ONE]))

    assert [ONE] == gateway.messages


def test_it_has_the_limits_of_the_dialect_it_is_given() -> None:
    kannel = KannelDialect(KannelSettings(base_url="http://kannel"))

    assert 100 == RecordingGateway().dialect.max_batch
    assert 1 == RecordingGateway(dialect=kannel).dialect.max_batch
