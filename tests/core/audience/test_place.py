from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.audience.place import artifact_path, open_found, put_whole, safe_name
from smsflow_provider.core.errors import AudienceError

ORIGIN: dict[str, Any] = {
    "dag_id": "team.sale",
    "run_id": "scheduled__2026-01-01T00:00:00+00:00",
    "task_id": "group.who",
    "map_index": -1,
    "try_number": 1,
    "token": "c0ffee",
}

names = st.text(max_size=150)


def test_a_path_tells_dag_run_task_and_try() -> None:
    path = artifact_path(Path("/a"), **ORIGIN)

    assert "/a/team.sale/scheduled__2026-01-01T00_00_00_00_00-8bc450a8" == str(path.parent)
    assert "group.who.1-c0ffee.parquet" == path.name


def test_mapped_tasks_have_files_of_their_own() -> None:
    paths = {artifact_path(Path("/a"), **ORIGIN | {"map_index": index}) for index in (-1, 0, 1)}

    assert 3 == len(paths)


def test_the_same_try_run_twice_writes_two_files() -> None:
    one, other = (artifact_path(Path("/a"), **ORIGIN | {"token": t}) for t in ("aa", "bb"))

    assert one != other


@given(name=names)
def test_a_safe_name_is_one_plain_piece_of_a_path(name: str) -> None:
    safe = safe_name(name)

    assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", safe)
    assert len(safe) < 120


@given(one=names, other=names)
def test_two_texts_do_not_share_a_safe_name(one: str, other: str) -> None:
    assert (one == other) == (safe_name(one) == safe_name(other))


@given(name=names)
def test_a_text_that_looks_like_a_safe_name_does_not_take_its_place(name: str) -> None:
    safe = safe_name(name)

    assert safe == name or safe_name(safe) != safe


@pytest.mark.parametrize("name", ["..", ".", "", "/etc", "a/../b", "a:b", "é", "\udc80"])
def test_a_name_that_could_lead_elsewhere_is_hashed(name: str) -> None:
    assert safe_name(name) != name
    assert "/" not in safe_name(name)


def test_a_file_is_put_in_place_whole_with_its_folders(tmp_path: Path) -> None:
    local = tmp_path / "local"
    local.write_bytes(b"x" * 3_000_000)
    target = tmp_path / "deep" / "er" / "who.parquet"
    put_whole(local, target)

    assert local.read_bytes() == target.read_bytes()
    assert [target] == list(target.parent.iterdir())


def test_a_copy_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    local = tmp_path / "local"
    local.write_bytes(b"x")
    target = tmp_path / "who.parquet"
    (tmp_path / "who.parquet.part").mkdir()
    with pytest.raises(OSError, match="part"):
        put_whole(local, target)

    assert not target.exists()


def test_until_the_rename_only_the_neighbour_exists(tmp_path: Path) -> None:
    """A crash between copy and rename: what is there does not look like an audience."""

    class Crash(BaseException):
        pass

    class DyingPath(type(tmp_path)):  # type: ignore[misc]
        def rename(self, target: Path) -> Path:
            assert not target.exists()
            assert "who.parquet.part" == self.name
            raise Crash

    local = tmp_path / "local"
    local.write_bytes(b"x")
    with pytest.raises(Crash):
        put_whole(local, DyingPath(tmp_path / "who.parquet"))

    assert [local] == list(tmp_path.iterdir())


def test_a_file_that_is_gone_says_what_to_do() -> None:
    def missing(_uri: str) -> io.BytesIO:
        raise FileNotFoundError

    with pytest.raises(AudienceError, match="run the task that builds it again") as caught:
        open_found("file:///gone.parquet", open_file=missing)
    assert {"uri": "file:///gone.parquet"} == caught.value.facts
