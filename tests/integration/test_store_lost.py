"""The store, or the way to it, goes away: the try ends, and the next one goes on."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.errors import StoreUnreachableError, SupersededError
from smsflow_provider.core.model import Message
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.lease import claim
from smsflow_provider.testing.gateway import RecordingGateway
from tests.prepared_delivery import approve, make_prepared
from tests.sending import check_sums, run_send

#: Messages marked and not settled at once, at the most.
WINDOW = 200


def test_a_store_that_is_lost_in_mid_send_ends_the_try_and_the_next_goes_on(store: Store) -> None:
    make_prepared(store, count=3000)
    approve(store)
    gateway = RecordingGateway(delay_s=0.01)
    lost = RecordingGateway(before=lambda _: _cut_at(store, lost, 500), delay_s=0.01)

    with pytest.raises(StoreUnreachableError):
        run_send(store, lost, most_open=WINDOW, lease_s=0.5)
    halfway = report(store, "d1")
    result = run_send(store, gateway, most_open=WINDOW, lease_s=0.5)

    assert "sending" == halfway["state"]
    assert "finished" == result["state"]
    check_sums(result)
    assert _ids(lost.messages).isdisjoint(_ids(gateway.messages))
    assert [] == [*lost.repeated(), *gateway.repeated()]
    assert 0 < result["unknown"] <= WINDOW
    assert 3000 == result["accepted"] + result["unknown"]


def test_the_first_worker_alive_begins_and_a_lost_one_holds_nobody_up(store: Store) -> None:
    """Also when its machine vanishes: after five silent seconds the server asks for it."""
    make_prepared(store, count=5)
    delivery = approve(store)
    first = claim(store, delivery, owner="first", lease_s=10)
    second = claim(store, delivery, owner="second", lease_s=10)
    assert first is not None
    assert second is not None
    shown = first._connection.execute("SHOW tcp_keepalives_idle").fetchone()
    first._connection.commit()

    assert (True, False) == (first.may_begin(lease_s=10), second.may_begin(lease_s=10))
    time.sleep(0.3)
    assert second.may_begin(lease_s=0.2)
    with pytest.raises(SupersededError):
        first.begin(actor="first")

    assert shown is not None
    assert "5" == shown["tcp_keepalives_idle"].removesuffix("s")
    first.release()
    second.release()


def _cut_at(store: Store, gateway: RecordingGateway, count: int) -> None:
    """Take every connection away from its holder, as a server does that is stopped at once."""
    if len(gateway.messages) < count:
        return
    with store.transaction() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def _ids(messages: Sequence[Message]) -> set[str]:
    return {message.id for message in messages}
