"""Versions made of versions: appended to, reduced, by several at once, and killed in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from smsflow_provider.core.audience.reference import AudienceReference
from smsflow_provider.core.audience.saved import SavedBy, find_saved, save
from smsflow_provider.core.audience.saved_changes import (
    Change,
    SavedFiles,
    append_people,
    remove_people,
)
from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.errors import AudienceError, NotFoundError
from smsflow_provider.core.store.audience_files import iterate_files
from smsflow_provider.core.store.audiences import Action, find_audience, list_versions
from smsflow_provider.core.store.connection import Store
from tests.core.audience.people import CONTINUE, built, open_local, rows_of

ANN = SavedBy(actor="ann")


@dataclass(frozen=True)
class Desk:
    """A store, a folder, and audiences by their rows."""

    store: Store
    folder: Path

    @property
    def files(self) -> SavedFiles:
        return SavedFiles(folder=self.folder, open_file=open_local)

    def made(self, *rows: tuple[Any, ...], names: tuple[str, ...] = ("id", "phone", "x")) -> Any:
        own = self.folder / f"{len(list(self.folder.iterdir()))}"
        own.mkdir()
        key = "id" if "id" in names else None
        return built(own, names, [*rows], id_column=key, on_empty=CONTINUE)

    def append(self, people: AudienceReference, name: str = "vip", **more: Any) -> Change:
        return append_people(self.store, name, people, files=self.files, by=ANN, **more)

    def remove(self, people: Any, name: str = "vip") -> Change:
        return remove_people(self.store, name, people, files=self.files, by=ANN)

    def rows(self, name: str = "vip") -> list[tuple[Any, ...]]:
        return rows_of(find_saved(self.store, name))


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path)


def test_who_is_appended_comes_last_and_replaces_the_same_id_and_the_same_phone(desk: Desk) -> None:
    old = desk.made(("a", "+33 6 1", 1), ("b", "+33 6 2", 2), ("c", "+33 6 3", 3), ("d", None, 4))
    save(desk.store, "vip", old, description="our best")
    change = desk.append(desk.made(("b", "+33 6 9", 20), ("z", "003361", 10), ("e", None, 5)))

    assert Change(name="vip", version=2, count=5, added=3, removed=2) == change
    assert [
        ("c", "+33 6 3", 3),
        ("d", None, 4),
        ("b", "+33 6 9", 20),
        ("z", "003361", 10),
        ("e", None, 5),
    ] == desk.rows()
    found = find_audience(desk.store, "vip")
    assert (Action.APPEND, "ann", "our best") == (found.action, found.actor, found.description)
    assert rows_of(old) == desk.rows("vip@1")


def test_two_rows_of_one_person_stay_two_on_either_side(desk: Desk) -> None:
    save(desk.store, "vip", desk.made(("a", "1", 1), ("a", "1", 2)))
    desk.append(desk.made(("b", "2", 3), ("b", "2", 4)))

    assert [1, 2, 3, 4] == [row[2] for row in desk.rows()]


def test_row_numbers_identify_nobody_so_phones_do_and_rows_are_numbered_anew(desk: Desk) -> None:
    names = ("phone", "x")
    save(desk.store, "vip", desk.made(("06 1", 1), ("06 2", 2), ("06 3", 3), names=names))
    change = desk.append(desk.made(("062", 20), ("064", 4), names=names))

    assert (2, 1) == (change.added, change.removed)
    assert [("1", "06 1", 1), ("2", "06 3", 3), ("3", "062", 20), ("4", "064", 4)] == desk.rows()
    assert 3 == desk.append(desk.made(("06 5", 5), names=names)).version
    with pytest.raises(AudienceError, match="ids of people, and the other row numbers"):
        desk.append(desk.made(("a", "067", 7)))


def test_other_columns_are_refused_with_the_near_name(desk: Desk) -> None:
    save(desk.store, "vip", desk.made(("a", "1", "Zoé"), names=("id", "phone", "first_name")))
    with pytest.raises(AudienceError, match="same columns") as caught:
        desk.append(desk.made(("b", "2", "Ben"), names=("id", "phone", "fist_name")))

    assert [
        "there is no column 'first_name' (did you mean 'fist_name'?)",
        "vip has no column 'fist_name'",
    ] == caught.value.facts["problems"]
    assert 1 == find_audience(desk.store, "vip").version


def test_types_grow_and_nobody_may_be_appended_to_nobody(desk: Desk) -> None:
    save(desk.store, "vip", desk.made())
    desk.append(desk.made(("a", "1", 1)))
    desk.append(desk.made(("b", "2", "new")))
    desk.append(desk.made())

    assert [("a", "1", "1"), ("b", "2", "new")] == desk.rows()
    assert 4 == find_audience(desk.store, "vip").version


def test_a_name_nobody_saved_is_appended_to_only_on_request(desk: Desk) -> None:
    save(desk.store, "vip", desk.made(("a", "1", 1)))
    people = desk.made(("b", "2", 2))
    with pytest.raises(NotFoundError) as caught:
        desk.append(people, "vpi")
    assert ["vip"] == caught.value.facts["near"]

    assert Change(name="new", version=1, count=1, added=1) == desk.append(
        people, "new", create=True
    )
    assert Action.SAVE is find_audience(desk.store, "new").action


def test_people_go_by_id_or_as_those_of_another_audience(desk: Desk) -> None:
    rows = [("a", "1", 1), ("b", "2", 2), ("c", "3", 3)]
    save(desk.store, "vip", desk.made(*rows), built_at=utc_now() - timedelta(days=3))
    assert 1 == desk.remove(["b", "nobody"]).removed
    change = desk.remove(desk.made(("x", "3", None)))

    assert Change(name="vip", version=3, count=1, removed=1) == change
    assert rows[:1] == desk.rows()
    versions = list_versions(desk.store, "vip")
    assert [Action.DELETE, Action.DELETE, Action.SAVE] == [one.action for one in versions]
    assert 1 == len({one.built_at for one in versions})


def test_where_nobody_goes_there_is_no_version_and_all_may_go(desk: Desk) -> None:
    save(desk.store, "vip", desk.made(("a", "1", 1)))

    assert Change(name="vip", version=1, count=1) == desk.remove(["b"])
    assert Change(name="vip", version=2, count=0, removed=1) == desk.remove(["a"])
    assert ["recipient_id", "phone", "x"] == [
        column.name for column in find_saved(desk.store, "vip").columns
    ]


def test_row_numbers_name_nobody_who_could_go(desk: Desk) -> None:
    save(desk.store, "vip", desk.made(("1", 1), names=("phone", "x")))
    with pytest.raises(AudienceError, match="name nobody"):
        desk.remove(["1"])


def test_several_at_once_append_one_after_the_other(desk: Desk) -> None:
    save(desk.store, "vip", desk.made(("a", "1", 0)))
    people = [desk.made((f"p{n}", f"9{n}", n)) for n in range(3)]
    with ThreadPoolExecutor(max_workers=3) as pool:
        changes = list(pool.map(desk.append, people))

    assert [2, 3, 4] == sorted(change.version for change in changes)
    assert {"a", "p0", "p1", "p2"} == {row[0] for row in desk.rows()}


def test_a_file_that_was_changed_is_not_taken_over(desk: Desk) -> None:
    old, other = desk.made(("a", "1", 1)), desk.made(("b", "2", 2))
    save(desk.store, "vip", old)
    Path(other.uri.removeprefix("file://")).replace(old.uri.removeprefix("file://"))
    with pytest.raises(AudienceError, match="has changed since"):
        desk.append(desk.made(("c", "3", 3)))

    assert 1 == find_audience(desk.store, "vip").version


KILLED = """
import os, signal, sys
from pathlib import Path
from smsflow_provider.core.audience import saved_changes
from smsflow_provider.core.audience.saved import SavedBy, find_saved
from smsflow_provider.core.store.connection import Store
from tests.core.audience.people import open_local

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

