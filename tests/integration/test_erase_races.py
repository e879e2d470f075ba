"""Erasing while others write, read, save and archive; and killed at every call."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import pytest

from smsflow_provider.core.audience.build import build_audience
from smsflow_provider.core.audience.read import AudienceFile
from smsflow_provider.core.audience.reference import AudienceReference
from smsflow_provider.core.audience.saved import SavedBy, find_saved, save
from smsflow_provider.core.audience.saved_changes import SavedFiles, append_people
from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.delivery.erase import KeptFiles, erase
from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.errors import NotFoundError, StoreError
from smsflow_provider.core.model import Origin
from smsflow_provider.core.store.archive import archive
from smsflow_provider.core.store.audience_files import announce_file, iterate_files
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.erased import erased_among, remember_erased
from smsflow_provider.core.store.erasure import archives_held
from smsflow_provider.core.store.opt_outs import add_opt_outs
from smsflow_provider.testing.gateway import RecordingGateway
from tests.core.audience.people import ListSource, open_local
from tests.integration.test_erase import (
    FILES,
    PERSON,
    PHONE,
    everything,
    forget,
    places_of,
    saved_audience,
)
from tests.prepared_delivery import approve, make_prepared
from tests.sending import check_sums, run_send

PEOPLE = (("a", "0600000002"), ("b", "0600000003"))


def finished(store: Store, delivery_id: str) -> None:
    make_prepared(store, count=3, delivery_id=delivery_id)
    approve(store, delivery_id)
    run_send(store, RecordingGateway(), delivery_id)


def people_of(reference: AudienceReference) -> list[str]:
    """Read ids, with the content checked."""
    file = AudienceFile(reference=reference, open_file=open_local)
    return [row[0] for frame in file.frames() for row in frame.rows()]


def once(act: Callable[[], object]) -> Callable[[str], None]:
    """Do something at the first call, and nothing at the others."""
    left = [act]

    def called(_: str) -> None:
        while left:
            left.pop()()

    return called


def test_killed_at_every_call_it_ends_and_nothing_is_counted_otherwise(
    store: Store, store_dsn: str, tmp_path: Path
) -> None:
    for each in ("d1", "d2"):
        finished(store, each)
    archive(store, "d2", folder=tmp_path)
    add_opt_outs(store, [PHONE])
    saved_audience(store, tmp_path, *PEOPLE)
    before = [report(store, each) for each in ("d1", "d2")]

    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.killed_erase", store_dsn, str(PHONE)],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert int(done.stdout) > 20
    assert () == forget(store).removed
    assert str(PHONE) not in everything(store)
    assert [PHONE] == erased_among(store, [PHONE])
    assert before == [report(store, each) for each in ("d1", "d2")]
    check_sums(report(store, "d1"))
    assert ["b"] == people_of(find_saved(store, "vip"))
    for path in tmp_path.rglob("*.parquet"):
        assert PHONE.to_bytes(8, "little") not in path.read_bytes()


def test_who_is_appended_from_the_old_file_meanwhile_is_erased_too(
    store: Store, tmp_path: Path
) -> None:
    saved_audience(store, tmp_path, *PEOPLE)
    source = ListSource(names=("recipient_id", "phone"), lists=([("c", "0600000004")],))
    more = build_audience(source, target=tmp_path / "more.parquet")
    assert more is not None
    files = SavedFiles(folder=tmp_path, open_file=open_local)
    append = once(lambda: append_people(store, "vip", more, files=files, by=SavedBy()))

    def open_file(uri: str) -> BinaryIO:
        append(uri)
        return open_local(uri)

    assert erase(store, PERSON, files=replace(FILES, open_file=open_file)).is_complete
    assert ["b", "c"] == people_of(find_saved(store, "vip@2"))
    assert ["b"] == people_of(find_saved(store, "vip@1"))
    assert () == forget(store).removed


def test_two_who_erase_at_once_erase_both(store: Store, tmp_path: Path) -> None:
    """The second begins when the first has counted, and so replaces a file that goes."""
    saved_audience(store, tmp_path, *PEOPLE, ("c", "0600000004"))
    other = replace(PERSON, phone=PHONE + 1, writings=(str(PHONE + 1), "600000003"), ids=())
    again = once(lambda: erase(store, other, files=FILES))

    def remove(uri: str) -> None:
        again(uri)
        FILES.remove(uri)

    erase(store, PERSON, files=replace(FILES, remove=remove))
    assert ["c"] == people_of(find_saved(store, "vip"))
    for file in iterate_files(store):
        held = AudienceReference(uri=file.uri, count=file.count, fingerprint=file.fingerprint)
        assert ["c"] == people_of(held)


def test_nobody_saves_a_file_that_was_replaced(store: Store, tmp_path: Path) -> None:
    old = saved_audience(store, tmp_path, *PEOPLE)
    refused = list[str]()

    def remove(uri: str) -> None:
        with pytest.raises(NotFoundError, match="a person was erased") as caught:
            save(store, "late", old)
        refused.append(str(caught.value))
        FILES.remove(uri)

    assert erase(store, PERSON, files=replace(FILES, remove=remove)).is_complete
    assert 1 == len(refused)


def test_what_is_being_written_is_left_and_what_a_killed_writer_left_goes(
    store: Store, tmp_path: Path
) -> None:
    target = tmp_path / "x.parquet"
    announce_file(store, f"file://{target}", by=Origin())
    part = tmp_path / "x.parquet.part"
    part.write_text(str(PHONE))

    assert ["it is being written"] == [one.why for one in forget(store).left]
    files = KeptFiles(
        open_file=open_local, at=FILES.at, remove=lambda _: part.unlink(missing_ok=True)
    )
    later = utc_now() + timedelta(days=2)
    assert erase(store, PERSON, files=files, now=lambda: later, dry_run=True).is_complete
    assert part.exists()
    assert erase(store, PERSON, files=files, now=lambda: later).is_complete
    assert not part.exists()
    assert [] == list(iterate_files(store))


def test_archives_have_one_writer_at_a_time(store: Store, tmp_path: Path) -> None:
    finished(store, "d1")
    uri = archive(store, "d1", folder=tmp_path).uri

    with archives_held(store) as are_ours:
        assert are_ours
        assert [("archives", "another process writes them")] == [
            (one.what, one.why) for one in forget(store).left
        ]
    assert {f"archive {uri}": 1} == places_of(forget(store))


def test_without_the_key_nobody_is_texted_and_no_other_key_is_made(store: Store) -> None:
    remember_erased(store, PHONE)
    make_prepared(store, count=3)
    approve(store)
    with store.transaction() as connection:
        connection.execute("DELETE FROM smsflow_erasure_key")

    gateway = RecordingGateway()
    for act in (
        lambda: erased_among(store, [PHONE]),
        lambda: remember_erased(store, PHONE + 1),
        lambda: run_send(store, gateway),
    ):
        with pytest.raises(StoreError, match="the key that knows them is lost"):
            act()
    assert [] == gateway.messages
