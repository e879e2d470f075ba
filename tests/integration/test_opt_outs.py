"""The lists of people who must get no text, on a real PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsflow_provider.cli.main import main
from smsflow_provider.core.errors import StoreError
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.opt_outs import (
    OptOut,
    add_opt_out_entries,
    add_opt_outs,
    count_opt_outs,
    iterate_opt_outs,
    load_opt_out_lists,
    remove_opt_outs,
)
from smsflow_provider.core.store.phones import HIGHEST, LOWEST

ANNA, BEN, CARO = 33612345678, 4917612345678, 447911123456
PHONES = st.integers(min_value=LOWEST, max_value=HIGHEST)

several_times = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def every(store: Store, *, scope: str | None = None, page: int = 2) -> list[OptOut]:
    return [
        entry for entries in iterate_opt_outs(store, scope=scope, page=page) for entry in entries
    ]


def on_list(store: Store, scope: str = "") -> list[int]:
    return load_opt_out_lists(store, [scope])[scope].to_list()


def test_numbers_that_were_added_are_loaded_sorted_and_once(store: Store) -> None:
    assert 3 == add_opt_outs(store, [BEN, ANNA, BEN, CARO])

    assert [ANNA, CARO, BEN] == on_list(store)


def test_a_number_that_is_on_the_list_stays_as_it_is(store: Store) -> None:
    add_opt_outs(store, [ANNA], reason="reply STOP", source="reply")

    assert 1 == add_opt_outs(store, [ANNA, BEN], reason="import", source="file")
    reasons = {entry.phone: (entry.reason, entry.source) for entry in every(store)}
    assert {ANNA: ("reply STOP", "reply"), BEN: ("import", "file")} == reasons


def test_an_empty_list_loads_as_one(store: Store) -> None:
    (loaded,) = load_opt_out_lists(store, [""]).values()

    assert pl.Series("phone", [], dtype=pl.UInt64).equals(loaded)


@pytest.mark.parametrize("wrong", [0, LOWEST - 1, HIGHEST + 1, -ANNA])
def test_a_number_that_is_none_is_refused_with_all_the_others(store: Store, wrong: int) -> None:
    with pytest.raises(StoreError) as caught:
        add_opt_outs(store, [ANNA, wrong])

    assert {"count": 1} == caught.value.facts
    assert str(abs(wrong)) not in str(caught.value) or wrong == 0
    assert 0 == count_opt_outs(store)


def test_removing_takes_off_one_list_only(store: Store) -> None:
    add_opt_outs(store, [ANNA, BEN])
    add_opt_outs(store, [ANNA], scope="programme:news")

    assert 1 == remove_opt_outs(store, [ANNA, CARO])
    assert [BEN] == on_list(store)
    assert [ANNA] == on_list(store, "programme:news")


def test_removing_without_a_scope_takes_off_every_list(store: Store) -> None:
    add_opt_outs(store, [ANNA, BEN])
    add_opt_outs(store, [ANNA], scope="programme:news")

    assert 2 == remove_opt_outs(store, [ANNA], scope=None)
    assert [BEN] == [entry.phone for entry in every(store)]


def test_entries_are_handed_out_in_order_whatever_the_page(store: Store) -> None:
    add_opt_outs(store, [CARO, BEN, ANNA])
    add_opt_outs(store, [ANNA], scope="sender:B", reason="r", source="s")

    expected = [(ANNA, ""), (ANNA, "sender:B"), (CARO, ""), (BEN, "")]
    for page in (1, 2, 3, 100):
        assert expected == [(one.phone, one.scope) for one in every(store, page=page)]
    assert [("r", "s")] == [(one.reason, one.source) for one in every(store, scope="sender:B")]
    assert all(one.created_at is not None for one in every(store))


def test_entries_keep_their_own_scope_reason_and_source(store: Store) -> None:
    given = [
        OptOut(phone=ANNA, reason="said\tso\nin a \\letter", source="mail"),
        OptOut(phone=ANNA, scope="programme:news"),
        OptOut(phone=BEN, scope="programme:é ☎"),
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
    assert str(ANNA) not in repr(OptOut(phone=ANNA, scope="programme:news"))


def test_counting_knows_the_lists(store: Store) -> None:
    add_opt_outs(store, [ANNA, BEN])
    add_opt_outs(store, [ANNA], scope="programme:news")

    assert (3, 2, 1) == (
        count_opt_outs(store),
        count_opt_outs(store, scope=""),
        count_opt_outs(store, scope="programme:news"),
    )


@several_times
@given(phones=st.lists(PHONES, max_size=50))
def test_what_is_loaded_is_what_was_added(store: Store, phones: list[int]) -> None:
    remove_opt_outs(store, on_list(store))

    assert len(set(phones)) == add_opt_outs(store, phones)
    assert sorted(set(phones)) == on_list(store)


def test_half_a_million_numbers_take_seconds(store: Store) -> None:
    phones = range(33600000000, 33600500000)
    start = monotonic()
    assert 500_000 == add_opt_outs(store, phones)
    added_s = monotonic() - start
    assert 500_000 == len(on_list(store))
    loaded_s = monotonic() - start - added_s

    assert added_s < 30
    assert loaded_s < 5


def smsflow(store_dsn: str, *words: str) -> int:
    """Run the command as a person would, on this test's store."""
    return main(["opt-outs", words[0], "--store", store_dsn, *words[1:]])


