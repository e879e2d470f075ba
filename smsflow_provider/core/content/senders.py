"""Who a text may say it comes from, and how a country is written."""

from __future__ import annotations

import difflib
import re
from typing import Final

_ALPHANUMERIC = re.compile(r"[A-Za-z0-9 ]+")
_NUMBER = re.compile(r"\+?[0-9]{3,15}")
_LONGEST: Final = 11
# What people write for a country that is not its ISO 3166 alpha-2 code.
_NOT_ISO: Final = dict(
    pair.split(":")
    for pair in (
        *("UK:GB", "EL:GR", "EN:GB", "GBR:GB", "USA:US", "AUT:AT", "CHN:CN", "DNK:DK"),
        *("IRL:IE", "POL:PL", "PRT:PT", "SWE:SE", "TUR:TR", "UKR:UA"),
    )
)


def problem_of_sender(value: str) -> str | None:
    """
    Tell why no network takes *value* as a sender.

    A sender is a number of 3 to 15 digits, with or without a plus, or up to 11 letters
    (A to Z, without accents), digits and spaces with at least one letter. Whether a gateway or a
    country allows it is not known here.

    Args:
        value: The sender, as it is handed over.

    Returns:
        The reason, None if it is fine. Holds nothing of *value*.

    Example:
        >>> problem_of_sender("ACME") is None, problem_of_sender("36111") is None
        (True, True)
        >>> problem_of_sender("ACME SHOPPING")
        'has 13 characters (an alphanumeric sender has at most 11)'
    """
    if _NUMBER.fullmatch(value):
        return None
    if not value.strip():
        return "is empty"
    if _ALPHANUMERIC.fullmatch(value) is None:
        return "has characters a sender cannot have (letters without accents, digits, spaces)"
    return _problem_of_words(value)


def _problem_of_words(value: str) -> str | None:
    if value != value.strip():
        return "begins or ends with a space"
    if len(value) > _LONGEST:
        return f"has {len(value)} characters (an alphanumeric sender has at most {_LONGEST})"
    if not any(char.isalpha() for char in value):
        return "has no letter and is not a number (a number has 3 to 15 digits)"
    return None


def hint_for_country(code: str) -> str | None:
    """
    Tell what to write instead of *code*, in capitals.

    Returns:
        The near code or an example; None if it is the ISO 3166 code of a country that has
        phone numbers.

    Example:
        >>> hint_for_country("FR"), hint_for_country("UK")
        (None, "did you mean 'GB'?")
    """
    from phonenumbers import SUPPORTED_REGIONS  # noqa: PLC0415  100 ms, few templates name one

    if code in SUPPORTED_REGIONS:
        return None
    near = _NOT_ISO.get(code) or next(iter(_close_to(code, SUPPORTED_REGIONS)), None)
    return f"did you mean {near!r}?" if near else "for example FR"


def _close_to(code: str, known: set[str]) -> list[str]:
    same_start = sorted(one for one in known if one[:1] == code[:1])
    return difflib.get_close_matches(code, same_start, n=1)
