from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from smsflow_provider.core.audience.read import read_audience, read_record_batches, read_schema
from smsflow_provider.core.audience.reference import AudienceReference
from smsflow_provider.core.errors import AudienceError
from tests.core.audience.people import CONTINUE, built, open_local

ROWS = [(f"+336{number:08d}", number) for number in range(10)]


@pytest.fixture
def reference(tmp_path: Path) -> AudienceReference:
    return built(tmp_path, ["phone", "x"], ROWS)


def path_of(reference: AudienceReference) -> Path:
    return Path(reference.uri.removeprefix("file://"))


def read_all(reference: AudienceReference, *, check_content: bool = False) -> int:
    frames = read_audience(reference, open_file=open_local, check_content=check_content)
    return sum(frame.height for frame in frames)


def test_an_audience_is_read_in_order_in_frames_of_bounded_size(
    reference: AudienceReference,
) -> None:
    frames = list(read_audience(reference, open_file=open_local, rows=4))

    assert [4, 4, 2] == [frame.height for frame in frames]
    assert [number for _, number in ROWS] == pl.concat(frames)["x"].to_list()


def test_arrow_batches_are_the_same_rows(reference: AudienceReference) -> None:
    batches = list(read_record_batches(reference, open_file=open_local))

    assert [phone for phone, _ in ROWS] == pa.Table.from_batches(batches)["phone"].to_pylist()


def test_the_schema_is_read_without_rows(reference: AudienceReference) -> None:
    assert {"recipient_id": pl.String, "phone": pl.String, "x": pl.Int64} == read_schema(
        reference, open_file=open_local
    )


def test_an_empty_audience_reads_as_nothing(tmp_path: Path) -> None:
    reference = built(tmp_path, ["phone"], [], on_empty=CONTINUE)

    assert 0 == read_all(reference, check_content=True)


def test_a_file_that_is_gone_is_said_so(reference: AudienceReference) -> None:
    path_of(reference).unlink()
    with pytest.raises(AudienceError, match="is gone"):
        read_all(reference)


@pytest.mark.parametrize("size", [0, 3, 50])
def test_half_a_file_does_not_pass_for_a_whole_one(reference: AudienceReference, size: int) -> None:
    path = path_of(reference)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(AudienceError, match="not a whole Parquet file"):
        read_all(reference)


def test_any_cut_through_the_file_is_noticed(reference: AudienceReference) -> None:
    path = path_of(reference)
    whole = path.read_bytes()
    for size in range(0, len(whole), 97):
        path.write_bytes(whole[:size])
        with pytest.raises(AudienceError):
            read_all(reference)


def test_another_number_of_rows_is_noticed_before_the_first_of_them(
    reference: AudienceReference,
) -> None:
    frames = read_audience(replace(reference, count=9), open_file=open_local)
    with pytest.raises(AudienceError, match="another number of rows") as caught:
        next(frames)
    assert (9, 10) == (caught.value.facts["expected"], caught.value.facts["found"])


def test_changed_content_is_noticed_at_the_end_when_asked(
    reference: AudienceReference, tmp_path: Path
) -> None:
    other = built(tmp_path, ["phone", "x"], [*ROWS[:-1], ("+33600000009", 77)])

    assert 10 == read_all(other, check_content=True)
    assert 10 == read_all(reference)
    with pytest.raises(AudienceError, match="has changed since it was built"):
        read_all(reference, check_content=True)


def test_a_parquet_file_that_is_no_audience_is_told(tmp_path: Path) -> None:
    path = tmp_path / "other.parquet"
    pq.write_table(pa.table({"phone": ["a"]}), path)
    reference = AudienceReference(uri=f"file://{path}", count=1, fingerprint="0" * 64)

    with pytest.raises(AudienceError, match="not an audience") as caught:
        read_all(reference)
    assert ["recipient_id"] == caught.value.facts["missing"]


def test_the_file_is_closed_even_if_the_reader_stops_early(reference: AudienceReference) -> None:
    opened = []

    def open_and_keep(uri: str) -> object:
        opened.append(open_local(uri))
        return opened[0]

    frames = read_audience(reference, open_file=open_and_keep, rows=2)  # type: ignore[arg-type]
    next(frames)
    frames.close()  # type: ignore[attr-defined]

    assert opened[0].closed
