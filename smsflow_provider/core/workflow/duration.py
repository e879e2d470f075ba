"""Durations as people write them: ``90m``, ``48h``, ``2d 12h``."""

from __future__ import annotations

import re
from datetime import timedelta

from smsflow_provider.core.workflow.problem import refusal

#: Longer than a year is a slip of the pen, and far from any overflow.
LONGEST = timedelta(days=366)

_HINT = "write a number and a unit: 90m, 48h, 3d, 1w, 2d 12h"
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_PIECE = re.compile(r"(\d{1,9})\s*([wdhms])")
_ALL = re.compile(rf"\s*{_PIECE.pattern}(\s*{_PIECE.pattern})*\s*")


def read_duration(given: object) -> object:
    """
    Read a duration; what is not a text of ours is left to pydantic (a timedelta, ISO 8601).

    Raises:
        PydanticCustomError: A text that is no duration, or a bare number (of what?).

    Example:
        >>> read_duration("2d 12h"), read_duration("90m")
        (datetime.timedelta(days=2, seconds=43200), datetime.timedelta(seconds=5400))
    """
    if isinstance(given, timedelta) or (isinstance(given, str) and given.startswith("P")):
        return given
    if not isinstance(given, str) or _ALL.fullmatch(given) is None:
        raise refusal("is not a duration", _HINT)
    pieces = _PIECE.findall(given)
    if len(pieces) != len({unit for _, unit in pieces}):
        raise refusal("names a unit twice", _HINT)
    return _sum_of(pieces)


def check_duration(value: timedelta) -> timedelta:
    """
    Accept more than nothing and at most a year.

    Raises:
        PydanticCustomError: It is not.
    """
    if not timedelta(0) < value <= LONGEST:
        raise refusal("must be more than zero and at most 366 days", _HINT)
    return value


def _sum_of(pieces: list[tuple[str, str]]) -> timedelta:
    try:
        return timedelta(**{_UNITS[unit]: int(number) for number, unit in pieces})
    except OverflowError:
        return timedelta.max
