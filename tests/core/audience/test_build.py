from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider.core.audience.build import build_audience, uri_of
from smsflow_provider.core.audience.rows import batch_of
from smsflow_provider.core.audience.source import BATCH_ROWS, OnEmpty
from smsflow_provider.core.errors import AudienceError
from tests.core.audience.people import (
    BatchSource,
    ListSource,
    Rows,
    built,
    frame_of,
    open_local,
    rows_of,
)

cell = (
    st.none()
    | st.integers(-(2**40), 2**40)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=4)
)


def test_the_standard_columns_come_first_and_the_others_keep_their_names(tmp_path: Path) -> None:
    reference = built(
        tmp_path,
        ["city", "mobile", "no"],
        [("Lyon", "+33 6", 7), ("Paris", None, 8)],
        phone_column="mobile",
        id_column="no",
    )

    assert ["recipient_id", "phone", "city"] == frame_of(reference).columns
    assert [("7", "+33 6", "Lyon"), ("8", None, "Paris")] == rows_of(reference)
    assert 2 == reference.count
    assert [("recipient_id", "text"), ("phone", "text"), ("city", "text")] == [
        (one.name, one.kind) for one in reference.columns
    ]


def test_without_an_id_column_the_row_number_is_the_id_over_all_batches(tmp_path: Path) -> None:
    reference = built(tmp_path, ["phone"], [("a",), ("b",)], [], [("c",)])

    assert [("1", "a"), ("2", "b"), ("3", "c")] == rows_of(reference)


def test_a_column_called_recipient_id_is_the_id(tmp_path: Path) -> None:
    reference = built(tmp_path, ["recipient_id", "phone"], [(5, "a")])

    assert [("5", "a")] == rows_of(reference)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (33612345678, "33612345678"),
        (33612345678.0, "33612345678"),
        (Decimal("33612345678.00"), "33612345678"),
        ("0033 6 12", "0033 6 12"),
        ("  06 ", "  06 "),
        ("", ""),
        (None, None),
    ],
)
def test_a_phone_is_text_as_given(tmp_path: Path, given: object, expected: str | None) -> None:
    reference = built(tmp_path, ["phone"], [(given,)])

    assert [expected] == frame_of(reference)["phone"].to_list()


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([None, None], [7], [None, None, 7]),
        ([None], ["a"], [None, "a"]),
        ([7], [None], [7, None]),
        ([1], [1.5], [1.0, 1.5]),
        ([1], ["n/a"], ["1", "n/a"]),
        ([1], [Decimal("1.25")], [Decimal("1.00"), Decimal("1.25")]),
        ([None], [None], [None, None]),
    ],
)
def test_a_type_that_shows_late_holds_for_the_whole_column(
    tmp_path: Path, first: list[object], second: list[object], expected: list[object]
) -> None:
    reference = built(
        tmp_path, ["phone", "x"], [("p", x) for x in first], [("p", x) for x in second]
    )

    assert expected == frame_of(reference)["x"].to_list()


def test_types_may_change_again_and_again(tmp_path: Path) -> None:
    lists: list[Rows] = [[("p", x)] for x in (None, 1, None, 1.5, 2, "x", None, 3)]
    reference = built(tmp_path, ["phone", "x"], *lists)

    assert [None, "1", None, "1.5", "2", "x", None, "3"] == frame_of(reference)["x"].to_list()


def test_types_that_do_not_go_together_are_named(tmp_path: Path) -> None:
    with pytest.raises(AudienceError, match="changes its type") as caught:
        built(tmp_path, ["phone", "x"], [("p", True)], [("p", 1)])

    assert {"column": "x", "types": ["boolean", "integer"]} == caught.value.facts
    assert [] == list(tmp_path.iterdir())


