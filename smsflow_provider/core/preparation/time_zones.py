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
    world = _world()
    world.learn(aligned)
    found = world.starts.search_sorted(line * 10**_WIDTH + aligned, side="right") - 1
    return world.zones.gather(found).rename("zones")


class _World:
    """Where zones begin and end on the lines, for the calling codes that have been met."""

    def __init__(self) -> None:
        self._pieces: dict[int, str] = {0: ""}
        self._heads: set[int] = set()
        self._codes: set[str] = set()
        self._settle()

    def learn(self, aligned: pl.Series) -> None:
        """Learn the calling codes of these numbers; all at once would take a second."""
        heads = set((aligned // 10 ** (_WIDTH - 3)).unique().to_list()) - self._heads
        if not heads:
            return
        self._heads |= heads
        codes = {_code_of(f"{head:03d}") for head in heads} - self._codes - {""}
        self._codes |= codes
        for code in codes:
            self._add(code)
        self._settle()

    def _add(self, code: str) -> None:
        kinds = [(number_type, size) for number_type in _TYPES for size in _SIZES]
        end = (int(code) + 1) * 10 ** (_WIDTH - len(code))
        for at, (number_type, size) in enumerate(kinds):
            # What begins where this ends may be there already.
            self._pieces.setdefault(at * 10**_WIDTH + end, "")
            for start, zones in _pieces(code, number_type, size=size):
                self._pieces[at * 10**_WIDTH + start] = zones

    def _settle(self) -> None:
        starts = sorted(self._pieces)
        self.starts = pl.Series("start", starts, dtype=pl.Int64)
        self.zones = pl.Series("zones", [self._pieces[start] for start in starts], dtype=pl.String)


@functools.cache
def _world() -> _World:
    return _World()


@functools.cache
def _calling_codes() -> frozenset[str]:
    return frozenset(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))


def _code_of(digits: str) -> str:
    """Give the calling code that digits begin with; empty: none."""
    return next((digits[:size] for size in (1, 2, 3) if digits[:size] in _calling_codes()), "")


def _pieces(code: str, number_type: int, *, size: int) -> Iterator[tuple[int, str]]:
    """Give where within a calling code other zones may begin, in order, and what they are."""
    known = {one for one in TIMEZONE_DATA if len(one) <= size and one.startswith(code)}
    end = (int(code) + 1) * 10 ** (_WIDTH - len(code))
    bounds = set()
    for prefix in {code, *known}:
        block = 10 ** (_WIDTH - len(prefix))
        bounds |= {int(prefix) * block, (int(prefix) + 1) * block}
    for bound in sorted(bounds - {end}):
        digits = f"{bound:0{_WIDTH}d}"
        yield bound, _zones_at(digits, code=code, number_type=number_type, size=size)


def _zones_at(digits: str, *, code: str, number_type: int, size: int) -> str:
    is_in_place = is_number_type_geographical(number_type, int(code))
    # The library never tries the first digit alone, but where it is the code.
    tried = digits[:size] if is_in_place else code
    shortest = 1 if is_in_place else min(2, len(code))
    counts = range(len(tried), shortest - 1, -1)
    found = next((tried[:count] for count in counts if tried[:count] in TIMEZONE_DATA), None)
    names = TIMEZONE_DATA[found] if found else ()
    return ",".join(sorted(name for name in names if name != UNKNOWN_TIMEZONE))
