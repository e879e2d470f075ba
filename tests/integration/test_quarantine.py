"""The quarantine on a real PostgreSQL, and its command."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsflow_provider.cli.main import main
from smsflow_provider.core.errors import StoreError
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.phones import HIGHEST, LOWEST
from smsflow_provider.core.store.quarantine import (
    Quarantined,
    add_quarantined,
    add_quarantined_entries,
    count_quarantined,
    iterate_quarantined,
    load_quarantine,
    remove_quarantined,
)

ANNA, BEN, CARO = 33612345678, 4917612345678, 447911123456


def every(store: Store, *, page: int = 2) -> list[Quarantined]:
    return [entry for entries in iterate_quarantined(store, page=page) for entry in entries]


def loaded(store: Store, *, rows: int = 1000) -> list[int]:
    return load_quarantine(store, rows=rows).to_list()


def count_an_error(store: Store, phone: int) -> None:
    """Note one error of a number that is not in quarantine."""
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO smsflow_quarantine (phone, errors, last_error_at, quarantined_at)"
            " VALUES (%s, 1, now(), NULL)",
            (phone,),
        )


def test_numbers_that_were_added_are_loaded_ascending_and_once(store: Store) -> None:
    assert 3 == add_quarantined(store, [BEN, ANNA, BEN, CARO], reason="absent", source="letter")

    found = load_quarantine(store)
    assert pl.Series("phone", [ANNA, CARO, BEN], dtype=pl.UInt64).equals(found)
    assert {("absent", "letter", 0)} == {(e.reason, e.source, e.errors) for e in every(store)}
    assert all(entry.quarantined_at is not None for entry in every(store))


def test_a_number_in_quarantine_stays_as_it_is(store: Store) -> None:
    add_quarantined(store, [ANNA], reason="first")

    assert 1 == add_quarantined(store, [ANNA, BEN], reason="second")
    assert ["first", "second"] == [entry.reason for entry in every(store)]


def test_a_number_of_which_errors_are_only_counted_gets_texts(store: Store) -> None:
    count_an_error(store, ANNA)

    assert [] == loaded(store)
    assert [] == every(store)
    assert 0 == count_quarantined(store)


def test_a_number_of_which_errors_were_counted_can_be_added_and_keeps_them(store: Store) -> None:
    count_an_error(store, ANNA)

    assert 1 == add_quarantined(store, [ANNA], reason="by hand")
    assert [(ANNA, "by hand", 1)] == [(e.phone, e.reason, e.errors) for e in every(store)]
    assert [ANNA] == loaded(store)


def test_removing_forgets_the_errors_too(store: Store) -> None:
    count_an_error(store, ANNA)
    add_quarantined(store, [ANNA, BEN])

    assert 1 == remove_quarantined(store, [ANNA, CARO])
    assert [BEN] == loaded(store)
    add_quarantined(store, [ANNA])
    assert [0, 0] == [entry.errors for entry in every(store)]


def test_removing_passes_over_numbers_that_only_have_errors(store: Store) -> None:
    count_an_error(store, ANNA)

    assert 0 == remove_quarantined(store, [ANNA])


@pytest.mark.parametrize("wrong", [0, LOWEST - 1, HIGHEST + 1, -ANNA])
def test_a_number_that_is_none_is_refused_with_all_the_others(store: Store, wrong: int) -> None:
    with pytest.raises(StoreError) as caught:
        add_quarantined(store, [ANNA, wrong])

    assert {"count": 1} == caught.value.facts
    assert 0 == count_quarantined(store)


def test_entries_keep_their_own_reason_and_source(store: Store) -> None:
    given = [
        Quarantined(phone=ANNA, reason="said\tso\nin a \\letter", source="mail"),
        Quarantined(phone=BEN, reason="é ☎"),
    ]

    assert 2 == add_quarantined_entries(store, given)
    told = [(entry.phone, entry.reason, entry.source) for entry in every(store)]
    assert sorted((one.phone, one.reason, one.source) for one in given) == told


def test_a_number_does_not_show_in_a_repr() -> None:
    assert str(ANNA) not in repr(Quarantined(phone=ANNA, reason="absent"))


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    phones=st.lists(st.integers(min_value=LOWEST, max_value=HIGHEST), max_size=30),
    page=st.integers(1, 7),
)
def test_what_is_loaded_is_what_was_added_whatever_the_page(
    store: Store, phones: list[int], page: int
) -> None:
    remove_quarantined(store, loaded(store))

    assert len(set(phones)) == add_quarantined(store, phones)
    assert sorted(set(phones)) == loaded(store, rows=page)
    assert sorted(set(phones)) == [entry.phone for entry in every(store, page=page)]


def smsflow(store_dsn: str, *words: str) -> int:
    """Run the command as a person would, on this test's store."""
    return main(["quarantine", words[0], "--store", store_dsn, *words[1:]])


def test_a_file_goes_in_and_comes_out_again(
    store: Store, store_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given, path = tmp_path / "given.csv", tmp_path / "all.csv"
    given.write_text(f"phone,reason\n+{ANNA},absent\n+{BEN},\n", encoding="utf-8")

    assert 0 == smsflow(store_dsn, "import", str(given))
    assert 0 == smsflow(store_dsn, "export", str(path))
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    assert "phone,reason,source,errors,last_error_at,quarantined_at" == header
    assert rows[0].startswith(f"+{ANNA},absent,import given.csv,0,,20")
    remove_quarantined(store, [ANNA, BEN])
    assert 0 == smsflow(store_dsn, "import", str(path))
    assert [("absent", "import given.csv"), ("", "import given.csv")] == [
        (entry.reason, entry.source) for entry in every(store)
    ]
    assert "2 added, 0 in quarantine already.\n" in capsys.readouterr().out


def test_numbers_are_added_and_removed_by_hand(
    store: Store, store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == smsflow(store_dsn, "add", f"+{ANNA}", "0612345679", "--region", "FR")
    assert 0 == smsflow(store_dsn, "add", f"+{ANNA}", "--reason", "absent")
    assert 0 == smsflow(store_dsn, "remove", f"+{ANNA}")

    assert [33612345679] == loaded(store)
    assert {"command line"} == {entry.source for entry in every(store)}
    assert [
        "2 added, 0 in quarantine already.",
        "0 added, 1 in quarantine already.",
        "1 removed.",
    ] == capsys.readouterr().out.splitlines()


def test_a_bad_number_changes_nothing_and_is_named_by_its_place(
    store: Store, store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 == smsflow(store_dsn, "add", f"+{ANNA}", "0612345678")

    assert 0 == count_quarantined(store)
    assert "number 2: no region (say --region)\n" == capsys.readouterr().err