def test_a_column_without_any_value_is_text(tmp_path: Path) -> None:
    reference = built(tmp_path, ["phone", "x"], [("p", None)])

    assert pl.String == frame_of(reference)["x"].dtype


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_how_the_source_cuts_its_batches_does_not_matter(
    tmp_path_factory: Any, data: st.DataObject
) -> None:
    folder: Path = tmp_path_factory.mktemp("cuts")
    rows = data.draw(st.lists(st.tuples(cell, cell), min_size=1, max_size=12))
    cut = data.draw(st.integers(0, len(rows)))
    whole = built(folder, ["phone", "x"], rows)
    cut_up = built(folder, ["phone", "x"], rows[:cut], rows[cut:])

    assert whole.fingerprint == cut_up.fingerprint
    assert frame_of(whole).equals(frame_of(cut_up))


def test_columns_may_change_their_places_but_not_their_names(tmp_path: Path) -> None:
    turned = BatchSource(
        given=(batch_of(["phone", "x"], [("a", 1)]), batch_of(["x", "phone"], [(2, "b")]))
    )
    reference = build_audience(turned, target=tmp_path / "who.parquet")
    assert reference is not None
    assert [("1", "a", 1), ("2", "b", 2)] == rows_of(reference)

    renamed = BatchSource(
        given=(batch_of(["phone", "x"], [("a", 1)]), batch_of(["phone", "y"], [("b", 2)]))
    )
    with pytest.raises(AudienceError, match="other columns than the first") as caught:
        build_audience(renamed, target=tmp_path / "other.parquet")
    assert {"source": "people", "missing": ["x"], "extra": ["y"]} == caught.value.facts


@pytest.mark.parametrize(
    ("names", "settings", "problems"),
    [
        (
            ["id", "fone"],
            {},
            ["there is no column 'phone', which phone_column names (did you mean 'fone'?)"],
        ),
        (
            ["id", "x"],
            {"phone_column": "mobile", "id_column": "ids"},
            [
                "there is no column 'mobile', which phone_column names",
                "there is no column 'ids', which id_column names (did you mean 'id'?)",
            ],
        ),
        (
            ["phone", "mobile"],
            {"phone_column": "mobile"},
            ["the source has 'phone' beside 'mobile', which phone_column names: rename one"],
        ),
        (
            ["phone", "no", "recipient_id"],
            {"id_column": "no"},
            ["the source has 'recipient_id' beside 'no', which id_column names: rename one"],
        ),
        (["phone"], {"id_column": "phone"}, ["phone_column and id_column name the same column"]),
        (["phone", "a", "a"], {}, ["column 'a' is there twice"]),
        (["phone", "", " "], {}, ["columns without a name: 2, 3"]),
    ],
)
def test_columns_that_cannot_be_used_are_told_all_at_once(
    tmp_path: Path, names: list[str], settings: dict[str, str], problems: list[str]
) -> None:
    row = tuple("v" for _ in names)
    with pytest.raises(AudienceError) as caught:
        built(tmp_path, names, [row], **settings)

    assert problems == caught.value.facts["problems"]
    assert names == caught.value.facts["columns"]
    assert "people" == caught.value.facts["source"]


def test_an_empty_id_is_told_by_row(tmp_path: Path) -> None:
    with pytest.raises(AudienceError, match="id column is empty") as caught:
        built(tmp_path, ["no", "phone"], [(1, "a"), (None, "b")], [(None, "c")], id_column="no")

    assert {"source": "people", "column": "no", "rows": [2], "count": 1} == caught.value.facts


@pytest.mark.parametrize("value", [True, pl.Series([0]).cast(pl.Date)[0]])
def test_a_phone_column_of_another_kind_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(AudienceError, match="holds no phones") as caught:
        built(tmp_path, ["phone"], [(value,)])
    assert "phone" == caught.value.facts["column"]


@pytest.mark.parametrize("lists", [([],), ([], []), ()])
def test_nobody_is_an_error_unless_said_otherwise(tmp_path: Path, lists: tuple[Rows, ...]) -> None:
    source = ListSource(names=("phone", "x"), lists=lists)
    target = tmp_path / "who.parquet"

    with pytest.raises(AudienceError, match="the audience is empty"):
        build_audience(source, target=target)
    assert build_audience(source, target=target, on_empty=OnEmpty.SKIP) is None
    assert not target.exists()

    reference = build_audience(source, target=target, on_empty=OnEmpty.CONTINUE)
    assert reference is not None
    assert 0 == reference.count
    assert 0 == pq.ParquetFile(target).metadata.num_rows