def written(folder: Path, text: str, *, encoding: str = "utf-8") -> str:
    path = folder / "list.csv"
    path.write_bytes(text.encode(encoding))
    return str(path)


@pytest.mark.parametrize(
    "text",
    [
        f"phone\n+{ANNA}\n+{BEN}\n",
        f"+{ANNA}\n\n+{BEN}",
        f"\ufeffphone\r\n+{ANNA}\r\n+{BEN}\r\n",
        f"name;phone;city\nDupont, Anna;+{ANNA};Lyon\n\nBen;00{BEN};\n",
        f"id\tname\tphone\n1\ta\t+{ANNA}\n2\tb\t+{BEN}",
    ],
)
def test_a_csv_or_a_plain_list_is_imported(
    store: Store, store_dsn: str, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == smsflow(store_dsn, "import", written(tmp_path, text))

    assert [ANNA, BEN] == on_list(store)
    assert "2 added, 0 on the list already.\n" == capsys.readouterr().out
    assert {"import list.csv"} == {entry.source for entry in every(store)}


def test_national_numbers_are_read_with_their_region(
    store: Store, store_dsn: str, tmp_path: Path
) -> None:
    path = written(tmp_path, "06 12 34 56 78\n")

    assert 1 == smsflow(store_dsn, "import", path)
    assert 0 == smsflow(store_dsn, "import", path, "--region", "FR", "--reason", "letter")
    assert [(ANNA, "letter")] == [(one.phone, one.reason) for one in every(store)]


def test_one_bad_row_refuses_the_file_and_every_bad_row_is_named_without_its_number(
    store: Store, store_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, f"id,phone\n1,+{ANNA}\n2,0612345678\n3,\n4,+3361234\n5,anna\xe9\n")

    assert 1 == smsflow(store_dsn, "import", path)
    told = capsys.readouterr()
    assert [
        "line 3: no region (say --region)",
        "line 4: no address",
        "line 5: too short",
        "line 6: letters",
    ] == told.err.splitlines()[:4]
    assert "--skip-bad" in told.err
    assert "61234" not in told.err + told.out
    assert 0 == count_opt_outs(store)


def test_good_rows_are_imported_when_bad_ones_may_be_skipped(
    store: Store, store_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, f"+{ANNA}\n12345\n+{BEN}\n")

    assert 0 == smsflow(store_dsn, "import", path, "--skip-bad")
    assert [ANNA, BEN] == on_list(store)
    assert "2 added, 0 on the list already, 1 bad rows skipped.\n" == capsys.readouterr().out


def test_many_bad_rows_are_counted_beyond_a_hundred(
    store_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 == smsflow(store_dsn, "import", written(tmp_path, "phone\n" + "x\n" * 250))

    assert "... and 150 more" in capsys.readouterr().err


@pytest.mark.parametrize(("text", "problem"), [("", "no number"), ("phone\n", "no number")])
def test_a_file_without_numbers_fails(
    store_dsn: str,
    tmp_path: Path,
    text: str,
    problem: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert 1 == smsflow(store_dsn, "import", written(tmp_path, text))
    assert problem in capsys.readouterr().err


def test_a_missing_column_is_told_with_the_near_one(
    store_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 == smsflow(store_dsn, "import", written(tmp_path, f"id,Phon\n1,+{ANNA}\n"))

    told = capsys.readouterr().err
    assert "no column 'phone' (did you mean 'Phon'?)" in told
    assert "['id', 'Phon']" in told


def test_a_file_of_several_columns_without_a_header_shows_none_of_its_cells(
    store_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 == smsflow(store_dsn, "import", written(tmp_path, f"1,+{ANNA}\n2,+{BEN}\n"))

    told = capsys.readouterr().err
    assert "there is no header" in told
    assert str(ANNA) not in told


def test_a_file_that_is_not_there_is_named(
    store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 == smsflow(store_dsn, "import", "/nowhere/list.csv")
    assert "/nowhere/list.csv" in capsys.readouterr().err


def test_another_encoding_can_be_said(store: Store, store_dsn: str, tmp_path: Path) -> None:
    path = written(tmp_path, f"prénom;phone\nZoé;+{ANNA}\n", encoding="utf-16")

    assert 0 == smsflow(store_dsn, "import", path, "--encoding", "utf-16")
    assert [ANNA] == on_list(store)


def test_what_was_exported_can_be_imported_with_all_its_facts(
    store: Store, store_dsn: str, tmp_path: Path
) -> None:
    add_opt_outs(store, [ANNA, BEN], reason="said, so; é\n☎", source="mail")
    add_opt_outs(store, [ANNA], scope="programme:news")
    before = [(one.phone, one.scope, one.reason) for one in every(store)]
    path = tmp_path / "all.csv"

    assert 0 == smsflow(store_dsn, "export", str(path))
    remove_opt_outs(store, [ANNA, BEN], scope=None)
    assert 0 == smsflow(store_dsn, "import", str(path))
    assert before == [(one.phone, one.scope, one.reason) for one in every(store)]


def test_an_export_is_for_its_owner_only(store: Store, store_dsn: str, tmp_path: Path) -> None:
    add_opt_outs(store, [ANNA])
    path = tmp_path / "all.csv"

    assert 0 == smsflow(store_dsn, "export", str(path))
    assert 0o600 == path.stat().st_mode & 0o777
    assert [path] == list(tmp_path.iterdir())


def test_an_export_of_one_scope_goes_to_stdout(
    store: Store, store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    add_opt_outs(store, [ANNA])
    add_opt_outs(store, [BEN], scope="programme:news", reason="r", source="s")

    assert 0 == smsflow(store_dsn, "export", "--scope", "programme:news")
    header, row = capsys.readouterr().out.splitlines()
    assert "phone,scope,reason,source,created_at" == header
    assert row.startswith(f"+{BEN},programme:news,r,s,20")


def test_numbers_are_added_and_removed_by_hand(
    store: Store, store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == smsflow(store_dsn, "add", f"+{ANNA}", "0612345678", "--region", "FR")
    assert 0 == smsflow(store_dsn, "add", f"+{ANNA}", "--scope", "programme:news")
    assert 0 == smsflow(store_dsn, "remove", f"+{ANNA}")
    assert ["programme:news"] == [one.scope for one in every(store)]
    assert 0 == smsflow(store_dsn, "remove", f"+{ANNA}")
    assert 0 == smsflow(store_dsn, "remove", f"+{ANNA}", "--every-scope")

    assert 0 == count_opt_outs(store)
    told = capsys.readouterr()
    assert "Not on this list; --every-scope takes numbers off all.\n" == told.err
    assert [
        "1 added, 0 on the list already.",
        "1 added, 0 on the list already.",
        "1 removed.",
        "0 removed.",
        "1 removed.",
    ] == told.out.splitlines()


def test_a_bad_number_by_hand_changes_nothing_and_is_named_by_its_place(
    store: Store, store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 == smsflow(store_dsn, "add", f"+{ANNA}", "0612345678")

    assert 0 == count_opt_outs(store)
    assert "number 2: no region (say --region)\n" == capsys.readouterr().err


def test_a_list_of_a_sender_is_one_however_it_is_written(
    store: Store, store_dsn: str, tmp_path: Path
) -> None:
    path = written(tmp_path, f"phone,scope\n+{ANNA},Sender:acme\n+{BEN},programme:VIP\n")

    assert 0 == smsflow(store_dsn, "import", path)
    assert 0 == smsflow(store_dsn, "add", f"+{CARO}", "--scope", "sender:ACME")
    assert [(ANNA, "sender:ACME"), (CARO, "sender:ACME"), (BEN, "programme:vip")] == [
        (one.phone, one.scope) for one in every(store)
    ]
    assert 0 == smsflow(store_dsn, "remove", f"+{ANNA}", "--scope", "sender:Acme")
    assert [CARO, BEN] == [one.phone for one in every(store)]


def test_a_list_that_nobody_asks_takes_no_number(
    store: Store, store_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, f"phone,scope\n+{ANNA},\n+{BEN},senders:ACME\n")

    assert 1 == smsflow(store_dsn, "import", path)
    assert "line 3: an opt-out list of an unknown kind" in capsys.readouterr().err
    assert 1 == smsflow(store_dsn, "add", f"+{ANNA}", "--scope", "program:vip")
    assert "did you mean 'programme:'?" in capsys.readouterr().err
    assert 0 == count_opt_outs(store)


def test_lists_are_loaded_each_for_itself(store: Store) -> None:
    add_opt_outs(store, [CARO, ANNA, BEN])
    add_opt_outs(store, [BEN, ANNA], scope="sender:ACME")
    add_opt_outs(store, [BEN], scope="programme:news")
    wanted = ["", "sender:ACME", "programme:vip"]

    for rows in (1, 2, 3, 100):
        lists = load_opt_out_lists(store, wanted, rows=rows)
        assert wanted == list(lists)
        assert [[ANNA, CARO, BEN], [ANNA, BEN], []] == [one.to_list() for one in lists.values()]
        assert {pl.UInt64} == {one.dtype for one in lists.values()}


@pytest.mark.parametrize("sender", ["ACME SHOPPING", "Café", "12", "!", "1234567890123456"])
def test_a_sender_that_no_text_can_come_from_has_no_list(
    store: Store,
    store_dsn: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    sender: str,
) -> None:
    path = written(tmp_path, f"phone,scope\n+{ANNA},sender:{sender}\n")

    assert 1 == smsflow(store_dsn, "add", f"+{ANNA}", "--scope", f"sender:{sender}")
    assert "no text can come from this sender: it has " in capsys.readouterr().err
    assert 1 == smsflow(store_dsn, "import", str(path))
    assert "line 2: no text can come from this sender" in capsys.readouterr().err
    assert [] == every(store)
