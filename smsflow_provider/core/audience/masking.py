"""Texts and rows that people may look at without a special right: phones and addresses masked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_DATE = r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?:[+-]\d\d:?\d\d)?"
_EMAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*"
#: Eight digits and more, with or without signs between them.
_PHONE = r"\+?\(?\d(?:[ ().\/-]{0,2}\d){7,}"
_PERSONAL = re.compile(rf"(?P<date>{_DATE})|(?P<email>{_EMAIL})|(?P<phone>{_PHONE})")
_HIDDEN = "·"


def masked_text(text: str) -> str:
    """
    Mask whatever in *text* looks like a phone or an e-mail address; dates stay.

    A number of eight digits or more counts as a phone: rather one too many than one too few.

    Example:
        >>> masked_text("phone is '+33 6 12 34 56 78' since 2026-01-31")
        "phone is '+33·······78' since 2026-01-31"
        >>> masked_text("write to zoe.lefevre@example.org")
        'write to z···@···'
    """
    return _PERSONAL.sub(_masked, text)


def masked_phone(text: str) -> str:
    """
    Mask what stands in a column of phones, number or not.

    Example:
        >>> masked_phone("06 12 34 56 78"), masked_phone("12345")
        ('06······78', '·····')
    """
    sign, digits = "+" * text.strip().startswith("+"), re.sub(r"\D", "", text)
    if len(digits) < 8:
        return _HIDDEN * len(text.strip())
    return f"{sign}{digits[:2]}{_HIDDEN * (len(digits) - 4)}{digits[-2:]}"


def masked_row(row: Mapping[str, object], *, phone: str) -> dict[str, object]:
    """
    Mask one row of people.

    Args:
        row: Values by column.
        phone: The column that is masked whatever it holds. The others are masked where they look
            like a phone or an address; names and all else stay.

    Example:
        >>> masked_row({"phone": "+33612345678", "city": "Lyon", "n": 33612345679}, phone="phone")
        {'phone': '+33·······78', 'city': 'Lyon', 'n': '33·······79'}
    """
    return {name: _masked_value(value, is_phone=name == phone) for name, value in row.items()}


def masked_data(value: Any) -> Any:
    """
    Mask what looks like a phone or an address anywhere in plain data; keys stay.

    Example:
        >>> masked_data({"column": "phone", "in": ["+33612345678", 612345679, True]})
        {'column': 'phone', 'in': ['+33·······78', '61·····79', True]}
    """
    if isinstance(value, Mapping):
        return {name: masked_data(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [masked_data(each) for each in value]
    return _masked_value(value, is_phone=False)


def _masked_value(value: object, *, is_phone: bool) -> object:
    if value is None or isinstance(value, bool):
        return value
    if is_phone:
        return masked_phone(str(value))
    if isinstance(value, int | float | Decimal):
        text = str(value)
        return value if masked_text(text) == text else masked_text(text)
    return masked_text(value) if isinstance(value, str) else value


def _masked(found: re.Match[str]) -> str:
    if found["date"]:
        return found[0]
    if found["email"]:
        return f"{found[0][0]}{_HIDDEN * 3}@{_HIDDEN * 3}"
    return masked_phone(found[0])