def test_a_missing_column_is_told_even_of_nobody(tmp_path: Path) -> None:
    with pytest.raises(AudienceError, match="cannot be used"):
        built(tmp_path, ["id", "x"], [], on_empty=OnEmpty.SKIP)


def test_a_source_that_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    class Breaking:
        label = "people"

        def batches(self) -> Iterator[pa.RecordBatch]:
            yield batch_of(["phone"], [("a",)])
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        build_audience(Breaking(), target=tmp_path / "who.parquet")
    assert [] == list(tmp_path.iterdir())


KILLED = """
import os, signal, sys
from pathlib import Path
from smsflow_provider.core.audience.build import build_audience
from smsflow_provider.core.audience.rows import batch_of

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

class Dying:
    label = "people"
    def batches(self):
        yield batch_of(["phone"], [("a",)])
        if sys.argv[2] == "reading":
            die()

class DyingPath(type(Path())):
    rename = die

folder = Path(sys.argv[1])
build_audience(Dying(), target=DyingPath(folder) / "who.parquet")
"""


@pytest.mark.parametrize(("moment", "left"), [("reading", []), ("naming", ["who.parquet.part"])])
def test_a_kill_at_any_moment_leaves_no_file_under_the_name(
    tmp_path: Path, moment: str, left: list[str]
) -> None:
    folder = tmp_path / "artifacts"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), moment],
        check=False,
        timeout=60,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )

    assert -signal.SIGKILL == done.returncode
    assert left == [path.name for path in folder.iterdir()]


def test_many_small_batches_make_few_groups_and_a_large_one_is_cut(tmp_path: Path) -> None:
    small: Sequence[Rows] = [[(f"+336{k:08d}",)] for k in range(300)]
    assert 1 == groups_of(built(tmp_path, ["phone"], *small).uri)

    frame = pl.DataFrame({"phone": pl.int_range(BATCH_ROWS * 2 + 1, eager=True)})
    large = BatchSource(given=tuple(frame.to_arrow().combine_chunks().to_batches()))
    reference = build_audience(large, target=tmp_path / "large.parquet")
    assert reference is not None
    assert 3 == groups_of(reference.uri)
    assert BATCH_ROWS * 2 + 1 == reference.count


def groups_of(uri: str) -> int:
    with open_local(uri) as file:
        return int(pq.ParquetFile(file).metadata.num_row_groups)


def test_a_local_path_becomes_a_file_uri_and_a_uri_stays() -> None:
    class Remote:
        def __str__(self) -> str:
            return "s3://conn@bucket/who.parquet"

    assert "file:///a/b c.parquet" == uri_of(Path("/a/b c.parquet"))
    assert "s3://conn@bucket/who.parquet" == uri_of(cast("Any", Remote()))


def test_building_and_reading_load_no_pandas(tmp_path: Path) -> None:
    """Importing pandas costs two seconds and 110 MB, and some calls of Arrow do it unasked."""
    code = f"""
import sys
from pathlib import Path
from tests.core.audience.people import built, rows_of
from smsflow_provider.core.audience.read import read_schema
from tests.core.audience.people import open_local
reference = built(Path({str(tmp_path)!r}), ["phone", "x"], [(1.5, None)], [("a", 2)])
assert 2 == len(rows_of(reference))
assert "x" in read_schema(reference, open_file=open_local)
assert "pandas" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_only_chosen_columns_are_kept_whatever_the_source_hands_out(tmp_path: Path) -> None:
    reference = built(
        tmp_path, ["name", "phone", "city"], [["Ann", "06", "Lyon"]], columns=["city"]
    )

    assert ["recipient_id", "phone", "city"] == [column.name for column in reference.columns]
    assert [("1", "06", "Lyon")] == rows_of(reference)
