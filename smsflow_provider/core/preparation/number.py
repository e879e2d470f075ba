"""
From what stands in a phone column to an E.164 number, or a reason why not.

phonenumbers decides what is valid (``is_valid_number``); here the damage is undone that
spreadsheets, forms and exports do to a number before it gets to us, and only where that can
be done without guessing: a number that might be somebody else's is refused.

Nothing here looks a number up anywhere: that it is valid does not mean it is in use, or
that it can get texts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, ValidationResult

from smsflow_provider.core.errors import ConfigError


class NumberProblem(StrEnum):
    """Why what stands there is not a number that can get a text."""

    #: Nothing stands there: None, NaN, blanks.
    NO_ADDRESS = "no_address"
    #: No digits, a broken spreadsheet number, or not a text or number at all.
    NOT_A_NUMBER = "not_a_number"
    #: Letters, as in 0800 FLOWERS. They are not read as digits.
    LETTERS = "letters"
    #: Written the national way, and nobody said of which country.
    NO_REGION = "no_region"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    #: Has an extension behind it: a text would reach the switchboard.
    EXTENSION = "extension"
    #: Three to six digits that are no full number where it is written.
    SHORT_CODE = "short_code"
    #: Of a possible length, but no such number is given out there.
    INVALID = "invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """What came of one raw value: exactly one of *e164* and *problem* is None."""

    #: Plus and 7 to 15 digits. Hidden from repr: it is personal.
    e164: str | None = field(default=None, repr=False)
    problem: NumberProblem | None = None
    #: ISO 3166 code of the number's own country. None: a problem, or a number of no country.
    region: str | None = None


# Longer than any way to write a number; phonenumbers reads no more either.
_LONGEST: Final = 250
_SPREADSHEET = re.compile(r"[0-9]{7,16}[.,]0{1,2}")
_SCIENTIFIC = re.compile(r"([0-9])[.,]?([0-9]*)[eE]\+?([0-9]{1,3})")
_SCHEME = re.compile(r"(?:tel|sms|callto):", re.IGNORECASE)
_PARAMETERS = re.compile(r"(?:;[^;]*)+$")
_TRUNK = re.compile(r"((?:\+|00)[ (]*[0-9]{1,3}[ )]*)\(\s*0\s*\)")
_DOUBLE_ZERO = re.compile(r"00(?=[1-9])")
# What writes nothing: quotes and the equals sign that keep a spreadsheet's hands off.
_WRAPPING: Final = " \t\r\n'\"=`\u2018\u2019\u201c\u201d"

_PROBLEM_OF_LENGTH: Final = {
    ValidationResult.TOO_SHORT: NumberProblem.TOO_SHORT,
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: NumberProblem.TOO_SHORT,
    ValidationResult.TOO_LONG: NumberProblem.TOO_LONG,
}
_PROBLEM_OF_PARSE: Final = {
    NumberParseException.NOT_A_NUMBER: NumberProblem.NOT_A_NUMBER,
    NumberParseException.TOO_SHORT_AFTER_IDD: NumberProblem.TOO_SHORT,
    NumberParseException.TOO_SHORT_NSN: NumberProblem.TOO_SHORT,
    NumberParseException.TOO_LONG: NumberProblem.TOO_LONG,
}


def to_e164(raw: object, *, region: str | None = None) -> Number:
    """
    Read one phone number.

    Undone: ``33612345678.0`` and ``6.12345678E+08`` (where no digit is lost), a leading zero
    a spreadsheet took (where the region allows), quotes and ``=`` around it, blanks of all
    kinds, invisible marks, full-width and Arabic digits, ``tel:``, ``00`` for the plus,
    ``+33 (0)6``. A number without plus or ``00`` belongs to *region*; the code of that
    country in front of it is understood, that of another is not: it would be a guess.

    Args:
        raw: A text, a whole number, a float or None, as a column holds it. Anything else is
            ``not_a_number``.
        region: ISO 3166 code of the country of numbers written the national way. None: such
            numbers are ``no_region``.

    Returns:
        The number, or the problem.

    Raises:
        ConfigError: phonenumbers does not know *region*. Never for a bad *raw*.

    Example:
        >>> to_e164("06 12 34 56 78", region="FR").e164, to_e164("0033612345678").e164
        ('+33612345678', '+33612345678')
        >>> to_e164("0612345678")
        Number(problem=<NumberProblem.NO_REGION: 'no_region'>, region=None)
    """
    return _decide(raw, region=check_region(region))


def to_e164_many(raws: Iterable[object], *, region: str | None = None) -> list[Number]:
    """
    Read many numbers; the same text is read once.

    Args:
        raws: As for ``to_e164``.
        region: As for ``to_e164``.

    Returns:
        One result for each, in order.

    Raises:
        ConfigError: phonenumbers does not know *region*.
    """
    known = check_region(region)
    decided: dict[object, Number] = {}
    return [_decide_once(raw, region=known, decided=decided) for raw in raws]


def check_region(region: str | None) -> str | None:
    """
    Give *region* in capitals; None for none.

    Raises:
        ConfigError: phonenumbers does not know it.
    """
    if region is None:
        return None
    code = region.strip().upper()
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise ConfigError("not an ISO 3166 country code with phone numbers", region=region)
    return code


def _decide_once(raw: object, *, region: str | None, decided: dict[object, Number]) -> Number:
    # Only texts and whole numbers: 1.0 and True are equal to 1.
    if raw.__class__ is not str and raw.__class__ is not int:
        return _decide(raw, region=region)
    number = decided.get(raw)
    if number is None:
        number = decided[raw] = _decide(raw, region=region)
    return number


def _decide(raw: object, *, region: str | None) -> Number:
    """Read one number of a known region. A quicker way for the easy majority goes in here."""
    text = _text_of(raw)
    if isinstance(text, NumberProblem):
        return Number(problem=text)
    if len(text) > _LONGEST:
        return Number(problem=NumberProblem.TOO_LONG)
    return _read(_clean(text), region=region)


def _text_of(raw: object) -> str | NumberProblem:
    if raw is None:
        return NumberProblem.NO_ADDRESS
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float, Decimal)):
        return NumberProblem.NOT_A_NUMBER
    if isinstance(raw, str):
        return raw
    return _text_of_numeric(Decimal(raw))


def _text_of_numeric(value: Decimal) -> str | NumberProblem:
    if value.is_nan():
        return NumberProblem.NO_ADDRESS
    if value.is_infinite() or value < 0:
        return NumberProblem.NOT_A_NUMBER
    if value >= 10**20:
        return NumberProblem.TOO_LONG
    return str(int(value)) if value == int(value) else NumberProblem.NOT_A_NUMBER


def _clean(text: str) -> str:
    """Plain digits and blanks, without what is around the number or invisible in it."""
    if not text.isascii():
        text = "".join(map(_plain, text))
    return _SCHEME.sub("", text.strip(_WRAPPING), count=1)


def _plain(char: str) -> str:
    """Decimal digits of all scripts become ours, all blanks a space, invisible marks nothing."""
    if char.isascii():
        return char
    if unicodedata.category(char) == "Cf":
        return ""
    value = unicodedata.decimal(char, None)
    return str(value) if value is not None else " " if char.isspace() else char


def _read(text: str, *, region: str | None) -> Number:
    """Read a clean text, as it stands and, where that is no number, in other ways."""
    if not text:
        return Number(problem=NumberProblem.NO_ADDRESS)
    text = _without_spreadsheet(text)
    problem = _problem_of_characters(text)
    if problem:
        return Number(problem=problem)
    number = _parse(text, region=region)
    for other in _other_ways(text):
        if number.e164 is None:
            number = _better(number, _parse(other, region=region))
    return number


def _better(number: Number, other: Number) -> Number:
    """Take *other* when it is one, or when it has more to say than that a region is missing."""
    is_better = other.e164 is not None or number.problem is NumberProblem.NO_REGION
    return other if is_better else number


def _problem_of_characters(text: str) -> NumberProblem | None:
    # A superscript or a number in a circle is a note or an ornament, not a digit of a number.
    has_odd_digits = any(char.isnumeric() and not char.isdecimal() for char in text)
    if has_odd_digits or _SCIENTIFIC.fullmatch(text):
        return NumberProblem.NOT_A_NUMBER
    if any(char.isdecimal() for char in text):
        return None
    is_words = any(char.isalpha() for char in text)
    return NumberProblem.LETTERS if is_words else NumberProblem.NOT_A_NUMBER


def _without_spreadsheet(text: str) -> str:
    """Undo what a spreadsheet does to a whole number, where every digit is still there."""
    if _SPREADSHEET.fullmatch(text):
        return re.split("[.,]", text)[0]
    found = _SCIENTIFIC.fullmatch(text)
    if found and len(found[2]) >= int(found[3]) and not found[2][int(found[3]) :].strip("0"):
        return found[1] + found[2][: int(found[3])]
    return text


def _other_ways(text: str) -> list[str]:
    """Other readings of the same number: ``00`` for the plus, no zero in brackets."""
    ways = []
    if _TRUNK.match(text):
        text = _TRUNK.sub(r"\1", text, count=1)
        ways.append(text)
    if _DOUBLE_ZERO.match(text):
        ways.append(_DOUBLE_ZERO.sub("+", text, count=1))
    return ways


def _parse(text: str, *, region: str | None) -> Number:
    try:
        parsed = phonenumbers.parse(text, region)
    except NumberParseException as error:
        return Number(problem=_problem_of_parse(error.error_type, text=text, region=region))
    if parsed.extension:
        return Number(problem=NumberProblem.EXTENSION)
    if any(char.isalpha() for char in _PARAMETERS.sub("", text)):
        return Number(problem=NumberProblem.LETTERS)
    if not phonenumbers.is_valid_number(parsed):
        return Number(problem=_problem_of(parsed, text=text))
    return _number_of(parsed)


def _number_of(parsed: PhoneNumber) -> Number:
    region = phonenumbers.region_code_for_number(parsed)
    return Number(
        e164=phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164),
        region=None if region == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY else region,
    )


def _problem_of(parsed: PhoneNumber, *, text: str) -> NumberProblem:
    if _is_short(text):
        return NumberProblem.SHORT_CODE
    length = phonenumbers.is_possible_number_with_reason(parsed)
    return _PROBLEM_OF_LENGTH.get(length, NumberProblem.INVALID)


def _problem_of_parse(kind: int, *, text: str, region: str | None) -> NumberProblem:
    if any(char.isalpha() for char in text):
        return NumberProblem.LETTERS
    if _is_short(text):
        return NumberProblem.SHORT_CODE
    if kind != NumberParseException.INVALID_COUNTRY_CODE:
        return _PROBLEM_OF_PARSE[kind]
    is_national = region is None and not text.lstrip(" (").startswith("+")
    return NumberProblem.NO_REGION if is_national else NumberProblem.INVALID


def _is_short(text: str) -> bool:
    digits = sum(char.isdigit() for char in text)
    return 3 <= digits <= 6 and "+" not in text and not text.startswith("00")
