from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.audience.masking import (
    masked_data,
    masked_phone,
    masked_row,
    masked_text,
)

SEPARATORS = st.sampled_from(["", " ", ".", "-", "/", ") ", " ("])


@given(st.lists(st.tuples(st.integers(0, 9), SEPARATORS), min_size=9, max_size=15))
def test_no_phone_survives_however_it_is_written(pieces: list[tuple[int, str]]) -> None:
    written = "".join(f"{digit}{separator}" for digit, separator in pieces[:-1])
    digits = "".join(str(digit) for digit, _ in pieces)
    masked = masked_text(f"phone is '{written}{pieces[-1][0]}'")

    assert digits not in "".join(each for each in masked if each.isdigit())
    assert "·" in masked


@pytest.mark.parametrize(
    "text",
    [
        "on 2026-11-22",
        "since 2026-11-22 10:00:00+00:00",
        "2026-11-22T10:00:00.123456Z",
        "points is at least 1000000",
        "within the last 30 days, 12 of 2026",
        "customer 42",
    ],
)
def test_dates_and_small_numbers_stay(text: str) -> None:
    assert text == masked_text(text)


def test_what_stands_in_the_column_of_phones_is_masked_whatever_it_is() -> None:
    row = {
        "phone": "12345",
        "city": "Lyon",
        "born": date(1990, 1, 2),
        "vip": True,
        "mail": "a@b.fr",
    }

    assert {
        "phone": "·····",
        "city": "Lyon",
        "born": date(1990, 1, 2),
        "vip": True,
        "mail": "a···@···",
    } == masked_row(row, phone="phone")
    assert {"phone": None} == masked_row({"phone": None}, phone="phone")


def test_a_phone_kept_as_a_number_is_masked() -> None:
    assert ["33·······78", 12, 1.5] == masked_data([33612345678, 12, 1.5])


def test_what_is_masked_shows_no_more_than_its_ends() -> None:
    assert "+33·······78" == masked_phone("+33 6 12 34 56 78")
