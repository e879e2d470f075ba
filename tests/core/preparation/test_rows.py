from __future__ import annotations

import threading
from collections.abc import Iterator

import polars as pl
import pytest

from smsflow_provider.core.preparation.rows import read_ahead
from tests.core.preparation.preparing import FrameRows

FRAME = pl.DataFrame({"n": range(10)})


def readers() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("smsflow-read")]


def breaking() -> Iterator[pl.DataFrame]:
    yield FRAME
    raise OSError("the disk is gone")


@pytest.mark.parametrize("size", [1, 3, 10, 99])
def test_frames_come_in_their_order_and_none_is_lost(size: int) -> None:
    frames = read_ahead(FrameRows(FRAME, size=size).frames())

    assert FRAME.equals(pl.concat(list(frames)))
    assert [] == readers()


def test_no_rows_are_no_frames_or_empty_ones() -> None:
    assert 0 == sum(one.height for one in read_ahead(FrameRows(FRAME.head(0)).frames()))
    assert [] == list(read_ahead(iter([])))


def test_what_reading_raises_is_raised_in_its_turn() -> None:
    frames = read_ahead(breaking())

    assert FRAME.equals(next(frames))
    with pytest.raises(OSError, match="disk"):
        next(frames)
    assert [] == readers()


def test_a_reader_that_is_left_early_ends() -> None:
    frames = read_ahead(FrameRows(FRAME, size=1).frames())
    next(frames)

    frames.close()  # type: ignore[attr-defined]  # a generator

    assert [] == readers()
