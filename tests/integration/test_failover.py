"""A second gateway takes what the first certainly did not; doubts go again only by policy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from smsflow_provider.core.delivery.send import send
from smsflow_provider.core.errors import NotSentError
from smsflow_provider.core.gateways.base import Gateway
from smsflow_provider.core.model import OutcomeKind
from smsflow_provider.core.store.connection import Store
from smsflow_provider.testing.gateway import RecordingGateway
from tests.prepared_delivery import approve, make_prepared
from tests.sending import check_sums, make_sender

DOWN = NotSentError("down", code="connect_refused")


def send_through(store: Store, gateways: dict[str, RecordingGateway]) -> dict[str, Any]:
    """Send ``d1`` through the gateways of these connections."""

    @asynccontextmanager
    async def open_gateway(conn_id: str) -> AsyncIterator[Gateway]:
        yield gateways[conn_id]

    sender = make_sender(RecordingGateway(), open_gateway=open_gateway)
    return asyncio.run(send(store, "d1", sender))


def make_with(store: Store, *, count: int, sending: dict[str, Any], **kw: Any) -> None:
    template = {"name": "sale", "settings": {"sending": sending}}
    make_prepared(store, count=count, template=template, **kw)
    approve(store)


def routes_of(store: Store) -> dict[int, int]:
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT route, count(*)::int AS n FROM smsflow_marks GROUP BY route"
        ).fetchall()
    return {row["route"]: row["n"] for row in rows}


def test_the_second_gateway_takes_over_while_the_first_is_down(store: Store) -> None:
    make_with(store, count=700, sending={"failover": {"gateway": "second"}}, gateway="first")
    first = RecordingGateway(script=[DOWN] * 10_000)
    second = RecordingGateway()

    result = send_through(store, {"first": first, "second": second})

    assert ("finished", 700, 0) == (result["state"], result["accepted"], result["unknown"])
    assert (700, []) == (len(second.messages), second.repeated())
    assert 700 == routes_of(store)[1]
    check_sums(result)


def test_what_the_first_gateway_may_have_taken_never_goes_to_the_second(store: Store) -> None:
    make_with(store, count=300, sending={"failover": {"gateway": "second"}}, gateway="first")
    first = RecordingGateway(script=[OutcomeKind.UNKNOWN] * 10_000)
    second = RecordingGateway()

    result = send_through(store, {"first": first, "second": second})

    one = {message.id for message in first.messages}
    two = {message.id for message in second.messages}
    assert set() == one & two
    assert len(one) == result["unknown"]
    check_sums(result)


def test_countries_take_the_gateway_that_the_template_names(store: Store) -> None:
    sending = {"failover": {"gateway": "second", "countries": ["FR"]}}
    make_with(store, count=200, sending=sending, gateway="first")
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_messages SET region = 'BE' WHERE position % 4 = 0")
    gateways = {"first": RecordingGateway(), "second": RecordingGateway()}

    result = send_through(store, gateways)

    assert 200 == result["accepted"]
    assert (50, 150) == (len(gateways["first"].messages), len(gateways["second"].messages))


def test_with_at_least_once_a_message_in_doubt_goes_again_once_it_is_old_enough(
    store: Store,
) -> None:
    make_with(store, count=20, sending={"doubt": "at_least_once", "doubt_after": 60})
    first = RecordingGateway(script=[OutcomeKind.UNKNOWN] * 3)
    age_doubts(store, by_s=0)

    result = run_aged(store, first)

    assert ("finished", 20, 0) == (result["state"], result["accepted"], result["unknown"])
    assert 3 == len(first.repeated())
    check_sums(result)


def test_with_at_least_once_a_gateway_that_never_answers_is_not_fed_for_ever(store: Store) -> None:
    make_with(store, count=2, sending={"doubt": "at_least_once", "doubt_after": 60})
    gateway = RecordingGateway(script=[OutcomeKind.UNKNOWN] * 1_000)

    result = run_aged(store, gateway)

    assert ("finished", 2) == (result["state"], result["unknown"])
    assert 6 == len(gateway.messages)
    check_sums(result)


def test_without_a_policy_doubts_stay(store: Store) -> None:
    make_with(store, count=20, sending={})

    result = run_aged(store, RecordingGateway(script=[OutcomeKind.UNKNOWN] * 3))

    assert ("finished", 3) == (result["state"], result["unknown"])


def run_aged(store: Store, gateway: RecordingGateway) -> dict[str, Any]:
    """Send ``d1`` while somebody makes its doubts an hour old, again and again."""

    async def play() -> dict[str, Any]:
        sending = asyncio.create_task(send(store, "d1", make_sender(gateway)))
        while not sending.done():
            await asyncio.to_thread(age_doubts, store, by_s=3600)
            await asyncio.sleep(0.05)
        return await sending

    return asyncio.run(play())


def age_doubts(store: Store, *, by_s: int) -> None:
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_outcomes SET settled_at = settled_at - %s * interval '1 second'"
            " WHERE kind = 'unknown'",
            (by_s,),
        )
