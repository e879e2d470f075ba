"""What reading a phone number gives: the number with its kind and region, or a problem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final


class NumberProblem(StrEnum):
    """Why what stands there is not a number that can get a text."""

    #: Nothing stands there: None, NaN, blanks.
    NO_ADDRESS = "no_address"
    #: No digits, or not a text or number at all.
    NOT_A_NUMBER = "not_a_number"
    #: A spreadsheet's 6.12E+08: the digits behind are gone, and it may be anybody's.
    DIGITS_LOST = "digits_lost"
    #: Letters, as in 0800 FLOWERS. They are not read as digits.
    LETTERS = "letters"
    #: Written the national way, and nobody said of which country.
    NO_REGION = "no_region"
    #: Fewer digits than any number has there.
    TOO_SHORT = "too_short"
    #: More digits than any number has there, as where two numbers stand in one field.
    TOO_LONG = "too_long"
    #: Has an extension behind it: a text would reach the switchboard.
    EXTENSION = "extension"
    #: Three to six digits that are no full number where it is written.
    SHORT_CODE = "short_code"
    #: Of a possible length, but no such number is given out there.
    INVALID = "invalid"


class NumberKind(StrEnum):
    """
    What a number is given out for, as phonenumbers has it.

    It says nothing about one subscriber: a fixed line may take texts, and a mobile number may
    be in a machine.
    """

    #: Given out for mobile phones.
    MOBILE = "mobile"
    #: Given out for phones that stand in one place.
    FIXED_LINE = "fixed_line"
    #: The plan does not tell the two apart: all ordinary numbers of the United States.
    FIXED_LINE_OR_MOBILE = "fixed_line_or_mobile"
    #: The one who is called pays.
    TOLL_FREE = "toll_free"
    #: The caller pays more than for the call.
    PREMIUM = "premium"
    #: The caller pays a part.
    SHARED_COST = "shared_cost"
    #: A phone on the internet.
    VOIP = "voip"
    #: Follows a person over several lines.
    PERSONAL = "personal"
    #: Takes short messages only, and not by SMS.
    PAGER = "pager"
    #: One number for the whole of a company.
    UAN = "uan"
    #: Where voice messages are fetched.
    VOICEMAIL = "voicemail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """What came of one raw value: exactly one of *e164* and *problem* is None."""

    #: Plus and 7 to 15 digits. Hidden from repr: it is personal.
    e164: str | None = field(default=None, repr=False)
    problem: NumberProblem | None = None
    #: ISO 3166 code of the number's own country. None: a problem, or a number of no country.
    region: str | None = None
    #: None: a problem.
    kind: NumberKind | None = None


_PROBLEMS: Final = {problem: Number(problem=problem) for problem in NumberProblem}


def problem_number(problem: NumberProblem) -> Number:
    """Give the one Number of *problem*; they are all alike, and there may be many."""
    return _PROBLEMS[problem]


class _Blank:
    """A Number that can still be written to: it has the same slots."""

    __slots__ = ("e164", "kind", "problem", "region")


def number_maker(*, region: str | None, kind: NumberKind) -> Callable[[str], Number]:
    """
    Give a function that makes Numbers of one region and kind of their E.164.

    It passes by ``__init__``, which takes ten times as long where the dataclass is frozen.
    Nothing is checked.

    Example:
        >>> number_maker(region="FR", kind=NumberKind.MOBILE)("+33612345678").kind.value
        'mobile'
    """

    def make(e164: str) -> Number:
        blank: Any = _Blank()
        blank.e164 = e164
        blank.problem = None
        blank.region = region
        blank.kind = kind
        blank.__class__ = Number
        number: Number = blank
        return number

    return make
