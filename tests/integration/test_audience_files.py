"""Files of audiences: known before they are there, and removed when nothing needs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest

from smsflow_provider.cli.main import main
from smsflow_provider.core.audience.place import remove_whole
from smsflow_provider.core.audience.reference import AudienceReference
from smsflow_provider.core.audience.saved import find_saved, save
from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.delivery.maintain import Chore, Upkeep, maintain
from smsflow_provider.core.errors import AudienceError, ConfigError, IllegalMoveError, NotFoundError
from smsflow_provider.core.model import Origin
from smsflow_provider.core.store.audience_files import (
    announce_file,
    find_file,
    find_run_file,
    iterate_files,
    purge_files,
    register_file,
    write_announced,
)
from smsflow_provider.core.store.audiences import delete_audience, find_audience, list_versions
from smsflow_provider.core.store.connection import Store

TASK = Origin(dag_id="team.sale", run_id="r1", task_id="who")


def reference(uri: str = "file:///a/1.parquet", count: int = 3) -> AudienceReference:
    return AudienceReference(uri=uri, count=count, fingerprint="ab" * 32)


@dataclass
class Bin:
    """Takes URIs away; *broken* ones cannot be."""

    broken: dict[str, Exception] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)

    def __call__(self, uri: str) -> None:
        if uri in self.broken:
            raise self.broken[uri]
        self.gone.append(uri)


def purge(store: Store, remove: Callable[[str], None], *, days: int = 8, later: int = 9) -> int:
    return purge_files(store, days=days, now=utc_now() + timedelta(days=later), remove=remove)


def delivery(store: Store, uri: str, state: str) -> None:
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO smsflow_deliveries (id, kind, label, audience, state)"
            " VALUES (%s, 'campaign', 'x', jsonb_build_object('uri', %s::text), %s)",
            (f"d-{state}", uri, state),
        )


def test_the_newest_whole_file_of_a_task_is_found(store: Store) -> None:
    announce_file(store, "file:///a/1.parquet", by=TASK)
    assert find_run_file(store, by=TASK) is None

    made = {"source": "sql", "label": "crm"}
    register_file(store, reference(), by=TASK, made=made)
    found = find_run_file(store, by=TASK)
    assert found is not None
    assert (TASK, 3, "ab" * 32, made) == (found.by, found.count, found.fingerprint, found.made)
    assert find_run_file(store, by=replace(TASK, run_id="r2")) is None
    assert find_run_file(store, by=replace(TASK, map_index=0)) is None
    assert [found] == list(iterate_files(store))
    with pytest.raises(NotFoundError):
        find_file(store, "file:///a/2.parquet")


def test_what_is_old_goes_once_also_what_was_only_announced(store: Store) -> None:
    register_file(store, reference())
    announce_file(store, "file:///a/killed.parquet", by=TASK)
    bin_ = Bin()

    assert (0, 0) == (purge(store, bin_, later=7), purge(store, bin_, days=0))
    assert 2 == purge(store, bin_)
    assert 0 == purge(store, bin_)
    assert {"file:///a/1.parquet", "file:///a/killed.parquet"} == set(bin_.gone)
    assert [] == list(iterate_files(store))
    assert find_file(store, "file:///a/1.parquet").purged_at is not None
    with pytest.raises(ConfigError):
        purge(store, bin_, days=7)


@pytest.mark.parametrize(
    ("state", "stays"),
    [
        ("preparing", True),
        ("ready", True),
        ("approved", True),
        ("sending", True),
        ("paused", True),
        ("finished", False),
        ("rejected", False),
        ("preparation_failed", False),
    ],
)
def test_a_file_of_a_delivery_under_way_stays(store: Store, state: str, stays: bool) -> None:  # noqa: FBT001
    register_file(store, reference())
    delivery(store, reference().uri, state)

    assert (0 if stays else 1) == purge(store, Bin())


def test_a_file_of_any_saved_version_stays_until_that_is_deleted(store: Store) -> None:
    register_file(store, reference())
    save(store, "vip", reference())
    save(store, "vip", reference("file:///a/2.parquet"))
    assert 0 == purge(store, Bin())

    delete_audience(store, "vip", version=1)
    assert 1 == purge(store, Bin())


def test_a_removed_file_cannot_be_saved_any_more(store: Store) -> None:
    register_file(store, reference())
    purge(store, Bin())
    with pytest.raises(NotFoundError, match="removed by retention"):
        save(store, "vip", reference())


def test_somebody_who_saves_a_file_just_before_it_goes_keeps_it(store: Store) -> None:
    """The saver holds the row; retention passes over it, and looks again once it has the row."""
    register_file(store, reference())
    bin_ = Bin()
    with store.transaction() as connection:
        connection.execute("SELECT FROM smsflow_audience_files FOR SHARE")
        assert 0 == purge(store, bin_)
    save(store, "vip", reference())

    assert 0 == purge(store, bin_)
    assert [] == bin_.gone


def test_a_file_that_cannot_go_holds_no_other_up_and_goes_later(store: Store) -> None:
    for n in (1, 2, 3):
        register_file(store, reference(f"file:///a/{n}.parquet"))
    broken: dict[str, Exception] = {
        "file:///a/1.parquet": PermissionError(13, "Permission denied"),
        "file:///a/2.parquet": RuntimeError("+33612345678"),
    }
    upkeep = Upkeep(
        audience_days=8, remove_file=Bin(broken), now=lambda: utc_now() + timedelta(days=9)
    )
    (done,) = maintain(store, upkeep, only=[Chore.AUDIENCES])

    assert "Permission denied" in done.problem
    assert "RuntimeError" in done.problem
    assert "+336" not in done.problem
    assert ["file:///a/1.parquet", "file:///a/2.parquet"] == [
        one.uri for one in iterate_files(store)
    ]
    assert 2 == purge(store, Bin())


def test_killed_between_the_file_and_its_row_the_next_call_ends_it(
    store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "run" / "who.parquet"
    path.parent.mkdir()
    path.with_name("who.parquet.part").touch()
    register_file(store, reference(f"file://{path}"))

    assert 1 == purge(store, lambda _: remove_whole(path))
    assert not path.parent.exists()
    assert tmp_path.exists()


def test_the_command_removes_files_of_this_machine(
    store: Store, store_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "who.parquet"
    path.touch()
    register_file(store, reference(f"file://{path}"))
    register_file(store, reference("s3://bucket/who.parquet"))
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_audience_files SET created_at = created_at - interval '9 days'"
        )

    words = ["maintain", "--only", "audiences", "--audience-days", "8", "--store", store_dsn]
    assert 1 == main(words)
    assert "in an object storage" in capsys.readouterr().out
    assert not path.exists()
    assert ["s3://bucket/who.parquet"] == [one.uri for one in iterate_files(store)]


def test_a_deleted_version_is_not_found_and_the_one_before_it_is_the_newest(store: Store) -> None:
    for n in (1, 2, 3):
        save(store, "vip", reference(f"file:///a/{n}.parquet", count=n), description="x" * n)
    assert [3] == delete_audience(store, "vip", version=3)

    assert 2 == find_saved(store, "vip").count
    with pytest.raises(NotFoundError, match="was deleted") as caught:
        find_saved(store, "vip@3")
    assert "deleted_at" in caught.value.facts
    assert [2, 1] == [one.version for one in list_versions(store, "vip")]
    assert 4 == save(store, "vip", reference(count=9))
    assert "xx" == find_audience(store, "vip").description


def test_a_whole_name_is_deleted_and_may_be_used_again(store: Store) -> None:
    save(store, "vip", reference())
    save(store, "vip", reference())
    assert [1, 2] == delete_audience(store, "vip", version=None)

    for again in (1, 2):
        with pytest.raises(NotFoundError):
            delete_audience(store, "vip", version=None if again == 1 else 2)
    assert 3 == save(store, "vip", reference())


@pytest.mark.parametrize("state", ["preparing", "ready", "approved", "sending", "paused"])
def test_a_version_that_a_delivery_under_way_was_made_from_is_not_deleted(
    store: Store, state: str
) -> None:
    save(store, "vip", reference())
    save(store, "vip", reference("file:///a/2.parquet"))
    delivery(store, "file:///a/2.parquet", state)

    for version in (2, None):
        with pytest.raises(IllegalMoveError) as caught:
            delete_audience(store, "vip", version=version)
        assert {f"d-{state}": state} == caught.value.facts["deliveries"]
    assert [1] == delete_audience(store, "vip", version=1)


def test_an_upgrade_knows_the_files_of_the_version_before_and_nobody_elses(store: Store) -> None:
    """Only names that a build task gives: a reference may also name a file of the user's own."""
    step = import_module("smsflow_provider.core.store.migrations.versions.0004_audiences")
    ours, theirs = f"file:///a/d/r/who.1-{'0a' * 16}.parquet", "s3://crm/people.parquet"
    with store.transaction() as connection:
        connection.execute(step.DOWNGRADE)
        for version, uri in enumerate((ours, ours, theirs), start=1):
            connection.execute(
                "INSERT INTO smsflow_audiences (name, version, uri, row_count, columns,"
                " fingerprint, created_at) VALUES ('vip', %s, %s, 3, '[]', 'ab', '2026-01-02')",
                (version, uri),
            )
        connection.execute(
            "INSERT INTO smsflow_deliveries (id, kind, label, state, audience) VALUES"
            " ('d', 'campaign', 'x', 'finished',"
            "  jsonb_build_object('uri', %s::text, 'count', 3, 'fingerprint', 'ab'))",
            (ours.replace("who", "others"),),
        )
        connection.execute(step.UPGRADE)

    known = [(one.uri, one.count) for one in iterate_files(store)]
    assert [(ours, 3), (ours.replace("who", "others"), 3)] == known
    assert 2026 == find_audience(store, "vip").built_at.year
    assert find_audience(store, "vip").built_at == find_audience(store, "vip").created_at


def test_nobody_waits_for_a_file_whose_people_could_not_be_read(store: Store) -> None:
    def refuse() -> None:
        assert ["file:///a/1.parquet"] == [file.uri for file in iterate_files(store)]
        raise AudienceError("the file has lines that cannot be read")

    with pytest.raises(AudienceError, match="lines"):
        write_announced(store, "file:///a/1.parquet", refuse, by=TASK)
    assert [] == list(iterate_files(store))


def test_nobody_waits_for_a_file_of_nobody(store: Store) -> None:
    assert write_announced(store, "file:///a/1.parquet", lambda: None, by=TASK) is None
    assert [] == list(iterate_files(store))


def test_a_file_whose_writer_broke_otherwise_may_be_there_in_part(store: Store) -> None:
    def fail() -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        write_announced(store, "file:///a/1.parquet", fail, by=TASK)
    assert ["file:///a/1.parquet"] == [file.uri for file in iterate_files(store)]
