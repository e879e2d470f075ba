"""
From what stands in a phone column to an E.164 number, or a reason why not.

phonenumbers decides what is valid (``is_valid_number``); here the damage is undone that
spreadsheets, forms and exports do to a number before it gets to us, and only where that can
be done without guessing: a number that might be somebody else's is refused.

One by one the library reads them. Of many, patterns made from its own metadata answer what
they are sure of (``number_quick``), some 10 times as fast, and the library the rest; tests
compare the two. Whole columns are read by ``numbers``.

Nothing here looks a number up anywhere: that it is valid does not mean it is in use, or
that it can get texts.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.number_patterns import PROBLEM_OF_LENGTH, judges_by_start
from smsflow_provider.core.preparation.number_quick import QuickReader, is_short, quick_reader
from smsflow_provider.core.preparation.number_value import (
    Number,
    NumberKind,
    NumberProblem,
    problem_number,
)

__all__ = ["Number", "NumberKind", "NumberProblem", "check_region", "to_e164", "to_e164_many"]


# Longer than any way to write a number; phonenumbers reads no more either.
_LONGEST: Final = 250
_SPREADSHEET = re.compile(r"[0-9]{7,16}[.,]0{1,2}")
_SCIENTIFIC = re.compile(r"([0-9])[.,]?([0-9]*)[eE]\+?([0-9]{1,3})")
_SCHEME = re.compile(r"(?:tel|sms|callto):", re.IGNORECASE)
_PARAMETERS = re.compile(r"(?:;[^;]*)+$")
_TRUNK = re.compile(r"((?:\+|00)[ (]*[0-9]{1,3}[ )]*)\(\s*0\s*\)")
_DOUBLE_ZERO = re.compile(r"00[ .-]?(?=[1-9])")
#: What writes nothing: quotes and the equals sign that keep a spreadsheet's hands off.
WRAPPING: Final = " \t\r\n'\"=`\u2018\u2019\u201c\u201d"

_PROBLEM_OF_PARSE: Final = {
    NumberParseException.NOT_A_NUMBER: NumberProblem.NOT_A_NUMBER,
    NumberParseException.TOO_SHORT_AFTER_IDD: NumberProblem.TOO_SHORT,
    NumberParseException.TOO_SHORT_NSN: NumberProblem.TOO_SHORT,
    NumberParseException.TOO_LONG: NumberProblem.TOO_LONG,
}
_KIND_OF_TYPE: Final = {
    PhoneNumberType.MOBILE: NumberKind.MOBILE,
    PhoneNumberType.FIXED_LINE: NumberKind.FIXED_LINE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberKind.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.TOLL_FREE: NumberKind.TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE: NumberKind.PREMIUM,
    PhoneNumberType.SHARED_COST: NumberKind.SHARED_COST,
    PhoneNumberType.VOIP: NumberKind.VOIP,
    PhoneNumberType.PERSONAL_NUMBER: NumberKind.PERSONAL,
    PhoneNumberType.PAGER: NumberKind.PAGER,
    PhoneNumberType.UAN: NumberKind.UAN,
    PhoneNumberType.VOICEMAIL: NumberKind.VOICEMAIL,
}

#: Reads a clean text just as it stands.
_Parser = Callable[[str], Number]


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
        Number(problem=<NumberProblem.NO_REGION: 'no_region'>, region=None, kind=None)
    """
    return _decide(raw, parse=functools.partial(_parse, region=check_region(region)))


def to_e164_many(raws: Iterable[object], *, region: str | None = None) -> list[Number]:
    """
    Read many numbers, each as ``to_e164`` reads it, but most of them without the library.

    Args:
        raws: As for ``to_e164``.
        region: As for ``to_e164``.

    Returns:
        One result for each, in order. Problems may be one and the same object.

    Raises:
        ConfigError: phonenumbers does not know *region*.

    Example:
        >>> [n.kind.value for n in to_e164_many(["+33612345678", "0123456789"], region="FR")]
        ['mobile', 'fixed_line']
    """
    odd = _OddOnes(check_region(region))
    judges_of = judges_by_start().get
    read_valid = odd.quick.read_valid
    numbers: list[Number] = []
    for raw in raws:
        number = None
        if raw.__class__ is str:
            # Most of a clean column: plus and digits.
            judges = judges_of(raw[:4])
            if judges is not None:
                match, makers = judges[len(raw)]
                found = match(raw)
                number = makers[found.lastindex or 0](raw) if found else None
            else:
                number = read_valid(raw)
        numbers.append(odd.read(raw) if number is None else number)
    return numbers


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


