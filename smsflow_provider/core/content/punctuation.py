"""
Which GSM 7-bit characters stand in for the punctuation that word processors insert.

Data only. Quotes, dashes, spaces, bullets, fractions and full-width ASCII: signs whose plain
form reads the same. No letter loses an accent here. What shapes another script or an emoji
(joiners, direction marks, variation selectors) is not listed: where such a text stays
Unicode, taking them out would break it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

# What stands in, and the characters it stands in for, as code points or ranges of them.
_GROUPS: Final[dict[str, str]] = {
    # Quotes: modifier letters, typographic, primes, ornaments; the grave and acute accents
    # that stand alone are used as quotes too.
    "'": ("0060 00B4 02B9 02BB-02BD 02C8 02CA 02CB 2018-201B 2032 2035 2039 203A 275B 275C 275F"),
    '"': "00AB 00BB 02BA 02EE 201C-201F 2033 2036 275D 275E 2760 301D-301F",
    # Dashes and hyphens, the minus sign, bullets of a list.
    "-": "02D7 2010-2015 2022 2023 2043 2212 25AA 25CF 25E6 2796",
    "--": "2E3A",
    "_": "2017",
    ".": "00B7 2024 2219 3002 FF61",
    "..": "2025",
    "...": "2026",
    ",": "3001 FF64",
    ";": "037E 204F",
    ":": "02D0 2236",
    "!!": "203C",
    "??": "2047",
    "?!": "2048",
    "!?": "2049",
    "*": "204E 2217 2731",
    "/": "00F7 2044 2215 29F8",
    "\\": "2216 29F5 29F9",
    "|": "00A6 2223 23B8 23B9 2758 FFE8",
    "||": "2016",
    "~": "02DC 2053 223C 301C",
    "^": "02C6 2303",
    "<": "2329 27E8 3008",
    ">": "232A 27E9 3009",
    "[": "2045 3010 3014",
    "]": "2046 3011 3015",
    "{": "2774",
    "}": "2775",
    # Every space with a width, and the tab.
    " ": "0009 00A0 1680 2000-200A 202F 205F 3000",
    # Line and paragraph separators, next line, vertical tab.
    "\n": "000B 0085 2028 2029",
    # No width and nothing to say: soft hyphen, zero-width space, word joiner, byte order mark.
    "": "00AD 200B 2060 FEFF",
}
#: One character that means a fraction. After a digit a space goes before it: 2½ is 2 1/2.
FRACTIONS: Final = "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞↉"


def _characters_of(ranges: str) -> Iterator[str]:
    for entry in ranges.split():
        first, _, last = entry.partition("-")
        yield from map(chr, range(int(first, 16), int(last or first, 16) + 1))


def _plain_forms() -> Iterator[tuple[str, str]]:
    """Full-width and small ASCII, by Unicode's own compatibility mapping."""
    for code in (*range(0xFF01, 0xFF5F), *range(0xFE50, 0xFE6C)):
        plain = unicodedata.normalize("NFKC", chr(code))
        if plain.isascii():
            yield chr(code), "'" if plain == "`" else plain


def _read_table() -> dict[str, str]:
    table = {char: plain for plain, ranges in _GROUPS.items() for char in _characters_of(ranges)}
    table.update(
        (char, unicodedata.normalize("NFKD", char).replace("\u2044", "/")) for char in FRACTIONS
    )
    table.update(_plain_forms())
    return table


#: One character to the text that stands in for it, all of it GSM 7-bit.
PUNCTUATION: Final[dict[str, str]] = _read_table()
