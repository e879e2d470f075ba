"""The lists of people who must get no text, on a real PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsflow_provider.core.errors import StoreError
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.opt_outs import (
    HIGHEST,
    LOWEST,
    OptOut,
    add_opt_out_entries,
    add_opt_outs,
    count_opt_outs,
    iterate_opt_outs,
    load_opt_outs,
    remove_opt_outs,
)

ANNA, BEN, CARO = 33612345678, 4917612345678, 447911123456
PHONES = st.integers(min_value=LOWEST, max_value=HIGHEST)

several_times = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def every(store: Store, *, scope: str | None = None, page: int = 2) -> list[OptOut]:
    return [
        entry for entries in iterate_opt_outs(store, scope=scope, page=page) for entry in entries
    ]


def test_numbers_that_were_added_are_loaded_sorted_and_once(store: Store) -> None:
    assert 3 == add_opt_outs(store, [BEN, ANNA, BEN, CARO])

    loaded = load_opt_outs(store)
    assert [ANNA, CARO, BEN] == list(loaded)
    assert pl.Series("phone", [ANNA, CARO, BEN], dtype=pl.UInt64).equals(loaded.series)


def test_a_number_that_is_on_the_list_stays_as_it_is(store: Store) -> None:
    add_opt_outs(store, [ANNA], reason="reply STOP", source="reply")

    assert 1 == add_opt_outs(store, [ANNA, BEN], reason="import", source="file")
    reasons = {entry.phone: (entry.reason, entry.source) for entry in every(store)}
    assert {ANNA: ("reply STOP", "reply"), BEN: ("import", "file")} == reasons


def test_lists_are_loaded_by_scope_and_none_by_itself(store: Store) -> None:
    add_opt_outs(store, [ANNA])
    add_opt_outs(store, [BEN, ANNA], scope="marketing")

    assert [ANNA] == list(load_opt_outs(store))
    assert [ANNA, BEN] == list(load_opt_outs(store, scopes=["marketing"]))
    assert [ANNA, BEN] == list(load_opt_outs(store, scopes=["", "marketing"]))
    assert [] == list(load_opt_outs(store, scopes=["sales"]))


def test_an_empty_list_loads_as_an_empty_set(store: Store) -> None:
    loaded = load_opt_outs(store)

    assert 0 == len(loaded)
    assert ANNA not in loaded
    assert pl.UInt64 == loaded.series.dtype


def test_a_loaded_set_knows_its_numbers_and_no_others(store: Store) -> None:
    add_opt_outs(store, [ANNA, BEN])
    loaded = load_opt_outs(store)

    assert [True, True, False, False, False] == [
        phone in loaded for phone in (ANNA, BEN, CARO, ANNA - 1, BEN + 1)
    ]
    assert "PhoneSet(2 numbers)" == repr(loaded)


@pytest.mark.parametrize("wrong", [0, LOWEST - 1, HIGHEST + 1, -ANNA])
def test_a_number_that_is_none_is_refused_with_all_the_others(store: Store, wrong: int) -> None:
    with pytest.raises(StoreError) as caught:
        add_opt_outs(store, [ANNA, wrong])

    assert {"count": 1} == caught.value.facts
    assert str(abs(wrong)) not in str(caught.value) or wrong == 0
    assert 0 == count_opt_outs(store)


def test_removing_takes_off_one_list_only(store: Store) -> None:
    add_opt_outs(store, [ANNA, BEN])
    add_opt_outs(store, [ANNA], scope="marketing")

    assert 1 == remove_opt_outs(store, [ANNA, CARO])
    assert [BEN] == list(load_opt_outs(store))
    assert [ANNA] == list(load_opt_outs(store, scopes=["marketing"]))


def test_removing_without_a_scope_takes_off_every_list(store: Store) -> None:
    add_opt_outs(store, [ANNA, BEN])
    add_opt_outs(store, [ANNA], scope="marketing")

    assert 2 == remove_opt_outs(store, [ANNA], scope=None)
    assert [BEN] == [entry.phone for entry in every(store)]


def test_entries_are_handed_out_in_order_whatever_the_page(store: Store) -> None:
    add_opt_outs(store, [CARO, BEN, ANNA])
    add_opt_outs(store, [ANNA], scope="b", reason="r", source="s")

    expected = [(ANNA, ""), (ANNA, "b"), (CARO, ""), (BEN, "")]
    for page in (1, 2, 3, 100):
        assert expected == [(one.phone, one.scope) for one in every(store, page=page)]
    assert [("r", "s")] == [(one.reason, one.source) for one in every(store, scope="b")]
    assert all(one.created_at is not None for one in every(store))


def test_entries_keep_their_own_scope_reason_and_source(store: Store) -> None:
    given = [
        OptOut(phone=ANNA, reason="said\tso\nin a \\letter", source="mail"),
        OptOut(phone=ANNA, scope="marketing"),
        OptOut(phone=BEN, scope="é ☎"),
    ]

    assert 3 == add_opt_out_entries(store, given)
    told = [(one.phone, one.scope, one.reason, one.source) for one in every(store)]
    assert sorted((one.phone, one.scope, one.reason, one.source) for one in given) == told


def test_the_same_import_twice_at_once_adds_each_number_once(store: Store) -> None:
    phones = range(33600000000, 33600002000)
    with ThreadPoolExecutor(max_workers=4) as pool:
        added = list(pool.map(lambda _: add_opt_outs(store, phones), range(4)))

    assert 2000 == sum(added)
    assert 2000 == count_opt_outs(store)


def test_a_number_does_not_show_in_a_repr() -> None:
    assert str(ANNA) not in repr(OptOut(phone=ANNA, scope="marketing"))


def test_counting_knows_the_lists(store: Store) -> None:
    add_opt_outs(store, [ANNA, BEN])
    add_opt_outs(store, [ANNA], scope="marketing")

    assert (3, 2, 1) == (
        count_opt_outs(store),
        count_opt_outs(store, scope=""),
        count_opt_outs(store, scope="marketing"),
    )


@several_times
@given(phones=st.lists(PHONES, max_size=50))
def test_what_is_loaded_is_what_was_added(store: Store, phones: list[int]) -> None:
    remove_opt_outs(store, list(load_opt_outs(store)))

    assert len(set(phones)) == add_opt_outs(store, phones)
    assert sorted(set(phones)) == list(load_opt_outs(store))


def test_half_a_million_numbers_take_seconds(store: Store) -> None:
    phones = range(33600000000, 33600500000)
    start = monotonic()
    assert 500_000 == add_opt_outs(store, phones)
    added_s = monotonic() - start
    assert 500_000 == len(load_opt_outs(store))
    loaded_s = monotonic() - start - added_s

    assert added_s < 30
    assert loaded_s < 5