class _OddOnes:
    """
    Reads what is not just a plus and digits, and remembers what took long.

    Args:
        region: Known to phonenumbers; None: national numbers belong nowhere.
    """

    def __init__(self, region: str | None) -> None:
        self._region = region
        self.quick: Final[QuickReader] = quick_reader(region)
        self._decided: dict[object, Number] = {}

    def read(self, raw: object) -> Number:
        text = _plain_text_of(raw)
        if text is None:
            return _decide(raw, parse=self._parse)
        number = self.quick.read_valid(text) or self._decided.get(text)
        if number is None:
            number = self._decided[text] = _decide(text, parse=self._parse)
        return number

    def _parse(self, text: str) -> Number:
        return self.quick.read(text) or _parse(text, region=self._region)


def _plain_text_of(raw: object) -> str | None:
    """A text, or the digits of a whole number of ordinary size; None: anything else."""
    if isinstance(raw, str):
        return raw
    if isinstance(raw, (int, float)) and 10**5 < raw < 10**15 and raw == int(raw):
        return str(int(raw))
    return None


def _decide(raw: object, *, parse: _Parser) -> Number:
    """Read one raw value; *parse* reads a clean text just as it stands."""
    text = _text_of(raw)
    if isinstance(text, NumberProblem):
        return problem_number(text)
    if len(text) > _LONGEST:
        return problem_number(NumberProblem.TOO_LONG)
    return _read(_clean(text), parse=parse)


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
        text = "".join(map(plain_character, text))
    return _SCHEME.sub("", text.strip(WRAPPING), count=1)


def plain_character(char: str) -> str:
    """
    Give what one character stands for in a number.

    Decimal digits of all scripts become ours, all blanks a space, invisible marks nothing.
    """
    if char.isascii():
        return char
    if unicodedata.category(char) == "Cf":
        return ""
    value = unicodedata.decimal(char, None)
    return str(value) if value is not None else " " if char.isspace() else char


def _read(text: str, *, parse: _Parser) -> Number:
    """Read a clean text, as it stands and, where that is no number, in other ways."""
    if not text:
        return problem_number(NumberProblem.NO_ADDRESS)
    text = _without_spreadsheet(text)
    problem = _problem_of_characters(text)
    if problem:
        return problem_number(problem)
    number = parse(text)
    for other in _other_ways(text):
        if number.e164 is None:
            number = _better(number, parse(other))
    return number


def _better(number: Number, other: Number) -> Number:
    """Take *other* when it is one, or when it has more to say than that a region is missing."""
    is_better = other.e164 is not None or number.problem is NumberProblem.NO_REGION
    return other if is_better else number


def _problem_of_characters(text: str) -> NumberProblem | None:
    # A superscript or a number in a circle is a note or an ornament, not a digit of a number.
    has_odd_digits = any(char.isnumeric() and not char.isdecimal() for char in text)
    if has_odd_digits:
        return NumberProblem.NOT_A_NUMBER
    if _SCIENTIFIC.fullmatch(text):
        return NumberProblem.DIGITS_LOST
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
        return problem_number(_problem_of_parse(error.error_type, text=text, region=region))
    if parsed.extension:
        return problem_number(NumberProblem.EXTENSION)
    if any(char.isalpha() for char in _PARAMETERS.sub("", text)):
        return problem_number(NumberProblem.LETTERS)
    if not phonenumbers.is_valid_number(parsed):
        return problem_number(_problem_of(parsed, text=text))
    return _number_of(parsed)


def _number_of(parsed: PhoneNumber) -> Number:
    region = phonenumbers.region_code_for_number(parsed)
    return Number(
        e164=phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164),
        region=None if region == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY else region,
        kind=_KIND_OF_TYPE[phonenumbers.number_type(parsed)],
    )


def _problem_of(parsed: PhoneNumber, *, text: str) -> NumberProblem:
    if is_short(text):
        return NumberProblem.SHORT_CODE
    length = phonenumbers.is_possible_number_with_reason(parsed)
    return PROBLEM_OF_LENGTH.get(length, NumberProblem.INVALID)


def _problem_of_parse(kind: int, *, text: str, region: str | None) -> NumberProblem:
    if any(char.isalpha() for char in text):
        return NumberProblem.LETTERS
    if is_short(text):
        return NumberProblem.SHORT_CODE
    if kind != NumberParseException.INVALID_COUNTRY_CODE:
        return _PROBLEM_OF_PARSE[kind]
    is_national = region is None and not text.lstrip(" (").startswith("+")
    return NumberProblem.NO_REGION if is_national else NumberProblem.INVALID
