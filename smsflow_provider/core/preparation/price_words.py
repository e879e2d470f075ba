"""Single words of a price table or a budget: a country, a sender, an amount, a day."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Final

from phonenumbers import SUPPORTED_REGIONS

from smsflow_provider.core.content.problem import Problem, near
from smsflow_provider.core.preparation.price_rows import PriceRow

#: Of the amounts in the store.
DECIMALS: Final = 6
_HIGHEST_PRICE: Final = Decimal(1_000_000)
_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]+)?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_SENDER = re.compile(r"\+?[0-9]{3,15}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
# Country codes people write that are not the ISO one.
_NOT_ISO: Final = {"UK": "GB", "EL": "GR"}


def read_country(row: PriceRow, problems: list[Problem]) -> str | None:
    """Read ``*`` or an ISO 3166 code, in capitals or not. None: it is neither."""
    code = row.country.upper()
    if code == "*" or code in SUPPORTED_REGIONS:
        return code
    text = f"{row.country!r} is not a country" if row.country else "is missing"
    problems.append(
        Problem(text=text, hint=_near_country(row.country), field="country", line=row.line)
    )
    return None


def _near_country(word: str) -> str:
    """Ask "did you mean 'FR'?" for ``FRA``, ``France`` or ``Frnace``."""
    code = word.upper()
    found = _NOT_ISO.get(code) or _codes_by_name().get(word.strip().lower())
    if found is None and len(code) > 2:
        close = difflib.get_close_matches(word.lower(), _codes_by_name(), n=1, cutoff=0.75)
        found = _codes_by_name()[close[0]] if close else None
    if found is None:
        close = difflib.get_close_matches(code, SUPPORTED_REGIONS, n=1, cutoff=0.7)
        found = close[0] if close else None
    return f"did you mean {found!r}?" if found else "an ISO 3166 code such as FR, or *"


@cache
def _codes_by_name() -> dict[str, str]:
    """English names of countries; takes a third of a second, for a problem only."""
    from phonenumbers.geodata.locale import LOCALE_DATA  # noqa: PLC0415  heavy, seldom needed

    names: dict[str, str] = {}
    for code, by_language in LOCALE_DATA.items():
        name = str(by_language.get("en", ""))
        if name.startswith("*"):  # the same as in another language
            name = str(by_language.get(name[1:], ""))
        if name and code in SUPPORTED_REGIONS:
            names[name.lower()] = code
    return names


def read_sender(row: PriceRow, problems: list[Problem], *, kinds: Sequence[str]) -> str | None:
    """Read ``*`` (also nothing), a kind, a name or a number. None: it is nothing of these."""
    sender = row.sender or "*"
    if sender == "*" or sender.lower() in kinds or _SENDER.fullmatch(sender):
        return sender
    problems.append(
        Problem(
            text=f"{sender!r} cannot be a sender",
            hint=near(sender.lower(), [*kinds, "*"]),
            field="sender",
            line=row.line,
        )
    )
    return None


def read_price(row: PriceRow, problems: list[Problem]) -> Decimal | None:
    """Read the price of one part. None: it is not one."""
    problem = problem_of_amount(row.price, highest=_HIGHEST_PRICE)
    if problem is None:
        return Decimal(row.price)
    problems.append(Problem(text=problem[0], hint=problem[1], field="price", line=row.line))
    return None


def problem_of_amount(text: str, *, highest: Decimal) -> tuple[str, str] | None:
    """
    Say what is wrong with an amount of money, and what to do.

    Example:
        >>> problem_of_amount("0.045", highest=Decimal(1))
        >>> problem_of_amount("0,045", highest=Decimal(1))[1]
        'write a decimal point: 0.045'
    """
    if not text:
        return "is missing", ""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        pointed = text.replace(",", ".")
        is_comma = text.count(",") == 1 and _AMOUNT.fullmatch(pointed) is not None
        hint = f"write a decimal point: {pointed}" if is_comma else "write it like 0.045"
        return f"{text!r} is not an amount", hint
    if _AMOUNT.fullmatch(text) is None:
        return f"{text!r} is not an amount", "0 or more, in plain digits, such as 0.045"
    if len(text.partition(".")[2].rstrip("0")) > DECIMALS:
        return f"{text!r} has too many decimals", f"at most {DECIMALS}"
    if amount > highest:
        return f"{text!r} is too much", f"at most {highest:,}"
    return None


def read_currency(text: str, line: int, problems: list[Problem]) -> str | None:
    """Read an ISO 4217 code. None: it is not one."""
    if _CURRENCY.fullmatch(text):
        return text
    problems.append(
        Problem(
            text=f"{text!r} is not a currency",
            hint="three capitals such as EUR",
            field="currency",
            line=line,
        )
    )
    return None


def read_date(text: str, line: int, problems: list[Problem]) -> date | None:
    """Read ``2026-11-01``. None: it is no day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        problems.append(
            Problem(
                text=f"{text!r} is not a day",
                hint="write it like 2026-11-01",
                field="as_of",
                line=line,
            )
        )
        return None