moment, dsn, folder = sys.argv[1:]
if moment != "writing":
    setattr(saved_changes, moment, die)

class Dying(type(Path())):
    rename = die

store = Store(dsn)
place = Dying(folder) if moment == "writing" else Path(folder)
files = saved_changes.SavedFiles(folder=place, open_file=open_local)
by = SavedBy(actor="ann")
saved_changes.append_people(store, "vip", find_saved(store, "new"), files=files, by=by)
"""


@pytest.mark.parametrize("moment", ["writing", "register_file", "save"])
def test_killed_at_any_point_the_former_version_is_the_newest_and_every_file_is_known(
    desk: Desk, store_dsn: str, moment: str
) -> None:
    save(desk.store, "vip", desk.made(("a", "1", 1)))
    save(desk.store, "new", desk.made(("b", "2", 2)))
    done = subprocess.run(
        [sys.executable, "-c", KILLED, moment, store_dsn, str(desk.folder)],
        check=False,
        timeout=60,
        env=os.environ | {"TMPDIR": str(desk.folder)},
    )

    assert -signal.SIGKILL == done.returncode
    assert [("a", "1", 1)] == desk.rows()
    left = [f"file://{each}" for each in (desk.folder / "saved").rglob("*.parquet*")]
    known = [each.uri for each in iterate_files(desk.store)]
    assert [one.removesuffix(".part") for one in left] == known
    assert 2 == desk.append(find_saved(desk.store, "new")).version
