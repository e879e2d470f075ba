"""
How a text travels and how many parts a carrier bills for it.

GSM 7-bit as in 3GPP TS 23.038: 127 basic characters of one septet and ten of the extension
table, which cost two (an escape and a code). Everything else goes as UTF-16, two octets a
unit, which the standard calls UCS-2. A long text is cut into parts of 140 octets, each with
a joining header.

Nothing here changes a text (see ``transliteration``) and nothing knows a gateway: how one
cuts comes in as an argument.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from smsflow_provider.core.model import Encoding

# 3GPP TS 23.038, 6.2.1. The escape (0x1B) is a code of the table, never a character of a text.
_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# 3GPP TS 23.038, 6.2.1.1. The form feed is its "page break".
_EXTENSION: Final = "\f^{}\\[~]|€"

#: Every character that travels as GSM 7-bit.
GSM_CHARACTERS: Final = frozenset(_BASIC + _EXTENSION)
#: Those of ``GSM_CHARACTERS`` that cost two septets.
GSM_EXTENSION: Final = frozenset(_EXTENSION)

_GSM_TEXT = re.compile(f"[{re.escape(_BASIC + _EXTENSION)}]*")
_NOT_GSM = re.compile(f"[^{re.escape(_BASIC + _EXTENSION)}]")
# The characters that cost two units, by encoding: escape pairs and surrogate pairs.
_WIDE: Final = {
    Encoding.GSM7: re.compile(f"[{re.escape(_EXTENSION)}]"),
    Encoding.UCS2: re.compile("[\U00010000-\U0010ffff]"),
}
# Controls (C0 but \n, \f and \r; DEL; C1), halves of a surrogate pair on their own, and the
# two code points that neither UTF-16 streams nor XML documents can carry.
_REFUSED = re.compile(r"[\x00-\x09\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

# Units in a text of one part, and in each part of a longer one by the bits of its reference:
# 140 octets less a joining header of 6 or 7 (3GPP TS 23.040, 9.2.3.24).
_SINGLE: Final = {Encoding.GSM7: 160, Encoding.UCS2: 70}
_JOINED: Final = {
    (Encoding.GSM7, 8): 153,
    (Encoding.GSM7, 16): 152,
    (Encoding.UCS2, 8): 67,
    (Encoding.UCS2, 16): 66,
}
_SPLITS: Final = ("unit", "code_point", "grapheme", "unknown")
_MAY_CUT_INSIDE: Final = frozenset({"unit", "unknown"})
# Of the three ways the one by cluster has the fewest places to cut, so never the fewer parts.
_BY_CLUSTER: Final = frozenset({"grapheme", "unknown"})
#: Ranges of code points (Latin, Greek, Cyrillic, signs, kana, ideographs) that never make one
#: reader's character with each other. All are one UTF-16 unit.
STAND_ALONE: Final = (
    *((0x0000, 0x02FF), (0x0370, 0x0482), (0x048A, 0x052F), (0x2010, 0x2027), (0x2030, 0x205E)),
    *((0x20A0, 0x20C0), (0x2100, 0x2BFF), (0x3000, 0x3029), (0x3041, 0x3096), (0x30A0, 0x30FF)),
    *((0x4E00, 0x9FFF), (0xFF01, 0xFF60)),
)
_ALONE: Final = "".join(f"{chr(first)}-{chr(last)}" for first, last in STAND_ALONE)
# All others, with the neighbours they may join.
_JOINING = re.compile(f"(?:[{_ALONE}]?[^{_ALONE}])+[{_ALONE}]?")
#: Parts of one text: the joining header counts them in one octet.
MAX_PARTS: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What one text costs. Compares by value; holds nothing of the text."""

    encoding: Encoding
    #: Septets for GSM 7-bit (an escape pair is 2), UTF-16 code units for UCS-2.
    units: int
    #: Parts the carrier bills, 1 to 255.
    parts: int


