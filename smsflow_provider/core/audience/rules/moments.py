"""
Days and moments as people write them, made final from one given now.

A **day** is a date (``2026-01-31``) or a word: ``today``, ``yesterday``, ``tomorrow``, ``30 days
ago``, ``in 2 weeks``, ``start of month``, ``end of last quarter``. A **moment** has a time of day:
``2026-01-31T09:00``, ``now``, ``3 hours ago``. Days and times without an offset are those of one
time zone, the dimension's. Weeks start on Monday; a month back from 31 March is 28 or 29 February.

===============  ==============================  ==================================================
written          on a date                       on a moment
===============  ==============================  ==================================================
before D         earlier days                    before the start of day D
after D          later days                      from the start of the day after D
on D             that day                        from the start of D to the start of the next day
from D           that day and later              from the start of day D
until D          that day and earlier            before the start of the day after D
within_last 30d  today and the 30 days before    from the start of the day 30 days ago, to now
within_next 30d  today and the 30 days after     from now to the end of the day in 30 days
within_last 6h   refused: a date has no hours    from six hours ago to now
===============  ==============================  ==================================================

With an exact moment (``now``, a time of day) before, after, from and until compare with that very
moment, and ``on`` is refused. Columns of moments without a zone hold what the zone's clock shows.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from smsflow_provider.core.audience.rules.plan import Between, Kind
from smsflow_provider.core.audience.rules.rule import Comparison

WHEN_HINT = "write 2026-01-31, 2026-01-31T09:00, today, 30 days ago, in 2 weeks, start of month"
DAY_HINT = "write 2026-01-31, today, 30 days ago, in 2 weeks, start of month"
SPAN_HINT = "write a number and a unit: 6 hours, 30 days, 2 weeks, 3 months, 1 year"
#: Days before this year are slips of the pen, and not every database knows them.
FIRST_YEAR = 1000

_UNIT = r"(?P<unit>minute|hour|day|week|month|year)s?"
_SPAN = re.compile(rf"(?P<count>\d{{1,5}}) ?{_UNIT}", re.ASCII)
_AGO = re.compile(rf"{_SPAN.pattern} ago", re.ASCII)
_AHEAD = re.compile(rf"in {_SPAN.pattern}", re.ASCII)
_EDGE = re.compile(
    r"(?P<edge>start|end) of (?:(?P<which>last|this|next) )?(?P<unit>week|month|quarter|year)"
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(
    rf"{_DAY.pattern}[t ]\d\d:\d\d(:\d\d(\.\d{{1,6}})?)?( ?(z|[+-]\d\d:?\d\d))?", re.ASCII
)
_NEAR_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_EXACT_UNITS = ("minute", "hour")
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


class UnfitError(ValueError):
    """A value that does not go where it stands: *text* says why, *hint* what to write."""

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.text, self.hint = text, hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """
    The one now of a plan, and the zone its days are of.

    Example:
        >>> Clock(now=datetime(2026, 1, 31, 23, 30, tzinfo=UTC), zone="Europe/Paris").today
        datetime.date(2026, 2, 1)
    """

    #: With a zone.
    now: datetime
    #: IANA name.
    zone: str = "UTC"

    @property
    def today(self) -> date:
        """The day it is in the zone."""
        return self.now.astimezone(ZoneInfo(self.zone)).date()

    def start_of(self, day: date) -> datetime:
        """Give the first moment of *day*, in UTC; where the clocks skip midnight, the next one."""
        return self.at(datetime.combine(day, time()))

    def at(self, local: datetime) -> datetime:
        """Give the moment, in UTC, at which the zone's clock shows *local* (the first of two)."""
        return local.replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC)

    def on_the_wall(self, moment: datetime) -> datetime:
        """Give what the zone's clock shows at *moment*, without a zone."""
        return moment.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A length of time: whole calendar units, or exact minutes and hours."""

    count: int
    #: minute, hour, day, week, month or year
    unit: str

    @property
    def is_exact(self) -> bool:
        """Whether it is counted in hours or minutes, not in days."""
        return self.unit in _EXACT_UNITS

    def moved(self, day: date, *, sign: int) -> date:
        """Move *day* by the span, forward (*sign* 1) or back (-1). Not for exact spans."""
        if self.unit in _MONTHS:
            return _months_from(day, sign * self.count * _MONTHS[self.unit])
        return day + sign * timedelta(**{f"{self.unit}s": self.count})

    def exact(self) -> timedelta:
        """Give the length of an exact span."""
        return timedelta(**{f"{self.unit}s": self.count})


def read_span(text: str) -> Span:
    """
    Read a length of time.

    Raises:
        UnfitError: It is none.

    Example:
        >>> read_span("30 days")
        Span(count=30, unit='day')
    """
    found = _SPAN.fullmatch(_plain(text))
    if found is None:
        raise UnfitError("is not a length of time", SPAN_HINT)
    return Span(count=int(found["count"]), unit=found["unit"])


def read_when(text: str, clock: Clock) -> date | datetime:
    """
    Read a day or a moment.

    Returns:
        A date, or a datetime in UTC.

    Raises:
        UnfitError: It is neither, or too far away.

    Example:
        >>> clock = Clock(now=datetime(2026, 3, 31, 9, tzinfo=UTC), zone="Europe/Paris")
        >>> read_when("1 month ago", clock), read_when("start of next month", clock)
        (datetime.date(2026, 2, 28), datetime.date(2026, 4, 1))
        >>> read_when("2026-03-31T09:00", clock).isoformat()
        '2026-03-31T07:00:00+00:00'
    """
    try:
        found = _worded(_plain(text), clock)
        found = _written(_plain(text), clock) if found is None else found
    except (OverflowError, ValueError) as error:
        raise UnfitError("is not a day of the calendar", WHEN_HINT) from error
    if found is None:
        raise UnfitError("is not a day or a moment", WHEN_HINT)
    if found.year < FIRST_YEAR:
        raise UnfitError("is too long ago", WHEN_HINT)
    return found


def read_day(text: str, clock: Clock) -> date:
    """
    Read a day; as ``read_when``, but refuses what has a time of day.

    Raises:
        UnfitError: It is none.
    """
    found = read_when(text, clock)
    if isinstance(found, datetime):
        raise UnfitError("has a time of day where a day is needed", DAY_HINT)
    return found


def compared(comparison: Comparison, text: str, *, kind: Kind, clock: Clock) -> Between:
    """
    Make the test of before, after, on, from or until a day or moment; see the module's table.

    Args:
        kind: The column's: a date, a moment or a local moment.

    Raises:
        UnfitError: *text* cannot be read or does not go with *kind*.

    Example:
        >>> clock = Clock(now=datetime(2026, 3, 31, 9, tzinfo=UTC))
        >>> compared(Comparison.BEFORE, "today", kind=Kind.DATE, clock=clock).high
        datetime.date(2026, 3, 31)
    """
    if kind is Kind.DATE:
        return _date_test(comparison, read_day(text, clock))
    when = read_day(text, clock) if comparison is Comparison.ON else read_when(text, clock)
    try:
        if isinstance(when, datetime):
            return _exact_test(comparison, _shown(when, kind, clock))
        return _day_test(comparison, when, kind, clock)
    except (OverflowError, ValueError) as error:
        raise UnfitError("is too far away", WHEN_HINT) from error


def within(text: str, *, is_last: bool, kind: Kind, clock: Clock) -> Between:
    """
    Make the test of within_last (or within_next) a length of time; see the module's table.

    Raises:
        UnfitError: *text* is no length of time, does not go with *kind*, or is too long.
    """
    span = read_span(text)
    if span.is_exact and kind is Kind.DATE:
        raise UnfitError("counts hours, and a date has none", "write days")
    try:
        return _within(span, is_last=is_last, kind=kind, clock=clock)
    except (OverflowError, ValueError) as error:
        raise UnfitError("is too long", SPAN_HINT) from error


def days_of_year(days: list[date]) -> tuple[tuple[int, int], ...]:
    """
    Give the (month, day) of birthdays kept on *days*, sorted.

    Who was born on 29 February keeps it on 28 February in years without that day.

    Example:
        >>> days_of_year([date(2026, 2, 28)]), days_of_year([date(2028, 2, 28)])
        (((2, 28), (2, 29)), ((2, 28),))
    """
    found = {(day.month, day.day) for day in days}
    if any((day.month, day.day) == (2, 28) and not calendar.isleap(day.year) for day in days):
        found.add((2, 29))
    return tuple(sorted(found))


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _worded(text: str, clock: Clock) -> date | datetime | None:
    """Read the words; None: there are none of ours."""
    if text in _NEAR_DAYS:
        return clock.today + timedelta(days=_NEAR_DAYS[text])
    if text == "now":
        return clock.now.astimezone(UTC)
    for pattern, sign in ((_AGO, -1), (_AHEAD, 1)):
        if found := pattern.fullmatch(text):
            span = Span(count=int(found["count"]), unit=found["unit"])
            if span.is_exact:
                return clock.now.astimezone(UTC) + sign * span.exact()
            return span.moved(clock.today, sign=sign)
    edge = _EDGE.fullmatch(text)
    return None if edge is None else _edge(edge["edge"], edge["which"], edge["unit"], clock.today)


def _written(text: str, clock: Clock) -> date | datetime | None:
    """Read ISO 8601; None: it is not in its form."""
    if _DAY.fullmatch(text):
        return date.fromisoformat(text)
    if _MOMENT.fullmatch(text) is None:
        return None
    found = datetime.fromisoformat(text[:10] + "T" + text[11:].replace(" ", "").upper())
    return clock.at(found) if found.tzinfo is None else found.astimezone(UTC)


def _edge(edge: str, which: str | None, unit: str, today: date) -> date:
    shift = {"last": -1, "next": 1}.get(which or "this", 0)
    start = _start_of(unit, shift, today)
    return start if edge == "start" else _start_of(unit, shift + 1, today) - timedelta(days=1)


def _start_of(unit: str, shift: int, today: date) -> date:
    if unit == "week":
        return today - timedelta(days=today.weekday()) + timedelta(weeks=shift)
    months = _MONTHS[unit]
    first = today.replace(month=(today.month - 1) // months * months + 1, day=1)
    return _months_from(first, shift * months)


def _months_from(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def _shown(moment: datetime, kind: Kind, clock: Clock) -> datetime:
    return clock.on_the_wall(moment) if kind is Kind.LOCAL_MOMENT else moment


def _start(day: date, kind: Kind, clock: Clock) -> datetime:
    return datetime.combine(day, time()) if kind is Kind.LOCAL_MOMENT else clock.start_of(day)


def _date_test(comparison: Comparison, day: date) -> Between:
    if comparison is Comparison.ON:
        return Between(low=day, high=day)
    return _exact_test(comparison, day)


def _exact_test(comparison: Comparison, value: date) -> Between:
    match comparison:
        case Comparison.BEFORE:
            return Between(high=value, has_high=False)
        case Comparison.AFTER:
            return Between(low=value, has_low=False)
        case Comparison.FROM:
            return Between(low=value)
        case _:
            return Between(high=value)


def _day_test(comparison: Comparison, day: date, kind: Kind, clock: Clock) -> Between:
    start, next_day = _start(day, kind, clock), day + timedelta(days=1)
    match comparison:
        case Comparison.BEFORE:
            return Between(high=start, has_high=False)
        case Comparison.FROM:
            return Between(low=start)
        case Comparison.AFTER:
            return Between(low=_start(next_day, kind, clock))
        case Comparison.UNTIL:
            return Between(high=_start(next_day, kind, clock), has_high=False)
        case _:
            return Between(low=start, high=_start(next_day, kind, clock), has_high=False)


def _within(span: Span, *, is_last: bool, kind: Kind, clock: Clock) -> Between:
    now, sign = clock.now.astimezone(UTC), -1 if is_last else 1
    if span.is_exact:
        # Sorted as shown: when the clocks go back, the wall may show the later moment as earlier.
        low, high = sorted(_shown(end, kind, clock) for end in (now, now + sign * span.exact()))
        return Between(low=low, high=high)
    day = span.moved(clock.today, sign=sign)
    if kind is Kind.DATE:
        return Between(low=min(day, clock.today), high=max(day, clock.today))
    if is_last:
        return Between(low=_start(day, kind, clock), high=_shown(now, kind, clock))
    end = _start(day + timedelta(days=1), kind, clock)
    return Between(low=_shown(now, kind, clock), high=end, has_high=False)
