"""The time zones in which the owners of phone numbers may be, as phonenumbers knows them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Final

import phonenumbers
import polars as pl
from phonenumbers import PhoneNumberType
from phonenumbers.phonenumberutil import is_number_type_geographical
from phonenumbers.timezone import UNKNOWN_TIMEZONE
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

from smsflow_provider.core.preparation.number_line import TENS, digits_of
from smsflow_provider.core.preparation.number_plan import NUMBER_KINDS
from smsflow_provider.core.preparation.number_value import NumberKind
from smsflow_provider.core.preparation.numbers import KIND

# Numbers stand on a line as if all had so many digits, those behind their own being zeros.
_WIDTH: Final = 17
# A prefix is none of a number that is shorter. Numbers as long as the longest prefix, or
# longer, need no distinction; nor do the shortest, for no number is shorter still.
_SIZES: Final = range(4, TIMEZONE_LONGEST_PREFIX + 1)
# Kinds that say where in its country a number is; the last is for all others. Each has a
# line for each size, and they stand behind one another.
_TYPES: Final = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.UNKNOWN)
_PLACES: Final = {
    NumberKind.FIXED_LINE: 0,
    NumberKind.FIXED_LINE_OR_MOBILE: 0,
    NumberKind.MOBILE: 1,
}


def zones_of(numbers: pl.DataFrame) -> pl.Series:
    """
    Give the time zones of each number.

    Often they are all zones of its country: a mobile number of Australia has eight. What must
    not happen at night there must not happen in any of them. A number that moved keeps the
    zone it was given out in.

    Args:
        numbers: Columns ``phone`` and ``kind``, as ``numbers.read_numbers`` gives them.

    Returns:
        Texts, one for each row, in order: the IANA names, sorted and joined by commas. Empty
        where the library knows none, and where there is no number.

    Example:
        >>> zones_of(pl.DataFrame({"phone": [33612345678, 12015550123, None],
        ...                        "kind": ["mobile", "fixed_line_or_mobile", None]})).to_list()
        ['Europe/Paris', 'America/New_York', '']
    """
    phones = numbers.get_column("phone").cast(pl.Int64).fill_null(0)
    size = digits_of(phones).cast(pl.Int64)
    aligned = phones * TENS.gather((_WIDTH - size).clip(0, len(TENS) - 1))
    kinds = numbers.get_column("kind").cast(KIND).to_physical()
    types = pl.Series([_PLACES.get(kind, len(_TYPES) - 1) for kind in NUMBER_KINDS], dtype=pl.Int64)
    line = types.gather(kinds).fill_null(len(_TYPES) - 1) * len(_SIZES)
    line += size.clip(_SIZES[0], _SIZES[-1]) - _SIZES[0]
    starts, zones = _lines()
    found = starts.search_sorted(line * 10**_WIDTH + aligned, side="right") - 1
    return zones.gather(found).rename("zones")


@functools.cache
def _lines() -> tuple[pl.Series, pl.Series]:
    """From each start to the next one, the zones are the same."""
    line: list[tuple[int, str]] = []
    kinds = [(number_type, size) for number_type in _TYPES for size in _SIZES]
    for at, (number_type, size) in enumerate(kinds):
        for start, zones in _pieces(number_type, size=size):
            if not line or line[-1][1] != zones:
                line.append((at * 10**_WIDTH + start, zones))
    return (
        pl.Series("start", [start for start, _ in line], dtype=pl.Int64),
        pl.Series("zones", [zones for _, zones in line], dtype=pl.String),
    )


def _pieces(number_type: int, *, size: int) -> Iterator[tuple[int, str]]:
    """Give where other zones may begin, in order, and what they are."""
    codes = set(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
    prefixes = codes | {prefix for prefix in TIMEZONE_DATA if len(prefix) <= size}
    bounds = {0}
    for prefix in prefixes:
        block = 10 ** (_WIDTH - len(prefix))
        bounds |= {int(prefix) * block, (int(prefix) + 1) * block}
    for bound in sorted(bounds):
        digits = f"{bound:0{_WIDTH}d}"
        code = next((digits[:count] for count in (1, 2, 3) if digits[:count] in codes), "")
        yield (
            bound,
            _zones_at(digits, code=code, number_type=number_type, size=size) if code else "",
        )


def _zones_at(digits: str, *, code: str, number_type: int, size: int) -> str:
    is_in_place = is_number_type_geographical(number_type, int(code))
    # The library never tries the first digit alone, but where it is the code.
    tried = digits[:size] if is_in_place else code
    shortest = 1 if is_in_place else min(2, len(code))
    counts = range(len(tried), shortest - 1, -1)
    found = next((tried[:count] for count in counts if tried[:count] in TIMEZONE_DATA), None)
    names = TIMEZONE_DATA[found] if found else ()
    return ",".join(sorted(name for name in names if name != UNKNOWN_TIMEZONE))
