"""Retention: files first, whole and read back, then the rows go at once; nothing is ever lost."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import polars as pl
import pytest

from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.delivery.resend import resend
from smsflow_provider.core.delivery.why import why
from smsflow_provider.core.errors import (
    IllegalMoveError,
    NotFoundError,
    StoreError,
    SupersededError,
)
from smsflow_provider.core.model import OutcomeKind, ReceiptKind
from smsflow_provider.core.preparation.preview import preview
from smsflow_provider.core.store.archive import (
    archive,
    check_kept,
    due_archives,
    find_archive,
    prune_strays,
)
from smsflow_provider.core.store.archive_files import FILES, check_rows, writing
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.core.store.receipts import (
    ReceivedReceipt,
    append_receipts,
    apply_all_receipts,
)
from smsflow_provider.testing.gateway import RecordingGateway
from tests.prepared_delivery import approve, make_prepared
from tests.sending import check_sums, run_send

#: A person whose number and text stand nowhere else.
PHONE = 33600000001


def make_finished(store: Store, *, count: int = 5, delivery_id: str = "d1") -> Delivery:
    """Send a delivery to its end."""
    make_prepared(store, count=count, delivery_id=delivery_id)
    approve(store, delivery_id)
    run_send(store, RecordingGateway(), delivery_id)
    return find_delivery(store, delivery_id)


def report_back(store: Store, delivery: Delivery, position: int, *, apply: bool = True) -> None:
    """Let a receipt come in."""
    receipt = ReceivedReceipt(
        message_id=f"{delivery.no:x}-{delivery.preparation:x}-{position:x}",
        kind=ReceiptKind.DELIVERED,
        code="000",
        gateway_ref="g",
        received_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
        conn_type="sms_simulator",
    )
    with store.transaction() as connection:
        append_receipts(connection, [receipt])
    if apply:
        apply_all_receipts(store)


def age(store: Store, days: int, *, delivery_id: str = "d1") -> None:
    """Let a delivery have ended so many days ago."""
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_deliveries SET moved_at = moved_at - %s * interval '1 day',"
            " ended_at = ended_at - %s * interval '1 day' WHERE id = %s",
            (days, days, delivery_id),
        )


def partitions_of(store: Store, delivery: Delivery) -> list[str]:
    """Name the tables that hold the rows of a delivery."""
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE %s ORDER BY 1",
            (f"smsflow_%_p{delivery.preparation}",),
        ).fetchall()
    return [row["relname"] for row in rows]


def read(place: str, kind: str) -> pl.DataFrame:
    return pl.read_parquet(Path(place) / f"{kind}.parquet")


def test_the_files_hold_every_row_with_what_became_of_it(store: Store, tmp_path: Path) -> None:
    delivery = make_finished(store, count=5)
    report_back(store, delivery, 2)

    result = archive(store, "d1", folder=tmp_path)

    messages, attempts = read(result.uri, "messages"), read(result.uri, "attempts")
    assert {"messages": 5, "attempts": 5, "receipt_parts": 0, "exclusions": 3} == result.rows
    assert [33600000000 + n for n in range(1, 6)] == messages["phone"].to_list()
    assert [f"Hello {n}" for n in range(1, 6)] == messages["body"].to_list()
    expected = ["accepted", "delivered", "accepted", "accepted", "accepted"]
    assert expected == messages["state"].to_list()
    assert "delivered" == messages["receipt"][1]
    assert datetime(2026, 11, 22, 12, tzinfo=UTC) == messages["received_at"][1]
    assert ["accepted"] * 5 == attempts["outcome"].to_list()
    assert {"d1"} == set(messages["delivery"])
    assert ["invalid_number", "invalid_number", "opted_out"] == read(result.uri, "exclusions")[
        "reason"
    ].to_list()


def test_the_rows_are_gone_and_the_figures_stay(store: Store, tmp_path: Path) -> None:
    delivery = make_finished(store)
    report_back(store, delivery, 2)
    before = report(store, "d1")

    result = archive(store, "d1", folder=tmp_path)

    after = report(store, "d1")
    assert [] == partitions_of(store, delivery)
    assert result.uri == after.pop("archived")["uri"]
    assert before == after
    check_sums(after)


def test_the_causes_of_failures_stay_too(store: Store, tmp_path: Path) -> None:
    make_prepared(store, count=4)
    approve(store)
    run_send(store, RecordingGateway(), allowed=frozenset({PHONE}))
    before = report(store, "d1")["causes"]

    archive(store, "d1", folder=tmp_path)

    assert [{"kind": "cancelled", "code": "not_on_allow_list", "messages": 3}] == before
    assert before == report(store, "d1")["causes"]


def test_who_asks_why_learns_where_the_messages_went(store: Store, tmp_path: Path) -> None:
    delivery = make_finished(store)
    result = archive(store, "d1", folder=tmp_path)

    answer = why(store, "d1", phone=PHONE)

    assert [] == answer["messages"]
    assert result.uri == answer["archived"]["uri"]
    with pytest.raises(NotFoundError, match="are archived") as caught:
        check_kept(store, "d1", delivery.preparation)
    assert result.uri == caught.value.facts["archive"]


def test_whoever_wants_to_read_archived_messages_is_told(store: Store, tmp_path: Path) -> None:
    make_finished(store)
    result = archive(store, "d1", folder=tmp_path)

    with pytest.raises(NotFoundError, match="are archived") as caught:
        preview(store, "d1")

    assert result.uri == caught.value.facts["archive"]


def test_an_archived_delivery_is_never_sent_again(store: Store, tmp_path: Path) -> None:
    make_finished(store)
    archive(store, "d1", folder=tmp_path)
    gateway = RecordingGateway()

    after = run_send(store, gateway)

    assert ("finished", 5) == (after["state"], after["accepted"])
    assert [] == gateway.batches
    with pytest.raises(IllegalMoveError):
        resend(store, "d1", kinds=frozenset({OutcomeKind.FAILED}), actor="me")


def test_a_receipt_after_the_archive_is_a_stray(store: Store, tmp_path: Path) -> None:
    delivery = make_finished(store)
    archive(store, "d1", folder=tmp_path)
    before = report(store, "d1")

    report_back(store, delivery, 1)

    assert before == report(store, "d1")
    with store.transaction() as connection:
        strays = connection.execute("SELECT problem FROM smsflow_stray_receipts").fetchall()
    assert 1 == len(strays)


def test_an_archive_is_for_its_owner_only(store: Store, tmp_path: Path) -> None:
    make_finished(store)
    result = archive(store, "d1", folder=tmp_path)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in Path(result.uri).iterdir()}
    assert {0o600} == modes
    assert sorted(f"{kind}.parquet" for kind in FILES) == sorted(
        path.name for path in Path(result.uri).iterdir()
    )


def test_without_a_folder_the_rows_are_dropped_without_files(store: Store) -> None:
    delivery = make_finished(store)

    result = archive(store, "d1", folder=None)

    assert ("", {}) == (result.uri, result.rows)
    assert [] == partitions_of(store, delivery)
    found = find_archive(store, delivery.preparation)
    assert found is not None
    assert "" == found.uri


def test_what_has_not_ended_is_not_archived(store: Store, tmp_path: Path) -> None:
    make_prepared(store, count=2)
    approve(store)

    with pytest.raises(IllegalMoveError, match="has ended") as caught:
        archive(store, "d1", folder=tmp_path)

    assert {"states": {"d1": "approved"}} == caught.value.facts
    assert [] == list(tmp_path.iterdir())


def test_archiving_again_says_that_nothing_is_there(store: Store, tmp_path: Path) -> None:
    make_finished(store)
    first = archive(store, "d1", folder=tmp_path)

    with pytest.raises(NotFoundError, match="not there"):
        archive(store, "d1", folder=tmp_path)

    assert 5 == read(first.uri, "messages").height


def test_nothing_is_archived_while_receipts_wait(store: Store, tmp_path: Path) -> None:
    delivery = make_finished(store)
    report_back(store, delivery, 1, apply=False)

    with pytest.raises(SupersededError, match="receipts wait"):
        archive(store, "d1", folder=tmp_path)
    assert 5 == len(partitions_of(store, delivery))


def test_one_archives_at_a_time(store: Store, tmp_path: Path) -> None:
    delivery = make_finished(store)
    with store.connect() as other:
        other.execute("SELECT pg_advisory_lock(hashtext('smsflow archive'))")
        with pytest.raises(SupersededError, match="another process is archiving"):
            archive(store, "d1", folder=tmp_path)

    assert 5 == len(partitions_of(store, delivery))
    assert 5 == archive(store, "d1", folder=tmp_path).rows["messages"]


class Meddling:
    """A folder in which something happens when a file is put in place or read back."""

    def __init__(self, path: Path, act: Any, *, when: str) -> None:
        self._path, self._act, self._when = path, act, when

    def __truediv__(self, name: str) -> Self:
        return type(self)(self._path / name, self._act, when=self._when)

    def __str__(self) -> str:
        return str(self._path)

    def mkdir(self, *, parents: bool, exist_ok: bool) -> None:
        self._path.mkdir(parents=parents, exist_ok=exist_ok)

    def open(self, mode: str) -> Any:
        if self._when == mode and "exclusions" in self._path.name:
            self._act()
        return self._path.open(mode)

    def rename(self, target: Any) -> Any:
        if self._when == "rename" and "exclusions" in self._path.name:
            self._act()
        return self._path.rename(str(target))

    def unlink(self, missing_ok: bool = False) -> None:  # noqa: FBT001, FBT002  as pathlib has it
        self._path.unlink(missing_ok)


class KilledError(BaseException):
    """Stands for the end of the process."""


def _killed() -> None:
    raise KilledError


@pytest.mark.parametrize("when", ["wb", "rename", "rb"])
def test_killed_at_any_point_it_loses_nothing_and_goes_on(
    store: Store, tmp_path: Path, when: str
) -> None:
    delivery = make_finished(store)
    before = report(store, "d1")

    with pytest.raises(KilledError):
        archive(store, "d1", folder=Meddling(tmp_path, _killed, when=when))

    assert 5 == len(partitions_of(store, delivery))
    assert before == report(store, "d1")
    assert 5 == archive(store, "d1", folder=tmp_path).rows["messages"]
    assert [] == partitions_of(store, delivery)


def test_a_receipt_that_comes_meanwhile_keeps_the_rows(store: Store, tmp_path: Path) -> None:
    delivery = make_finished(store)
    late: Iterator[int] = iter([3])

    def receive() -> None:
        for position in late:
            report_back(store, delivery, position)

    with pytest.raises(SupersededError, match="changed while it was archived"):
        archive(store, "d1", folder=Meddling(tmp_path, receive, when="rb"))

    assert 5 == len(partitions_of(store, delivery))
    result = archive(store, "d1", folder=tmp_path)
    assert "delivered" == read(result.uri, "messages")["state"][2]


def test_tables_in_use_are_left_for_the_next_time(store: Store, tmp_path: Path) -> None:
    delivery = make_finished(store)
    with store.connect() as reader:
        reader.execute("SELECT 1 FROM smsflow_messages LIMIT 1")
        with pytest.raises(SupersededError, match="in use"):
            archive(store, "d1", folder=tmp_path)

    assert 5 == len(partitions_of(store, delivery))
    assert find_archive(store, delivery.preparation) is None


def test_a_file_that_is_not_what_was_written_keeps_the_rows(tmp_path: Path) -> None:
    with writing(tmp_path, "exclusions") as file:
        file.add("d1", 1, [(1, None, "r", "no_address", "", None)])

    check_rows(tmp_path, {"exclusions": 1})
    with pytest.raises(StoreError, match="not what was written"):
        check_rows(tmp_path, {"exclusions": 2})
    (tmp_path / "exclusions.parquet").write_bytes(b"PAR1")
    with pytest.raises(StoreError, match="cannot be read back"):
        check_rows(tmp_path, {"exclusions": 1})
    with pytest.raises(StoreError, match="cannot be read back"):
        check_rows(tmp_path, {"messages": 1})


def test_several_small_deliveries_share_their_files(store: Store, tmp_path: Path) -> None:
    for name in ("d1", "d2", "d3"):
        make_finished(store, count=2, delivery_id=name)

    result = archive(store, "d3", "d1", "d2", folder=tmp_path)

    assert ("d1", "d2", "d3") == result.deliveries
    assert 6 == result.rows["messages"]
    assert ["d1", "d1", "d2", "d2", "d3", "d3"] == read(result.uri, "messages")[
        "delivery"
    ].to_list()
    assert 1 == len(list(tmp_path.iterdir()))


def test_due_is_what_ended_long_enough_ago(store: Store) -> None:
    for name in ("d1", "d2"):
        make_finished(store, count=1, delivery_id=name)
    make_prepared(store, count=1, delivery_id="d3")
    for name, days in (("d1", 31), ("d2", 29), ("d3", 400)):
        age(store, days, delivery_id=name)

    assert ["d1"] == due_archives(store, days=30).campaigns
    archive(store, "d1", folder=None)
    assert [] == due_archives(store, days=30).campaigns


def test_receipts_have_their_seven_days(store: Store) -> None:
    with pytest.raises(ValueError, match="8 days at the least"):
        due_archives(store, days=7)


def test_texts_stay_as_long_as_a_pressure_rule_counts_them(store: Store) -> None:
    make_finished(store, count=1)
    age(store, 40)
    make_prepared(store, count=1, delivery_id="d2")
    with store.transaction() as connection:
        connection.execute(
            'UPDATE smsflow_deliveries SET settings = settings || \'{"typology": {"rules":'
            ' [{"kind": "filter"}, {"kind": "pressure", "days": 60}]}}\' WHERE id = \'d2\''
        )

    assert [] == due_archives(store, days=30).campaigns
    age(store, 22)
    assert ["d1"] == due_archives(store, days=30).campaigns


def test_direct_texts_are_due_by_themselves(store: Store) -> None:
    make_finished(store, count=1)
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_deliveries SET kind = 'direct'")
    age(store, 9)

    due = due_archives(store, days=8)

    assert ([], ["d1"]) == (due.campaigns, due.small)


def test_old_strays_are_forgotten(store: Store) -> None:
    delivery = make_finished(store, count=1)
    report_back(store, delivery, 99)
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_stray_receipts SET received_at = now() - interval '31 days'"
        )

    assert 0 == prune_strays(store, days=32)
    assert 1 == prune_strays(store, days=30, batch_size=1)


def test_a_larger_delivery_is_written_in_pieces(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_finished(store, count=2500)
    monkeypatch.setattr("smsflow_provider.core.store.archive._ROWS", 700)

    result = archive(store, "d1", folder=tmp_path)

    assert list(range(1, 2501)) == read(result.uri, "messages")["position"].to_list()
