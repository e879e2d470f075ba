"""
Reads the easy majority of phone numbers without the library, and says where it is not sure.

It follows how phonenumbers parses, with patterns made from its metadata: the international
prefix of the region, the plus, the calling code in front without a plus, the national prefix.
It is not sure of letters and unusual characters, of more than 17 digits, of calling codes
nobody has, of carrier codes and other prefixes that are rewritten: those are the library's.
"""

from __future__ import annotations

import functools
import re
from typing import Final

import phonenumbers
from phonenumbers import PhoneMetadata

from smsflow_provider.core.preparation.number_patterns import (
    judges_by_start,
    judges_of_stripped,
    metadata_of,
    pattern_of_possible,
)
from smsflow_provider.core.preparation.number_value import Number, NumberProblem, problem_number

_SEPARATORS: Final = " .-()/"


class QuickReader:
    """
    Reads the numbers of a column whose national numbers belong to one region.

    Args:
        region: ISO 3166 code, known to phonenumbers; None: national numbers belong nowhere.
    """

    def __init__(self, region: str | None) -> None:
        self._read_national = _read_homeless if region is None else _National(region).read

    def read(self, text: str) -> Number | None:
        """
        Read a text as ``phonenumbers.parse`` would, just as it stands.

        Returns:
            The number or its problem; None: not sure.
        """
        number = self._read(text)
        if number is not None and number.e164 is None and is_short(text):
            return problem_number(NumberProblem.SHORT_CODE)
        return number

    def read_valid(self, text: str) -> Number | None:
        """Read a text that nothing must be undone in; None: not sure, or not a number."""
        point = text.find(".")
        if 0 <= len(text.rstrip()) - 3 <= point:
            return None  # a spreadsheet's decimals, to be cut off first: 612345678.0
        number = self._read(text)
        return number if number is not None and number.e164 is not None else None

    def _read(self, text: str) -> Number | None:
        digits = text if text.isdigit() and text.isascii() else _digits_of(text)
        if digits is None:
            return None
        if digits[0] == "+":
            return read_international(digits)
        return self._read_national(digits) if 3 <= len(digits) <= 17 else None


def read_international(e164: str) -> Number | None:
    """Read plus and digits; None: not sure."""
    judges = judges_by_start().get(e164[:4])
    return None if judges is None else judges.read(e164)


def is_short(text: str) -> bool:
    """Whether it is written like a short code: 3 to 6 digits without plus or ``00``."""
    digits = sum(char.isdigit() for char in text)
    return 3 <= digits <= 6 and "+" not in text and not text.startswith("00")


@functools.cache
def quick_reader(region: str | None) -> QuickReader:
    """Give the reader of a region, in capitals; there is one."""
    return QuickReader(region)


def _read_homeless(_: str) -> Number:
    return problem_number(NumberProblem.NO_REGION)


def _digits_of(text: str) -> str | None:
    """The digits, and the plus before them; None: there are other characters than separators."""
    if not text.isascii():
        return None
    for separator in _SEPARATORS:
        text = text.replace(separator, "")
    return text if text.isdigit() or (text[:1] == "+" and text[1:].isdigit()) else None


class _National:
    """
    The ways to write a number in one region, without a plus.

    Args:
        region: ISO 3166 code, known to phonenumbers.
    """

    def __init__(self, region: str) -> None:
        code = phonenumbers.country_code_for_region(region)
        metadata = metadata_of(code, region=region)
        self._code = str(code)
        self._judges = judges_of_stripped(code)
        self._abroad = re.compile(metadata.international_prefix or "(?!)").match
        self._prefix = re.compile(metadata.national_prefix_for_parsing or "").match
        self._is_possible = re.compile(pattern_of_possible(metadata)).fullmatch
        self._lengths = Lengths(metadata)
        self._plain = re.compile(_plain_pattern_of(metadata)).fullmatch

    def read(self, digits: str) -> Number | None:
        """Read three digits or more; None: not sure."""
        plain = self._plain(digits)
        if plain:
            return self._judges.read(f"+{self._code}{plain[1]}")
        abroad = self._abroad(digits)
        if abroad:
            rest = digits[abroad.end() :]
            # No calling code begins with a zero, and then the prefix is none.
            return None if rest[:1] in {"", "0"} else read_international(f"+{rest}")
        if digits.startswith(self._code):
            is_international = self._is_international(digits)
            if is_international is not False:
                return read_international(f"+{digits}") if is_international else None
        national = self._stripped(digits)
        return None if national is None else self._judges.read(f"+{self._code}{national}")

    def _is_international(self, digits: str) -> bool | None:
        """Whether the calling code stands in front of a national number; None: not sure."""
        rest = digits[len(self._code) :]
        prefix = self._prefix(rest)
        if prefix is not None and prefix.end():
            return None
        if self._lengths.are_exceeded_by(len(digits)):
            return True
        return self._is_possible(rest) is not None and self._is_possible(digits) is None

    def _stripped(self, digits: str) -> str | None:
        """The digits without the national prefix, if there is one; None: not sure."""
        prefix = self._prefix(digits)
        if prefix is None or not prefix.end():
            return digits
        if prefix.lastindex is not None:
            return None  # a carrier code, or digits that are to be rewritten
        rest = digits[prefix.end() :]
        if self._is_possible(digits) and not self._is_possible(rest):
            return digits
        return rest if self._lengths.allow(len(rest)) else digits


def _plain_pattern_of(metadata: PhoneMetadata) -> str:
    """
    The pattern of a national prefix and a possible number, where that can be nothing else.

    Never matches where the prefix is more than some digits, or none.
    """
    prefix = metadata.national_prefix_for_parsing or ""
    if not prefix.isdigit():
        return "(?!)"
    abroad = f"(?!{metadata.international_prefix})" if metadata.international_prefix else ""
    lengths = "|".join(f"[0-9]{{{length}}}" for length in Lengths(metadata).whole)
    possible = rf"(?=(?:{lengths})\Z)({pattern_of_possible(metadata)})"
    return f"{abroad}(?!{metadata.country_code}){prefix}{possible}"


class Lengths:
    """How many digits the national numbers of a region have."""

    def __init__(self, metadata: PhoneMetadata) -> None:
        general = metadata.general_desc
        self._local = frozenset(general.possible_length_local_only if general else ())
        #: How many a possible number has.
        self.whole = frozenset(general.possible_length if general else ())
        self._longest = max(self.whole, default=0)

    def allow(self, count: int) -> bool:
        """Whether a national prefix may leave that many; too many are no obstacle."""
        return count in self.whole or self.are_exceeded_by(count)

    def are_exceeded_by(self, count: int) -> bool:
        """Whether there are too many."""
        return count > self._longest and count not in self._local