def measure(text: str, *, split: str = "code_point", reference_bits: int = 8) -> Measure:
    """
    Choose the encoding of *text* and count its units and parts.

    An empty text is one part of no units. Half a surrogate pair counts as one UCS-2 unit and
    a control as one character: whether a text may leave at all is told by
    ``refused_characters``, not here.

    Args:
        text: The rendered text.
        split: How the gateway cuts a long text. ``unit``: after a full part, also through a
            pair. ``code_point``: never through an escape pair or a surrogate pair.
            ``grapheme``: also never through what a reader sees as one character; one that is
            longer than a part is cut by code point. CR LF counts as two. ``unknown``: the largest
            number of the three, which is always that of ``grapheme``.
        reference_bits: Size of the reference in the joining header, 8 or 16.

    Returns:
        The encoding, the units and the parts.

    Raises:
        ValueError: More than 255 parts, or an unknown *split* or *reference_bits*.

    Example:
        >>> measure("Été à 5€")
        Measure(encoding=<Encoding.GSM7: 'gsm7'>, units=9, parts=1)
        >>> measure("fête" * 18).parts, measure("€" * 81).parts
        (2, 2)
    """
    encoding = encoding_of(text)
    limit = _limit_of(encoding, split=split, reference_bits=reference_bits)
    wide = len(_WIDE[encoding].findall(text))
    units = len(text) + wide
    parts = 1
    if units > _SINGLE[encoding]:
        parts = _parts_of(text, encoding=encoding, split=split, limit=limit, wide=wide)
    return _measure_of(encoding, units, parts)


def encoding_of(text: str) -> Encoding:
    """
    Tell how *text* travels: GSM 7-bit when every character allows it.

    Example:
        >>> str(encoding_of("Éé")), str(encoding_of("ê"))
        ('gsm7', 'ucs2')
    """
    return Encoding.GSM7 if _GSM_TEXT.fullmatch(text) else Encoding.UCS2


def limits_of(encoding: Encoding, *, reference_bits: int = 8) -> tuple[int, int]:
    """
    Tell how many units fit: in a text of one part, and in each part of a longer one.

    Args:
        encoding: How the text travels.
        reference_bits: As for ``measure``.

    Raises:
        ValueError: An unknown *reference_bits*.

    Example:
        >>> limits_of(Encoding.GSM7), limits_of(Encoding.UCS2, reference_bits=16)
        ((160, 153), (70, 66))
    """
    limit = _JOINED.get((encoding, reference_bits))
    if limit is None:
        raise ValueError(f"reference_bits is {reference_bits!r}, not 8 or 16")
    return _SINGLE[encoding], limit


def part_boundaries(text: str, *, split: str = "code_point", reference_bits: int = 8) -> list[int]:
    """
    Tell where each part after the first begins.

    Args:
        text: The rendered text.
        split: As for ``measure``; ``unknown`` cuts as ``grapheme``. With ``unit`` a part can
            begin inside a character; the offset is then that of the character.
        reference_bits: As for ``measure``.

    Returns:
        Offsets in code points, rising; none for a text of one part.

    Raises:
        ValueError: As for ``measure``, but any number of parts is fine.

    Example:
        >>> part_boundaries("a" * 152 + "€" + "b" * 10)
        [152]
    """
    encoding = encoding_of(text)
    limit = _limit_of(encoding, split=split, reference_bits=reference_bits)
    starts = _wide_starts(text, encoding=encoding)
    units = len(text) + len(starts)
    if units <= _SINGLE[encoding]:
        return []
    cuts = _cuts_of(text, encoding=encoding, split=split, limit=limit, starts=starts)
    return [cut - bisect_left(starts, cut) for cut in cuts]


def is_cut_inside(text: str, *, split: str = "code_point", reference_bits: int = 8) -> bool:
    """
    Tell whether a part may begin inside an escape pair or a surrogate pair.

    Most phones join the halves again; others show a sign in the place of the emoji.

    Args:
        text: The rendered text.
        split: As for ``measure``. Only a gateway that cuts by ``unit``, or one of which nobody
            knows how it cuts, can do this.
        reference_bits: As for ``measure``.

    Returns:
        False for a text of one part, and for every other way of cutting.

    Raises:
        ValueError: As for ``measure``, but any number of parts is fine.

    Example:
        >>> text = "a" * 66 + "😀😀😀"
        >>> is_cut_inside(text, split="unit"), is_cut_inside(text, split="code_point")
        (True, False)
    """
    encoding = encoding_of(text)
    limit = _limit_of(encoding, split=split, reference_bits=reference_bits)
    if split not in _MAY_CUT_INSIDE:
        return False
    starts = _wide_starts(text, encoding=encoding)
    if len(text) + len(starts) <= _SINGLE[encoding]:
        return False
    return any(start % limit == limit - 1 for start in starts)


def non_gsm_characters(text: str) -> list[tuple[int, str]]:
    """
    List the characters that force *text* into UCS-2, with their offsets in code points.

    Example:
        >>> non_gsm_characters("fête à 5€")
        [(1, 'ê')]
    """
    return [(found.start(), found[0]) for found in _NOT_GSM.finditer(text)]


