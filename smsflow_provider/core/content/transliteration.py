"""
Replace characters GSM 7-bit lacks by ones it has, so that a text keeps 160 to a part.

A choice of the template's author, off by default: what it changes is shown in the review.
It looks at the rendered text, so a recipient's own name is replaced as well.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from typing import Final

from anyascii import anyascii

from smsflow_provider.core.content.encoding import GSM_CHARACTERS, encoding_of
from smsflow_provider.core.content.punctuation import FRACTIONS, PUNCTUATION
from smsflow_provider.core.model import Encoding


class Transliteration(StrEnum):
    """How far a text may be changed to travel as GSM 7-bit."""

    NONE = "none"
    PUNCTUATION = "punctuation"
    FULL = "full"


# Where the compatibility form or the library would mislead a reader: n° is no "ndeg", µg no
# "mg", 3x2 no "3*2", ™ no letters of the word before it, ≠ no "=".
_PREFERRED: Final[dict[str, str]] = {
    "°": "o",
    "µ": "u",
    "\u00d7": "x",
    "±": "+/-",
    "≠": "<>",
    "™": "(TM)",
}
# Greek capitals that GSM 7-bit lacks because a Latin one looks the same.
_GREEK_TWINS: Final = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True))  # noqa: RUF001

_GSM_CLASS: Final = re.escape("".join(sorted(GSM_CHARACTERS)))
# What may be replaced: a character GSM lacks; where there are combining accents, also any
# character with its own.
_SPAN = re.compile(rf"[^{_GSM_CLASS}]")
_ACCENTED_SPAN = re.compile(rf".[\u0300-\u036f]+|[^{_GSM_CLASS}]", re.DOTALL)
_ACCENT = re.compile(r"[\u0300-\u036f]")
_EMOJI_NAME = re.compile(r":[a-z0-9_+-]+:")


def transliterate(text: str, level: str) -> str:
    """
    Replace what GSM 7-bit lacks in *text*, as far as *level* allows.

    ``none`` changes nothing. ``punctuation`` replaces quotes, dashes, spaces, fractions and
    the like, and touches no accent. ``full`` goes on until the whole text is GSM 7-bit: an
    accent is dropped only where the letter with it is missing (é stays, ê becomes e), Greek
    becomes the capitals of the table (as Greek texts are sent), other scripts are spelled in
    Latin letters, emoji and flags are dropped (their names in words are not what the author
    wrote; the spaces around them stay), and so is all that has no spelling, control characters
    included.

    A character of GSM 7-bit is never changed, unless a combining accent follows it.

    Args:
        text: The rendered text.
        level: A ``Transliteration`` or its word.

    Returns:
        The text, the very same object when nothing is to be done.

    Raises:
        ValueError: Unknown *level*.

    Example:
        >>> transliterate("Fête à la plage…", "punctuation")
        'Fête à la plage...'
        >>> transliterate("Fête à la plage… 🎉", "full")
        'Fete à la plage... '
    """
    replace = _replacement(Transliteration(level))
    if replace is None or encoding_of(text) is Encoding.GSM7:
        return text
    return _spans_of(text).sub(replace, text)


def transliteration_changes(text: str, level: str) -> list[tuple[int, str, str]]:
    """
    List what ``transliterate`` would change.

    Args:
        text: The rendered text.
        level: A ``Transliteration`` or its word.

    Returns:
        For each change the offset in code points, the characters there (one, or one with its
        combining accents) and what they become. Holds pieces of the text: not for logs.

    Raises:
        ValueError: Unknown *level*.

    Example:
        >>> transliteration_changes("fête…", "full")
        [(1, 'ê', 'e'), (4, '…', '...')]
    """
    replace = _replacement(Transliteration(level))
    if replace is None:
        return []
    found = [(span.start(), span[0], replace(span)) for span in _spans_of(text).finditer(text)]
    return [change for change in found if change[1] != change[2]]


def _spans_of(text: str) -> re.Pattern[str]:
    return _ACCENTED_SPAN if _ACCENT.search(text) else _SPAN


def _replacement(level: Transliteration) -> Callable[[re.Match[str]], str] | None:
    return {
        Transliteration.NONE: None,
        Transliteration.PUNCTUATION: _to_plain_punctuation,
        Transliteration.FULL: _to_gsm,
    }[level]


def _to_plain_punctuation(span: re.Match[str]) -> str:
    found = span[0]
    plain = "".join(PUNCTUATION.get(char, char) for char in found)
    return f" {plain}" if _needs_space(span) else plain


def _to_gsm(span: re.Match[str]) -> str:
    plain = _gsm_of(span[0])
    return f" {plain}" if _needs_space(span) else plain


def _needs_space(span: re.Match[str]) -> bool:
    """Tell whether a digit stands before a fraction, which would else join it."""
    start = span.start()
    return span[0] in FRACTIONS and start > 0 and span.string[start - 1] in "0123456789"


@lru_cache(maxsize=8192)
def _gsm_of(found: str) -> str:
    composed = unicodedata.normalize("NFC", found)
    return "".join(_gsm_of_character(char) for char in composed)


def _gsm_of_character(char: str) -> str:
    if char in GSM_CHARACTERS:
        return char
    for table in (PUNCTUATION, _PREFERRED, _GREEK_TWINS):
        if char in table:
            return table[char]
    return _without_accents(char) or _spelled(char)


def _without_accents(char: str) -> str:
    """Take the accents off a letter; empty where what is left is not all GSM 7-bit."""
    if not char.isalnum():
        return ""
    pieces = unicodedata.normalize("NFKD", char)
    bare = "".join(piece for piece in pieces if unicodedata.category(piece) != "Mn")
    return _known(_greek_capitals(bare) if _is_greek(char) else bare)


def _is_greek(char: str) -> bool:
    return "\u0370" <= char <= "\u03ff" or "\u1f00" <= char <= "\u1fff"


def _greek_capitals(text: str) -> str:
    return "".join(_GREEK_TWINS.get(char, char) for char in text.upper())


def _known(text: str) -> str:
    return text if GSM_CHARACTERS.issuperset(text) else ""


def _spelled(char: str) -> str:
    """Spell in Latin letters; nothing for emoji, flags and what has no spelling."""
    spelling = anyascii(char).replace("`", "'")
    if _EMOJI_NAME.fullmatch(spelling) or "\U0001f1e6" <= char <= "\U0001f1ff":
        return ""
    return "".join(letter for letter in spelling if letter in GSM_CHARACTERS)
