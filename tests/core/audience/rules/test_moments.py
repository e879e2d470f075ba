"""Days and moments in words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider.core.audience.rules.moments import (
    Clock,
    UnfitError,
    compared,
    days_of_year,
    read_day,
    read_span,
    read_when,
    within,
)
from smsflow_provider.core.audience.rules.plan import Between, Kind
from smsflow_provider.core.audience.rules.rule import Comparison

#: Tuesday, 31 March 2026, one in the morning in Paris: still Monday in UTC.
CLOCK = Clock(now=datetime(2026, 3, 30, 23, tzinfo=UTC), zone="Europe/Paris")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("today", date(2026, 3, 31)),
        (" Yesterday ", date(2026, 3, 30)),
        ("tomorrow", date(2026, 4, 1)),
        ("30 days ago", date(2026, 3, 1)),
        ("1 day ago", date(2026, 3, 30)),
        ("in 2 weeks", date(2026, 4, 14)),
        ("1 month ago", date(2026, 2, 28)),
        ("in 3 months", date(2026, 6, 30)),
        ("2 years ago", date(2024, 3, 31)),
        ("start of week", date(2026, 3, 30)),
        ("end of last week", date(2026, 3, 29)),
        ("start of month", date(2026, 3, 1)),
        ("end of this month", date(2026, 3, 31)),
        ("start of next month", date(2026, 4, 1)),
        ("start of quarter", date(2026, 1, 1)),
        ("start of last quarter", date(2025, 10, 1)),
        ("end of next quarter", date(2026, 6, 30)),
        ("start of year", date(2026, 1, 1)),
        ("end of last year", date(2025, 12, 31)),
        ("2028-02-29", date(2028, 2, 29)),
        ("now", utc(2026, 3, 30, 23)),
        ("3 hours ago", utc(2026, 3, 30, 20)),
        ("in 90 minutes", utc(2026, 3, 31, 0, 30)),
        ("2026-03-31T09:00", utc(2026, 3, 31, 7)),
        ("2026-03-31 09:00:00.5", utc(2026, 3, 31, 7, 0, 0, 500_000)),
        ("2026-03-31T09:00Z", utc(2026, 3, 31, 9)),
        ("2026-03-31T09:00:00-05:00", utc(2026, 3, 31, 14)),
        ("2026-03-31T09:00 +0200", utc(2026, 3, 31, 7)),
        # The clocks of Paris skip this hour, and show that one twice.
        ("2026-03-29T02:30", utc(2026, 3, 29, 1, 30)),
        ("2026-10-25T02:30", utc(2026, 10, 25, 0, 30)),
    ],
)
def test_words_and_iso_texts_are_days_and_moments(text: str, expected: date) -> None:
    found = read_when(text, CLOCK)

    assert (type(expected), expected) == (type(found), found)


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "30 days", "ago", "-1 days ago", "1.5 days ago", "99999 years ago"),
        *("20260331", "2026-W14-2", "2026-02-30", "2026-13-01", "0999-01-01", "٢٠٢٦-٠١-٠١"),
        *("2026-03-31T25:00", "2026-03-31T9:00", "31/03/2026", "start of day", "in 999999 days"),
        *("9999-12-31T23:00-12:00", "2026-03-31T09:00:00+99:00"),
    ],
)
def test_what_is_no_day_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(UnfitError) as caught:
        read_when(text, CLOCK)

    assert "write 2026-01-31" in caught.value.hint


def test_a_day_has_no_time() -> None:
    with pytest.raises(UnfitError, match="time of day"):
        read_day("now", CLOCK)


@pytest.mark.parametrize("text", ["", "30", "days", "30days ago", "-3 days", "1 fortnight"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(UnfitError, match="not a length of time"):
        read_span(text)


@pytest.mark.parametrize(
    ("comparison", "kind", "expected"),
    [
        ("before", Kind.DATE, Between(high=date(2026, 3, 31), has_high=False)),
        ("after", Kind.DATE, Between(low=date(2026, 3, 31), has_low=False)),
        ("from", Kind.DATE, Between(low=date(2026, 3, 31))),
        ("until", Kind.DATE, Between(high=date(2026, 3, 31))),
        ("on", Kind.DATE, Between(low=date(2026, 3, 31), high=date(2026, 3, 31))),
        ("before", Kind.MOMENT, Between(high=utc(2026, 3, 30, 22), has_high=False)),
        ("after", Kind.MOMENT, Between(low=utc(2026, 3, 31, 22))),
        ("from", Kind.MOMENT, Between(low=utc(2026, 3, 30, 22))),
        ("until", Kind.MOMENT, Between(high=utc(2026, 3, 31, 22), has_high=False)),
        (
            "on",
            Kind.MOMENT,
            Between(low=utc(2026, 3, 30, 22), high=utc(2026, 3, 31, 22), has_high=False),
        ),
        (
            "on",
            Kind.LOCAL_MOMENT,
            Between(low=datetime(2026, 3, 31), high=datetime(2026, 4, 1), has_high=False),  # noqa: DTZ001
        ),
    ],
)
def test_a_day_is_the_whole_day_of_the_zone(comparison: str, kind: Kind, expected: Between) -> None:
    assert expected == compared(Comparison(comparison), "today", kind=kind, clock=CLOCK)


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        ("before", Between(high=utc(2026, 3, 30, 23), has_high=False)),
        ("after", Between(low=utc(2026, 3, 30, 23), has_low=False)),
        ("from", Between(low=utc(2026, 3, 30, 23))),
        ("until", Between(high=utc(2026, 3, 30, 23))),
    ],
)
def test_an_exact_moment_is_that_very_moment(comparison: str, expected: Between) -> None:
    assert expected == compared(Comparison(comparison), "now", kind=Kind.MOMENT, clock=CLOCK)


def test_a_local_moment_is_compared_with_the_clock_on_the_wall() -> None:
    found = compared(Comparison.FROM, "now", kind=Kind.LOCAL_MOMENT, clock=CLOCK)

    assert Between(low=datetime(2026, 3, 31, 1)) == found  # noqa: DTZ001


@pytest.mark.parametrize(
    ("text", "is_last", "kind", "low", "high"),
    [
        ("30 days", True, Kind.DATE, date(2026, 3, 1), date(2026, 3, 31)),
        ("0 days", True, Kind.DATE, date(2026, 3, 31), date(2026, 3, 31)),
        ("1 month", False, Kind.DATE, date(2026, 3, 31), date(2026, 4, 30)),
        # Winter time on 1 March: the day began at 23:00 UTC.
        ("30 days", True, Kind.MOMENT, utc(2026, 2, 28, 23), utc(2026, 3, 30, 23)),
        ("1 day", False, Kind.MOMENT, utc(2026, 3, 30, 23), utc(2026, 4, 1, 22)),
        ("24 hours", True, Kind.MOMENT, utc(2026, 3, 29, 23), utc(2026, 3, 30, 23)),
    ],
)
def test_a_window_is_of_whole_days_or_exact_hours(
    text: str, *, is_last: bool, kind: Kind, low: date, high: date
) -> None:
    found = within(text, is_last=is_last, kind=kind, clock=CLOCK)

    assert (low, high) == (found.low, found.high)
    assert found.has_low
    assert found.has_high == (is_last or kind is Kind.DATE)


def test_hours_do_not_go_with_dates() -> None:
    with pytest.raises(UnfitError, match="a date has none"):
        within("24 hours", is_last=True, kind=Kind.DATE, clock=CLOCK)


def test_a_window_over_the_hour_that_comes_twice_is_not_empty() -> None:
    clock = Clock(now=utc(2026, 10, 25, 1, 10), zone="Europe/Paris")

    found = within("30 minutes", is_last=True, kind=Kind.LOCAL_MOMENT, clock=clock)

    assert isinstance(found.low, datetime)
    assert isinstance(found.high, datetime)
    assert found.low < found.high


def test_a_day_that_begins_at_one_begins_there() -> None:
    clock = Clock(now=utc(2026, 1, 1), zone="Africa/Cairo")
    start = clock.start_of(date(2026, 4, 24))

    assert utc(2026, 4, 23, 22) == start
    assert 1 == start.astimezone(ZoneInfo("Africa/Cairo")).hour


def test_who_was_born_on_29_february_is_greeted_once_in_every_year() -> None:
    for year in range(2023, 2030):
        start = date(year, 1, 1)
        days = [start + timedelta(days=n) for n in range(366)]
        greeted = [d for d in days if d.year == year and (2, 29) in days_of_year([d])]

        assert 1 == len(greeted), year


def test_a_day_far_away_is_refused_and_does_not_overflow() -> None:
    for comparison in ("after", "until", "on"):
        with pytest.raises(UnfitError, match="too far away"):
            compared(Comparison(comparison), "9999-12-31", kind=Kind.MOMENT, clock=CLOCK)
    with pytest.raises(UnfitError, match="too long"):
        within("99999 years", is_last=True, kind=Kind.MOMENT, clock=CLOCK)


ZONES = st.sampled_from(["UTC", "Europe/Paris", "America/Sao_Paulo", "Asia/Kathmandu"])


@settings(max_examples=60)
@given(st.dates(date(1980, 1, 1), date(2050, 1, 1)), ZONES)
def test_days_follow_each_other_without_gap_or_overlap(day: date, zone: str) -> None:
    clock = Clock(now=utc(2026, 1, 1), zone=zone)
    on = compared(Comparison.ON, day.isoformat(), kind=Kind.MOMENT, clock=clock)
    next_day = (day + timedelta(days=1)).isoformat()
    after = compared(Comparison.ON, next_day, kind=Kind.MOMENT, clock=clock)

    assert isinstance(on.low, datetime)
    assert isinstance(on.high, datetime)
    assert on.high == after.low
    assert timedelta(hours=22) < on.high - on.low < timedelta(hours=26)
    local = ZoneInfo(zone)
    assert day == on.low.astimezone(local).date()
    assert day > (on.low - timedelta(microseconds=1)).astimezone(local).date()