def refused_characters(text: str) -> list[tuple[int, str]]:
    r"""
    List the characters no text to a customer may hold, as offset and code point.

    Refused are the controls (C0 but line feed, form feed and carriage return; DEL; C1; so
    also tab and escape), halves of a surrogate pair on their own, and U+FFFE and U+FFFF. The
    form feed stays: it is in the extension table. Code points only, so that the list may be
    logged.

    Example:
        >>> refused_characters("a\tb\x1b")
        [(1, 'U+0009'), (3, 'U+001B')]
    """
    return [(found.start(), f"U+{ord(found[0]):04X}") for found in _REFUSED.finditer(text)]


def has_refused_characters(text: str) -> bool:
    """Tell whether ``refused_characters`` would list any, without making the list."""
    return not text.isprintable() and _REFUSED.search(text) is not None


@lru_cache(maxsize=4096)
def _measure_of(encoding: Encoding, units: int, parts: int) -> Measure:
    if parts > MAX_PARTS:
        raise ValueError(f"a text of {units} units needs {parts} parts, the limit is {MAX_PARTS}")
    return Measure(encoding=encoding, units=units, parts=parts)


def _limit_of(encoding: Encoding, *, split: str, reference_bits: int) -> int:
    if split not in _SPLITS:
        raise ValueError(f"split is {split!r}, not one of {', '.join(_SPLITS)}")
    return limits_of(encoding, reference_bits=reference_bits)[1]


def _parts_of(text: str, *, encoding: Encoding, split: str, limit: int, wide: int) -> int:
    """Count the parts of a text longer than one; walk only where a pair could be cut."""
    clustered = split in _BY_CLUSTER and encoding is Encoding.UCS2
    if split == "unit" or not (wide or clustered):
        return -(-(len(text) + wide) // limit)
    starts = _wide_starts(text, encoding=encoding)
    return 1 + len(_cuts_of(text, encoding=encoding, split=split, limit=limit, starts=starts))


def _wide_starts(text: str, *, encoding: Encoding) -> list[int]:
    """Unit positions at which the characters of two units begin, rising."""
    found = _WIDE[encoding].finditer(text)
    return [match.start() + index for index, match in enumerate(found)]


def _cuts_of(
    text: str, *, encoding: Encoding, split: str, limit: int, starts: list[int]
) -> list[int]:
    """Unit positions at which each part after the first begins."""
    if split in _BY_CLUSTER and encoding is Encoding.UCS2:
        return _cluster_cuts(text, limit=limit)
    units = len(text) + len(starts)
    if split == "unit":
        return list(range(limit, units, limit))
    return _pair_cuts(units, limit=limit, starts=frozenset(starts))


def _pair_cuts(units: int, *, limit: int, starts: frozenset[int]) -> list[int]:
    """Cut every *limit* units, one unit earlier where a pair would be cut in two."""
    cuts: list[int] = []
    position = limit
    while position < units:
        if position - 1 in starts:
            position -= 1
        cuts.append(position)
        position += limit
    return cuts


def _cluster_cuts(text: str, *, limit: int) -> list[int]:
    """Cut before each piece that does not fit in what is left of the part."""
    cuts: list[int] = []
    begin = position = 0
    for size, is_whole in _pieces_of(text, limit=limit):
        if is_whole and position + size - begin > limit:
            begin = position
            cuts.append(begin)
        while position + size - begin > limit:
            begin += limit
            cuts.append(begin)
        position += size
    return cuts


def _pieces_of(text: str, *, limit: int) -> Iterator[tuple[int, bool]]:
    """
    UTF-16 units of each piece, and whether it stays whole.

    What does not is a run of characters of one unit each, any number of them. A cluster longer
    than a part counts as its code points.
    """
    done = 0
    for zone in _JOINING.finditer(text):
        yield zone.start() - done, False
        done = zone.end()
        for cluster in _cluster_pattern().findall(zone[0]):
            size = _utf16_units(cluster)
            if size <= limit:
                yield size, True
            else:
                yield from ((_utf16_units(char), True) for char in cluster)
    yield len(text) - done, False


def _utf16_units(text: str) -> int:
    return len(text) + sum(char > "\uffff" for char in text)


@lru_cache(maxsize=1)
def _cluster_pattern() -> Any:
    """Compile the pattern of one reader's character; the standard library has none."""
    # Loaded only where a gateway cuts by cluster. CR LF is two characters there, not one.
    import regex  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415

    return regex.compile(r"\r|\n|\X")
