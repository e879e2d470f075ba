from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.errors import StoreError
from smsflow_provider.core.store.phones import HIGHEST, LOWEST, copied_lines, pages_of, phones_of

phones = st.integers(LOWEST, HIGHEST)


@given(st.lists(st.lists(phones, max_size=20), max_size=5))
def test_packed_numbers_come_out_ascending(pieces: list[list[int]]) -> None:
    packed = [b"".join(one.to_bytes(8, "big") for one in piece) for piece in pieces]

    expected = sorted(one for piece in pieces for one in piece)
    assert pl.Series("phone", expected, dtype=pl.UInt64).equals(phones_of(packed))


def test_a_line_keeps_its_columns_whatever_stands_in_them() -> None:
    lines = copied_lines([(LOWEST, ["a\tb", "c\nd\r", "\\e\x00"]), (HIGHEST, ["", "", ""])])

    assert [
        "1000000\ta\\tb\tc\\nd\\r\t\\\\e\n",
        "999999999999999\t\t\t\n",
    ] == "".join(lines).splitlines(keepends=True)


def test_wrong_numbers_are_counted_and_not_shown() -> None:
    with pytest.raises(StoreError) as caught:
        list(copied_lines((phone, []) for phone in (LOWEST - 1, LOWEST, HIGHEST + 1)))

    assert {"count": 2} == caught.value.facts


@given(st.integers(0, 120_001))
def test_pages_hold_everything_once(count: int) -> None:
    assert list(range(count)) == [one for page in pages_of(range(count)) for one in page]
