"""The judge of the kill tests sees what it must see."""

from __future__ import annotations

from collections import Counter

import pytest

from smsflow_provider.core.store.connection import Store
from smsflow_provider.testing.gateway import RecordingGateway
from tests.governed import make_approved
from tests.sending import run_send
from tests.soak.accounts import Accounts, settle_accounts
from tests.soak.faults import ALL, plan_hits


@pytest.fixture
def sent(store: Store) -> Counter[str]:
    """Send five messages; what the gateway got."""
    make_approved(store, count=5)
    gateway = RecordingGateway()
    run_send(store, gateway)
    return Counter(message.id for message in gateway.messages)


def judge(store: Store, handed: Counter[str]) -> Accounts:
    accounts = Accounts(name="test", seed=1)
    settle_accounts(accounts, store, handed, forgotten=set())
    return accounts


def test_a_clean_delivery_is_clean(store: Store, sent: Counter[str]) -> None:
    accounts = judge(store, sent)

    assert accounts.is_clean, accounts.lines()
    assert (5, 0) == (accounts.handed_over, accounts.unknown)


def test_a_message_that_was_handed_over_twice_is_named(store: Store, sent: Counter[str]) -> None:
    name = next(iter(sent))

    assert [name] == judge(store, sent + Counter([name])).twice


def test_an_accepted_message_that_the_gateway_never_saw_is_lost(
    store: Store, sent: Counter[str]
) -> None:
    name = next(iter(sent))

    assert [name] == judge(store, sent - Counter([name])).lost


def test_a_message_that_ended_nowhere_is_lost(store: Store, sent: Counter[str]) -> None:
    with store.transaction() as connection:
        connection.execute("DELETE FROM smsflow_outcomes WHERE position = 3")

    accounts = judge(store, sent)

    assert 1 == len(accounts.lost)
    assert ["the report says accepted 5, not 4"] == accounts.problems


def test_a_message_that_nobody_prepared_is_a_problem(store: Store, sent: Counter[str]) -> None:
    assert not judge(store, sent + Counter(["1-1-ffff"])).is_clean


@pytest.mark.parametrize("seed", range(5))
def test_every_kind_of_hit_comes_as_often_as_the_others_while_there_is_something_to_send(
    seed: int,
) -> None:
    hits = plan_hits(ALL, kills=30, count=20_000, seed=seed)

    assert {5} == set(Counter(hit.kind for hit in hits).values())
    assert all(hit.at < 16_000 for hit in hits)
    assert hits == plan_hits(ALL, kills=30, count=20_000, seed=seed)
