"""
Values of rules: as they are written, then as a column of one kind wants them.

No problem here repeats a value: one that came from a run's parameters could be personal.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from smsflow_provider.core.audience.rules.moments import (
    DAY_HINT,
    WHEN_HINT,
    Clock,
    UnfitError,
    read_day,
    read_span,
    read_when,
)
from smsflow_provider.core.audience.rules.plan import Kind, Value
from smsflow_provider.core.audience.rules.rule import Comparison, Count, Scalar

#: Values of one ``in``.
MOST_VALUES: Final = 10_000
#: Characters of one text.
MOST_CHARACTERS: Final = 10_000
#: Digits of a number, before and behind the point together: what databases hold exactly.
MOST_DIGITS: Final = 38
MOST_ROWS: Final = 1_000_000_000

STILL_TEMPLATE: Final = "is still a template"
TEMPLATE_HINT: Final = "only rules of an activity are filled in, with the run's params"

#: Where in the value, what is wrong, what to write.
Wrong = tuple[str, str, str]

C = Comparison
TEXT_ONLY: Final = frozenset(
    {C.STARTS_WITH, C.ENDS_WITH, C.CONTAINS, C.NOT_CONTAINS, C.MATCHES, C.NOT_MATCHES}
)
SIZES: Final = frozenset({C.ABOVE, C.AT_LEAST, C.BELOW, C.AT_MOST})
WHENS: Final = frozenset({C.BEFORE, C.AFTER, C.ON, C.FROM, C.UNTIL})
SPANS: Final = frozenset({C.WITHIN_LAST, C.WITHIN_NEXT})
_FLAGS: Final = frozenset({C.IS, C.IS_NULL})
_LISTS: Final = frozenset({C.IN, C.NOT_IN, C.BETWEEN})
EQUALITY: Final = frozenset({C.EQUALS, C.NOT_EQUALS, C.IN, C.NOT_IN})

_DATED: Final = WHENS | SPANS | {C.BETWEEN, C.IS_NULL}
#: What each kind of column can be compared by.
FITTING: Final[dict[Kind, frozenset[Comparison]]] = {
    Kind.TEXT: EQUALITY | TEXT_ONLY | {C.IS_NULL},
    Kind.INTEGER: EQUALITY | SIZES | {C.BETWEEN, C.IS_NULL},
    Kind.NUMBER: EQUALITY | SIZES | {C.BETWEEN, C.IS_NULL},
    Kind.BOOLEAN: frozenset({C.IS, C.IS_NULL}),
    Kind.DATE: _DATED | EQUALITY | {C.ANNIVERSARY},
    Kind.MOMENT: frozenset(_DATED),
    Kind.LOCAL_MOMENT: _DATED | {C.ANNIVERSARY},
}

_TEMPLATE: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_NUMBER: Final = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?", re.ASCII)
_SOME_CLOCK: Final = Clock(now=datetime(2026, 1, 1, tzinfo=UTC))
_INTEGER_BITS: Final = 63


def is_template(value: object) -> bool:
    """Whether *value* is a text that Airflow has yet to fill in."""
    return isinstance(value, str) and _TEMPLATE.search(value) is not None


def read_value(
    comparison: Comparison, value: object
) -> tuple[Scalar | tuple[Scalar, ...] | None, list[Wrong]]:
    """
    Read what stands behind *comparison*: one value, or a list where it takes one.

    Returns:
        The value as JSON has it and no problem, or None and all problems.
    """
    if is_template(value):
        return str(value), []
    takes_list = comparison in _LISTS
    if isinstance(value, list | tuple) and (takes_list or comparison is C.ANNIVERSARY):
        return _read_list(comparison, value)
    if takes_list or isinstance(value, list | tuple):
        hint = "write [a, b]" if takes_list else "for several write in: [a, b]"
        return None, [("", "takes a list" if takes_list else "takes one value", hint)]
    try:
        return _read_one(comparison, value), []
    except UnfitError as error:
        return None, [("", error.text, error.hint)]


def _read_list(
    comparison: Comparison, value: Sequence[object]
) -> tuple[tuple[Scalar, ...] | None, list[Wrong]]:
    if comparison is C.BETWEEN and len(value) != 2:
        return None, [("", "takes two values, the lowest and the highest", "write [18, 25]")]
    if not value:
        return None, [("", "is an empty list", "")]
    if len(value) > MOST_VALUES:
        return None, [("", f"has more than {MOST_VALUES:,} values", "")]
    found: list[Scalar] = []
    wrong: list[Wrong] = []
    for at, each in enumerate(value):
        try:
            found.append(_read_one(comparison, each))
        except UnfitError as error:
            wrong.append((f"[{at}]", error.text, error.hint))
    return (None if wrong else tuple(found)), wrong


def _read_one(comparison: Comparison, value: object) -> Scalar:
    plain = _plain(value)
    if is_template(plain):
        return plain
    if comparison in _FLAGS:
        return read_flag(plain)
    if comparison in SIZES:
        _check_size(plain)
    elif comparison in TEXT_ONLY:
        _check_piece(plain, is_pattern=comparison in {C.MATCHES, C.NOT_MATCHES})
    elif comparison in WHENS | SPANS | {C.ANNIVERSARY}:
        _check_when(comparison, plain)
    return plain


def _plain(value: object) -> Scalar:
    """Give *value* as JSON has it: days and moments as ISO texts, decimals as numbers."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return check_text(str(value))
    if isinstance(value, int):
        # Checked here: Python itself refuses to write out numbers of over 4,300 digits.
        if abs(value) >= 10**MOST_DIGITS:
            raise UnfitError(f"has more than {MOST_DIGITS} digits")
        return int(value)
    if isinstance(value, float | Decimal):
        return _plain_number(value)
    if isinstance(value, date):
        return value.isoformat()
    if value is None:
        raise UnfitError("is empty", "write is_null: true for an empty value")
    raise UnfitError("is not a text, a number, true, false or a day")


