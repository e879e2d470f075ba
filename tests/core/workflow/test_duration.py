from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from smsflow_provider.core.workflow.duration import LONGEST, read_duration
from smsflow_provider.core.workflow.spec import SmsDelivery


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("90m", timedelta(minutes=90)),
        ("48h", timedelta(hours=48)),
        ("3d", timedelta(days=3)),
        ("1w", timedelta(weeks=1)),
        ("30s", timedelta(seconds=30)),
        ("2d 12h", timedelta(days=2, hours=12)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        (" 5 d ", timedelta(days=5)),
    ],
)
def test_a_duration_is_read_as_people_write_it(written: str, expected: timedelta) -> None:
    assert expected == read_duration(written)


@pytest.mark.parametrize(
    "written", ["", "48", "h", "1 day", "-3d", "1.5h", "3d 2d", "3d,2h", "9" * 30]
)
def test_what_is_no_duration_is_refused(written: str) -> None:
    with pytest.raises(PydanticCustomError):
        read_duration(written)


@pytest.mark.parametrize("given_value", [48, 48.5, True, None, ["3d"]])
def test_a_bare_number_is_refused_for_want_of_a_unit(given_value: object) -> None:
    with pytest.raises(PydanticCustomError):
        read_duration(given_value)


@pytest.mark.parametrize("written", ["0s", "367d", "999999999w", "P400D"])
def test_nothing_and_more_than_a_year_are_refused(written: str) -> None:
    with pytest.raises(ValidationError, match="more than zero and at most 366 days"):
        SmsDelivery(template="sale", review_within=written)


@pytest.mark.parametrize("written", ["P3D", timedelta(days=3)])
def test_iso_8601_and_a_timedelta_are_taken_as_they_are(written: object) -> None:
    assert timedelta(days=3) == SmsDelivery(template="sale", review_within=written).review_within


@given(st.integers(0, 365), st.integers(0, 23), st.integers(0, 59), st.integers(1, 59))
def test_every_duration_within_the_limit_is_read_back(
    days: int, hours: int, minutes: int, seconds: int
) -> None:
    written = f"{days}d {hours}h {minutes}m {seconds}s"
    expected = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)

    delivery = SmsDelivery(template="sale", review_within=written)

    assert expected == delivery.review_within
    assert expected <= LONGEST


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_and_nothing_else_happens(text: str) -> None:
    with suppress(PydanticCustomError):
        assert isinstance(read_duration(text), timedelta) or text.startswith("P")
