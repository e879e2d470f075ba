"""
What a template may do to a value, beyond Jinja's own plain filters.

Small and pure: the same value gives the same text, whatever the machine, the locale or the
moment. Errors name the filter and what it wants, never the value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date as Date  # noqa: N812  the filter has the plain name
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache, wraps
from typing import Any, Final

from smsflow_provider.core.errors import TemplateError

_WORD = re.compile(r"[^\W\d_]+")
_DIRECTIVES = re.compile(r"(?:[^%]|%[-]?[aAbBdHIjmMpSuwyYGV%])*")
# Words inside a name that stay small: Maria del Carmen, Jan van der Berg.
_PARTICLES: Final = frozenset(
    [
        *("al", "bin", "binti", "da", "das", "de", "del", "della", "den", "der", "di", "do"),
        *("dos", "du", "e", "el", "ibn", "la", "le", "van", "von", "y", "zu"),
    ]
)
_MEMO_SIZE: Final = 20_000


def title(value: object) -> str:
    """
    Begin every word with a capital and write the rest small, as names are written.

    After an apostrophe a capital follows only when one letter stands before it.

    Example:
        >>> title("jean-pierre D'ARTAGNAN"), title("IT'S ME")
        ("Jean-Pierre D'Artagnan", "It's Me")
    """
    return _WORD.sub(_capitalised, unicodedata.normalize("NFC", str(value)))


def _capitalised(found: re.Match[str]) -> str:
    before = found.string[max(0, found.start() - 3) : found.start()]
    if before[-1:] in {"'", "\u2019"} and len(before) == 3 and before[0].isalpha():
        return found[0].lower()
    return found[0].capitalize()


def first_name(value: object) -> str:
    """
    Clean a first name for a greeting.

    Surplus blanks go. A name all in capitals or all in small letters gets its capitals, with
    particles small; one that has both (McKenzie, DeShawn) is left as its owner wrote it. Does
    not take a full name apart: which word is the first name is not known here.

    Example:
        >>> first_name("  JEAN-PIERRE "), first_name("maria del  carmen"), first_name("DeShawn")
        ('Jean-Pierre', 'Maria del Carmen', 'DeShawn')
    """
    name = " ".join(str(value).split())
    if not (name.isupper() or name.islower()):
        return name
    first, *others = title(name).split(" ")
    return " ".join([first, *map(_small_particle, others)])


def _small_particle(word: str) -> str:
    return word.lower() if word.lower() in _PARTICLES else word


def truncate_words(value: object, count: int, end: str = "...") -> str:
    """
    Keep the first *count* words and add *end* if any were cut. No word is cut in two.

    Example:
        >>> truncate_words("Blue linen summer dress", 2)
        'Blue linen...'
    """
    text = str(value)
    words = text.split()
    if count < 1:
        raise TemplateError("truncate_words: the count must be 1 or more")
    return text if len(words) <= count else " ".join(words[:count]) + end


def date(value: object, format: str = "%d/%m/%Y") -> str:  # noqa: A002  the template's word
    """
    Write a date, a time or an ISO 8601 text with the directives of ``strftime``.

    Converts no time zone. Names of days and months are English; ``%c``, ``%x`` and ``%X`` are
    refused, they depend on the machine. ``%-d`` leaves out the leading zero.

    Raises:
        TemplateError: Not a date, or a directive that is refused.

    Example:
        >>> date("2026-03-01"), date("2026-03-01T09:05", "%-d/%m at %H:%M")
        ('01/03/2026', '1/03 at 09:05')
    """
    if _DIRECTIVES.fullmatch(format) is None:
        raise TemplateError("date: the format has a directive that is not supported")
    moment = _read_date(value) if isinstance(value, str) else value
    if not isinstance(moment, Date):
        raise TemplateError("date: the value is not a date")
    return moment.strftime(format)


def _read_date(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        raise TemplateError("date: the value is not an ISO 8601 date") from None


def money(
    value: object,
    currency: str = "",
    *,
    decimals: int = 2,
    mark: str = ".",
    group: str = "",
    before: bool = False,
) -> str:
    """
    Write an amount, rounded half up.

    Args:
        value: A number, or a text Python's ``Decimal`` reads. Never a currency conversion.
        currency: What stands after the amount with a space, or right before it.
        decimals: Digits after the mark, 0 to 6.
        mark: The decimal mark.
        group: What stands between groups of three digits.
        before: The currency comes first.

    Raises:
        TemplateError: Not a finite number, or decimals out of range.

    Example:
        >>> money(12.5, "€", mark=","), money("1234.565", "£", group=",", before=True)
        ('12,50 €', '£1,234.57')
    """
    amount = _written_amount(_read_amount(value), decimals=decimals)
    text = amount.translate({ord(","): group, ord("."): mark})
    if not currency:
        return text
    return f"{currency}{text}" if before else f"{text} {currency}"


def _written_amount(amount: Decimal, *, decimals: int) -> str:
    if not 0 <= decimals <= 6:
        raise TemplateError("money: decimals must be 0 to 6")
    # A quintillion is no price, and more would not fit the precision of the rounding.
    if not (amount.is_finite() and abs(amount) < Decimal(10) ** 18):
        raise TemplateError("money: the value is not a finite number of common size")
    rounded = amount.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    return f"{rounded:,f}"


def _read_amount(value: object) -> Decimal:
    if isinstance(value, bool):
        raise TemplateError("money: the value is not a number")
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise TemplateError("money: the value is not a number") from None


#: Name in a template to function.
FILTERS: Final[dict[str, Callable[..., str]]] = {
    "title": title,
    "first_name": first_name,
    "truncate_words": truncate_words,
    "date": date,
    "money": money,
}


def memoised_filters() -> dict[str, Callable[..., str]]:
    """
    Give the filters with a memory of their own, for rows that repeat values.

    The memory holds recipients' values: it belongs to one rendering and goes with it.
    """
    return {name: _memoised(function) for name, function in FILTERS.items()}


def _memoised(function: Callable[..., str]) -> Callable[..., str]:
    remembered = lru_cache(maxsize=_MEMO_SIZE, typed=True)(function)

    @wraps(function)
    def quick(value: object, *args: Any, **kwargs: Any) -> str:
        # Text only: equal numbers and equal times can be written differently.
        if value.__class__ is str:
            return remembered(value, *args, **kwargs)
        return function(value, *args, **kwargs)

    return quick
