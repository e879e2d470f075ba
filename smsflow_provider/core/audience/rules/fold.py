"""
What of a text does not count when texts are compared: one table, for every database and frame.

No database is asked for its own lower case: each has another idea of it, by version, locale and
collation. The table is made from Unicode's names and decompositions by a small rule, for Latin (up
to Extended-B, and Additional), Greek and Cyrillic letters. All other characters stay as they are.

* ``case``: a letter becomes its small one (``É`` to ``é``, both small sigmas are one). One
  character stays one character; ``ß`` is a small letter and stays.
* ``accents``: a letter loses its marks and strokes and keeps its case (``É`` to ``E``, ``ł`` to
  ``l``, ``Й`` to ``И``). Ligatures become two letters (``œ`` to ``oe``, ``ß`` to ``ss``). Marks
  that stand alone behind a letter (U+0300 to U+036F) are taken out, so that a text folds to the
  same however it is composed. ``case`` and ``nothing`` see two different texts there.
* ``both``: ``case``, then ``accents``.

Folding twice changes nothing. No character is in two of the three parts of a kind's table, and
what a part writes no part changes again: they may be applied in any order.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from smsflow_provider.core.audience.rules.plan import Fold

_BLOCKS = ((0x41, 0x24F), (0x370, 0x3FF), (0x400, 0x52F), (0x1E00, 0x1EFF))
_MARKS = "".join(map(chr, range(0x300, 0x370)))
#: What no name and no decomposition says.
_LIGATURES = ("ßss", "ẞSS", "æae", "ÆAE", "œoe", "ŒOE", "ĳij", "ĲIJ", "þth", "ÞTH")
_PLAIN = {one[0]: one[1:] for one in (*_LIGATURES, "ðd", "ÐD", "\u0131i")}
_LATIN_WITH = re.compile(r"LATIN (SMALL|CAPITAL) LETTER ([A-Z]) WITH (?!SMALL LETTER)")


def _small(letter: str) -> str:
    """One letter's small one; the dotted capital I has none of one character, and becomes i."""
    candidates = (letter.casefold(), letter.lower(), "i")
    return next(candidate for candidate in candidates if len(candidate) == 1)


_INSIDE = [chr(n) for first, last in _BLOCKS for n in range(first, last + 1) if chr(n).isalpha()]
#: Letters the table knows: Latin-1, Extended-A, Extended-B; Greek; Cyrillic; Latin Additional; and
#: the small letters of these.
LETTERS = "".join(sorted({*_INSIDE, *map(_small, _INSIDE)}))


def _plain(letter: str) -> str:
    """One letter without marks and strokes, in its case."""
    base = "".join(c for c in unicodedata.normalize("NFD", letter) if c not in _MARKS)
    named = _LATIN_WITH.match(unicodedata.name(base, "")) if len(base) == 1 else None
    if named:
        return named[2] if named[1] == "CAPITAL" else named[2].lower()
    return "".join(_PLAIN.get(character, character) for character in base)


def _small_and_plain(letter: str) -> str:
    return _plain(_small(letter))


def _written(change: Callable[[str], str], *, length: int) -> Mapping[str, str]:
    changes = {letter: change(letter) for letter in LETTERS}
    return MappingProxyType(
        {old: new for old, new in changes.items() if old != new and len(new) == length}
    )


_CHANGES: Mapping[Fold, Callable[[str], str]] = {
    Fold.NOTHING: str,
    Fold.CASE: _small,
    Fold.ACCENTS: _plain,
    Fold.BOTH: _small_and_plain,
}
#: By kind: one character and the one that stands for it. What ``TRANSLATE`` of SQL can do.
PAIRS: Mapping[Fold, Mapping[str, str]] = MappingProxyType(
    {kind: _written(change, length=1) for kind, change in _CHANGES.items()}
)
#: By kind: one character and the two that stand for it.
EXPANSIONS: Mapping[Fold, Mapping[str, str]] = MappingProxyType(
    {kind: _written(change, length=2) for kind, change in _CHANGES.items()}
)
#: By kind: characters that are taken out.
REMOVED: Mapping[Fold, str] = MappingProxyType(
    {kind: _MARKS if kind in {Fold.ACCENTS, Fold.BOTH} else "" for kind in Fold}
)


def whole_table(kind: Fold) -> dict[str, str]:
    """
    The three parts as one: a character, and none, one or two that stand for it.

    Example:
        >>> table = whole_table(Fold.BOTH)
        >>> table["É"], table["œ"], table["\u0301"]
        ('e', 'oe', '')
    """
    return {**PAIRS[kind], **EXPANSIONS[kind], **dict.fromkeys(REMOVED[kind], "")}


def table_for(kind: Fold, texts: Iterable[str]) -> dict[str, str]:
    """
    As much of the table as matters when a column is compared with *texts* only.

    A letter whose image has no character in common with *texts* may stay as it is: it will not
    be found in them, folded or not. For databases without ``TRANSLATE``, where each line of the
    table is a ``REPLACE`` around the one before. Right for equality and for texts at a place;
    patterns with ``?`` count characters, and need the expansions too, which are always here.

    Args:
        kind: What does not count.
        texts: All texts of the comparison, folded already.

    Example:
        >>> "".join(table_for(Fold.CASE, ["paris"]))[:5]
        'AIPRS'
    """
    wanted = set().union(*texts)
    pairs = {old: new for old, new in PAIRS[kind].items() if new in wanted}
    return {**pairs, **EXPANSIONS[kind], **dict.fromkeys(REMOVED[kind], "")}


_BY_NUMBER = {kind: str.maketrans(whole_table(kind)) for kind in Fold}


def fold(text: str, kind: Fold) -> str:
    """
    Write *text* without what does not count.

    Args:
        text: Any text, composed or not.
        kind: What does not count.

    Returns:
        The text to compare; it may be longer (``œ``), shorter (marks) or empty (marks only).

    Example:
        >>> fold("Saint-Étienne", Fold.BOTH), fold("Œuvre", Fold.ACCENTS), fold("ΝΊΚΟΣ", Fold.CASE)
        ('saint-etienne', 'OEuvre', 'νίκοσ')
    """
    return text.translate(_BY_NUMBER[kind])
