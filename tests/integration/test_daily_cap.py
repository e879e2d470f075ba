"""The daily cap is never passed, whoever sends, and can be used up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.errors import StoreUnreachableError
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.daily import BLOCK_PARTS, DailyCap, parts_of_today


@pytest.mark.parametrize("limit", [None, 0])
def test_without_a_cap_nothing_is_asked_and_all_may_leave(limit: int | None) -> None:
    cap = DailyCap(Store("host=127.0.0.1 port=1"), limit)

    assert (10**9, 0) == (cap.take(10**9), cap.take(0))
    cap.put_back(5)
    cap.give_back()


def test_a_store_that_does_not_answer_lets_nothing_leave() -> None:
    with pytest.raises(StoreUnreachableError):
        DailyCap(Store("host=127.0.0.1 port=1"), 10).take(1)


def test_what_is_taken_stays_within_the_cap_and_reaches_it(store: Store) -> None:
    cap = DailyCap(store, 1000)

    taken = [cap.take(7) for _ in range(200)]

    assert 1000 == sum(taken)
    assert [7, 6, 0] == [taken[0], taken[142], taken[143]]
    cap.give_back()
    assert 1000 == parts_of_today(store)


def test_one_question_to_the_store_is_enough_for_many_messages(store: Store) -> None:
    cap = DailyCap(store, 1_000_000)
    cap.take(1)

    assert BLOCK_PARTS == parts_of_today(store)
    assert BLOCK_PARTS - 1 == sum(cap.take(1) for _ in range(BLOCK_PARTS - 1))
    assert BLOCK_PARTS == parts_of_today(store)
    cap.take(1)
    assert 2 * BLOCK_PARTS == parts_of_today(store)
    cap.give_back()


def test_at_the_end_a_sender_gives_back_what_it_did_not_use(store: Store) -> None:
    cap = DailyCap(store, 100_000)
    cap.take(3)
    cap.give_back()
    cap.give_back()

    assert 3 == parts_of_today(store)
    assert 4 == cap.take(4)
    cap.give_back()
    assert 7 == parts_of_today(store)


def test_what_was_taken_and_not_handed_over_can_be_put_back(store: Store) -> None:
    cap = DailyCap(store, 10)
    assert 10 == cap.take(255)

    cap.put_back(10)

    assert (10, 0) == (cap.take(10), cap.take(1))
    cap.give_back()
    assert 10 == parts_of_today(store)


def test_what_a_killed_sender_had_set_aside_counts_as_used(store: Store) -> None:
    killed = DailyCap(store, 10_000)
    killed.take(1)
    killed._connection.close()

    other = DailyCap(store, 10_000)

    assert 10_000 - BLOCK_PARTS == sum(other.take(50) for _ in range(250))
    other.give_back()


def test_near_the_cap_one_sender_leaves_something_to_the_others(store: Store) -> None:
    caps = [DailyCap(store, 100) for _ in range(2)]

    first = caps[0].take(1)
    second = sum(caps[1].take(1) for _ in range(200))
    first += sum(caps[0].take(1) for _ in range(200))

    assert 100 == first + second
    assert second >= 90
    for cap in caps:
        cap.give_back()


def test_a_new_day_begins_with_nothing_used_and_no_old_block_is_worth_anything(
    store: Store,
) -> None:
    now = 0.0
    cap = DailyCap(store, 1000, clock=lambda: now)
    assert 1000 == sum(cap.take(10) for _ in range(101))
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_daily SET day = day - 1")
    assert 0 == sum(DailyCap(store, 1000).take(0) for _ in range(1))

    now = 86_401.0

    assert 10 == cap.take(10)
    cap.give_back()
    assert 10 == parts_of_today(store)


def test_a_block_of_yesterday_is_not_used_today(store: Store) -> None:
    now = 0.0
    cap = DailyCap(store, 1_000_000, clock=lambda: now)
    cap.take(1)
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_daily SET day = day - 1")
    now = 86_401.0

    cap.take(1)

    assert BLOCK_PARTS == parts_of_today(store)
    cap.give_back()


def test_what_was_taken_yesterday_and_comes_back_today_gives_nothing_to_today(
    store: Store,
) -> None:
    now = 0.0
    cap = DailyCap(store, 1000, clock=lambda: now)
    assert 400 == cap.take(400)
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_daily SET day = day - 1")
    assert cap._block is not None
    now = cap._block.ends_at + 1

    taken = cap.take(100)
    cap.put_back(400)
    taken += sum(cap.take(10) for _ in range(200))

    assert 1000 == taken
    now += 121
    cap.put_back(1001)
    assert (1000, 0) == (cap.take(1001), cap.take(1))
    cap.give_back()
    assert 1000 == parts_of_today(store)


def test_a_day_is_one_of_utc_whatever_the_zone_of_the_server(store: Store) -> None:
    with store.transaction() as connection:
        name = connection.info.dbname
        connection.execute(
            f"ALTER DATABASE \"{name}\" SET timezone = 'Pacific/Kiritimati'".encode()
        )
    before = utc_now().date()
    DailyCap(store, 10).take(1)

    with store.transaction() as connection:
        row = connection.execute("SELECT day FROM smsflow_daily").fetchone()
    assert row is not None
    assert row["day"] in {before, before + timedelta(days=1)}
    assert row["day"] == utc_now().date()


def test_a_lower_cap_takes_nothing_back_and_lets_nothing_more_leave(store: Store) -> None:
    cap = DailyCap(store, 1000)
    assert 600 == cap.take(600)
    cap.give_back()

    assert 0 == DailyCap(store, 500).take(1)


def test_many_senders_at_once_never_pass_the_cap_and_use_it_up(store: Store) -> None:
    caps = [DailyCap(store, 3000) for _ in range(8)]

    def send(number: int) -> int:
        random = Random(number)
        taken = 0
        for _ in range(200):
            taken += caps[number].take(random.randint(1, 4))
        caps[number].give_back()
        return taken

    with ThreadPoolExecutor(8) as pool:
        taken = sum(pool.map(send, range(8)))

    assert taken == parts_of_today(store)
    assert taken <= 3000
    assert 3000 == taken + sum(DailyCap(store, 3000).take(1) for _ in range(3000 - taken))


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    limit=st.integers(1, 2000),
    wishes=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 300), st.booleans()), max_size=40),
)
def test_whatever_is_taken_and_put_back_the_sum_stays_within_the_cap(
    store: Store, limit: int, wishes: list[tuple[int, int, bool]]
) -> None:
    with store.transaction() as connection:
        connection.execute("DELETE FROM smsflow_daily")
    caps = [DailyCap(store, limit) for _ in range(3)]
    used = 0
    for who, parts, is_kept in wishes:
        taken = caps[who].take(parts)
        assert 0 <= taken <= parts
        if is_kept:
            used += taken
        else:
            caps[who].put_back(taken)
        assert used <= limit
    for cap in caps:
        cap.give_back()

    assert used == parts_of_today(store)