def _plain_number(value: float | Decimal) -> float | str:
    if not math.isfinite(value):
        raise UnfitError("is not a number")
    near = float(value)
    is_exact = isinstance(value, float) or (math.isfinite(near) and Decimal(repr(near)) == value)
    return near if is_exact else f"{value:f}"


def check_text(text: str) -> str:
    """
    Accept what every database can hold as text.

    Raises:
        UnfitError: NUL, half a character (a lone surrogate), or too long.
    """
    if "\0" in text:
        raise UnfitError("has a NUL character")
    if len(text) > MOST_CHARACTERS:
        raise UnfitError(f"has more than {MOST_CHARACTERS:,} characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnfitError("has half a character") from None
    return text


def read_flag(value: object) -> bool:
    """
    Read true or false, also as the texts that templating makes of them.

    Raises:
        UnfitError: It is neither.
    """
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.strip().lower(), value)
    if not isinstance(value, bool):
        raise UnfitError("is not true or false", "for a text or a number write equals")
    return value


def read_count(value: object) -> Count:
    """
    Read a number of rows: 0 or more, as a number or a text of digits; a template as it is.

    Raises:
        UnfitError: It is none.
    """
    if is_template(value):
        return str(value)
    if isinstance(value, str) and re.fullmatch(r"\d{1,10}", value.strip(), re.ASCII):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnfitError("is not a number of rows", "write 0, 1, 2 …")
    if not 0 <= value <= MOST_ROWS:
        raise UnfitError(f"is not between 0 and {MOST_ROWS:,}")
    return int(value)


def _check_size(value: Scalar) -> None:
    if isinstance(value, bool) or (isinstance(value, str) and not _NUMBER.fullmatch(value.strip())):
        raise UnfitError("is not a number", "write 18 or 1.5; for days before, after, from, until")


def _check_piece(value: Scalar, *, is_pattern: bool) -> None:
    if not isinstance(value, str):
        raise UnfitError("is not a text", "put it in quotes")
    if not value:
        raise UnfitError("is an empty text", "write is_null: false if any text is meant")
    if is_pattern:
        check_pattern(value)
    if is_pattern and (len(value) - len(value.rstrip("\\"))) % 2:
        raise UnfitError("ends in a backslash with nothing behind it", "write two for one")


def check_pattern(pattern: str) -> None:
    """
    Refuse a pattern of wildcards alone, which a parameter without a value may leave behind.

    Raises:
        UnfitError: Every text has this form.
    """
    if not pattern.strip("*"):
        raise UnfitError("is the form of every text", "write is_null: false if any text is meant")


def _check_when(comparison: Comparison, value: Scalar) -> None:
    hint = WHEN_HINT if comparison in WHENS else DAY_HINT
    if not isinstance(value, str):
        raise UnfitError("is not a text", "write 30 days" if comparison in SPANS else hint)
    if comparison in SPANS:
        read_span(value)
    elif comparison in {C.ON, C.ANNIVERSARY}:
        read_day(value, _SOME_CLOCK)
    else:
        read_when(value, _SOME_CLOCK)


def final(value: Scalar, *, kind: Kind, clock: Clock) -> Value:
    """
    Give *value* as a column of *kind* wants it: for equality, sets and ends of numbers.

    Texts from templates are read as numbers and booleans where they are exactly that (no plus, no
    zeros in front, no exponent); a number is never read as a text, and a fraction never rounded.

    Raises:
        UnfitError: It does not go with *kind*, or is a template still.
    """
    if is_template(value):
        raise UnfitError(STILL_TEMPLATE, TEMPLATE_HINT)
    match kind:
        case Kind.TEXT:
            if not isinstance(value, str):
                raise UnfitError("is not a text", "put it in quotes")
            return value
        case Kind.INTEGER | Kind.NUMBER:
            return _number(value, is_whole=kind is Kind.INTEGER)
        case Kind.BOOLEAN:
            return read_flag(value)
        case _:
            if not isinstance(value, str):
                raise UnfitError("is not a day", DAY_HINT)
            return read_day(value, clock)


def _number(value: Scalar, *, is_whole: bool) -> int | Decimal:
    if isinstance(value, bool):
        raise UnfitError("is not a number")
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        raise UnfitError("is a text where a number is needed", "write it without quotes")
    number = Decimal(value.strip() if isinstance(value, str) else repr(value))
    if len(f"{abs(number):f}".replace(".", "")) > MOST_DIGITS:
        raise UnfitError(f"has more than {MOST_DIGITS} digits")
    if number != number.to_integral_value():
        if is_whole:
            raise UnfitError("is not a whole number, which the column holds")
        return number
    if is_whole and abs(number) >= 2**_INTEGER_BITS:
        raise UnfitError("is larger than a whole number can be")
    return int(number) if is_whole or not isinstance(value, float) else number
