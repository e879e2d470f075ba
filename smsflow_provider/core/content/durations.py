"""Durations as people write them."""

from __future__ import annotations

import re
from typing import Final

from pydantic_core import PydanticCustomError

_DURATION = re.compile(r"([0-9]{1,7}) ?([smhd]?)")
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


def refusal(text: str, hint: str = "") -> PydanticCustomError:
    """Make the error of a setting that cannot be used, with what to do instead."""
    return PydanticCustomError("smsflow", "{text}", {"text": text, "hint": hint})


def read_duration_s(given: object) -> object:
    """
    Read ``24h``, ``90m``, ``2d``, ``45s`` or a number of seconds; leave the rest to pydantic.

    Raises:
        PydanticCustomError: A text that is no duration.

    Example:
        >>> read_duration_s("24h"), read_duration_s("90m"), read_duration_s("600")
        (86400, 5400, 600)
    """
    if not isinstance(given, str):
        return given
    found = _DURATION.fullmatch(given.strip())
    if found is None:
        raise refusal("is not a duration", "write 90m, 24h, 2d or a number of seconds")
    return int(found[1]) * _SECONDS[found[2]]


def in_words(seconds: float) -> str:
    """
    Say a duration as people do, in the unit that fits.

    Example:
        >>> in_words(62), in_words(600), in_words(10_000)
        ('62 s', '10 min', '2.8 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} days"
