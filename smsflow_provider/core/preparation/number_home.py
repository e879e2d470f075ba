"""
What digits without a plus mean in one region, as pieces of a line of whole numbers.

The line holds texts, with their zeros in front: a text of five digits stands at 100,000 more
than the number it writes. The rules are those of ``phonenumbers.parse``: the international
prefix, the calling code in front, the national prefix.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Final

import phonenumbers
from phonenumbers import PhoneMetadata

from smsflow_provider.core.preparation.number_patterns import metadata_of
from smsflow_provider.core.preparation.number_plan import (
    FIRST_VALID,
    SEE_WORLD,
    SEE_WORLD_FOR_NUMBER,
    SEE_WORLD_IF_DOUBLE_ZERO,
    UNSURE,
    Piece,
    block_of,
    cuts,
    moved_pieces,
    possible_spans,
    prefixes_of,
    problem_verdict,
    spans_of_prefix,
    spans_of_way,
    ways_of,
)
from smsflow_provider.core.preparation.number_quick import Lengths
from smsflow_provider.core.preparation.number_spans import (
    PatternError,
    Spans,
    both,
    everything,
    moved,
    united,
    without,
)
from smsflow_provider.core.preparation.number_value import NumberProblem

#: How many digits a text may have.
TEXT_DIGITS: Final = range(3, 18)
_SHORT: Final = range(3, 7)


def text_start(digits: int) -> int:
    """Say where on the line the texts of so many digits begin."""
    return int(10**digits)


@functools.cache
def home_pieces(region: str | None) -> tuple[Piece, ...]:
    """
    Give the pieces of all texts of 3 to 17 digits.

    Args:
        region: ISO 3166 code, known to phonenumbers. None: national numbers belong nowhere,
            and only what begins with ``00`` and no third zero is international.

    Returns:
        In no order. Texts in no piece are not sure. A problem is one of a text that can be
        read in no other way. With ``SEE_WORLD`` and its like the *shift* gives the
        international number.
    """
    try:
        return tuple(_homeless() if region is None else _Home(region).pieces())
    except PatternError:
        return ()


def _homeless() -> Iterator[Piece]:
    for digits in TEXT_DIGITS:
        start, rest = text_start(digits), 10 ** (digits - 2)
        problem = NumberProblem.SHORT_CODE if digits in _SHORT else NumberProblem.NO_REGION
        yield Piece(start + rest, start * 2, problem_verdict(problem))
        yield Piece(start + rest // 10, start + rest, SEE_WORLD_IF_DOUBLE_ZERO, -start)


class _Home:
    """
    The ways to write a number in one region.

    Args:
        region: Known to phonenumbers.
    """

    def __init__(self, region: str) -> None:
        self._code = phonenumbers.country_code_for_region(region)
        self._metadata: PhoneMetadata = metadata_of(self._code, region=region)
        self._abroad = ways_of(self._metadata.international_prefix)
        self._lengths = Lengths(self._metadata)

    def pieces(self) -> Iterator[Piece]:
        """Give the pieces of all texts."""
        for digits in TEXT_DIGITS:
            start = text_start(digits)
            abroad = list(self._with_prefix_of_abroad(digits))
            yield from (_at(start, piece) for piece in abroad)
            left = without(everything(digits), united(piece[:2] for piece in abroad))
            with_code, unsure = self._with_code(left, digits=digits)
            see = SEE_WORLD_FOR_NUMBER if digits in _SHORT else SEE_WORLD
            yield from (_at(start, Piece(*span, see)) for span in with_code)
            left = without(without(left, unsure), with_code)
            for piece in self._national(left, digits=digits):
                yield from _without_doubt(piece, digits=digits)

    def _with_prefix_of_abroad(self, digits: int) -> Iterator[Piece]:
        """Texts that begin with the international prefix; where they stand is without zeros."""
        left = everything(digits)
        for way in self._abroad:
            here = both(left, spans_of_way(way, digits=digits))
            left = without(left, here)
            prefixes = prefixes_of(way)
            if prefixes is None:
                yield from (Piece(*span, UNSURE) for span in here)
                continue
            size = way.pattern.shortest
            # Behind a longer prefix that begins with 00 there are two ways to go on.
            has_other_ways = digits in _SHORT or size > len("00")
            for prefix in prefixes:
                see = SEE_WORLD_FOR_NUMBER if has_other_ways else SEE_WORLD
                yield from _behind(prefix, here, digits=digits - size, see=see)

    def _with_code(self, spans: Spans, *, digits: int) -> tuple[Spans, Spans]:
        """Give the texts in which the calling code stands in front, and those not sure."""
        rest = digits - len(str(self._code))
        if rest < 0:
            return (), ()
        spans = both(spans, block_of(self._code, digits=rest))
        by = self._code * 10**rest
        prefixed = spans_of_prefix(self._metadata.national_prefix_for_parsing, digits=rest)
        unsure = both(spans, moved(prefixed, by))
        sure = without(spans, unsure)
        if self._lengths.are_exceeded_by(digits):
            return sure, unsure
        is_rest = both(sure, moved(possible_spans(self._metadata, digits=rest), by))
        return without(is_rest, possible_spans(self._metadata, digits=digits)), unsure

    def _national(self, spans: Spans, *, digits: int) -> Iterator[Piece]:
        for cut in cuts(self._metadata, digits=digits):
            own = cut._replace(spans=both(cut.spans, spans))
            yield from moved_pieces(own, code=self._code, digits=digits, start=text_start(digits))


def _at(start: int, piece: Piece) -> Piece:
    """Put a piece where its texts stand on the line."""
    return Piece(start + piece.start, start + piece.stop, piece.verdict, piece.shift - start)


def _behind(prefix: int, spans: Spans, *, digits: int, see: int) -> Iterator[Piece]:
    """International numbers of so many digits behind a prefix, with that verdict."""
    block = both(spans, block_of(prefix, digits=digits))
    # No calling code begins with a zero, and then the prefix is none.
    zeros = both(block, block_of(prefix * 10, digits=digits - 1)) if digits else block
    yield from (Piece(*span, UNSURE) for span in zeros)
    shift = -prefix * 10**digits
    yield from (Piece(*span, see, shift) for span in without(block, zeros))


def _without_doubt(piece: Piece, *, digits: int) -> Iterator[Piece]:
    """
    Keep a problem only where the text can be read in no other way.

    Behind ``00`` there may be an international number, whatever the region; and what is short
    is a short code.
    """
    if piece.verdict >= FIRST_VALID:
        yield piece
        return
    start, rest = text_start(digits), 10 ** (digits - 2)
    spans = ((piece.start, piece.stop),)
    is_short = digits in _SHORT
    problem = problem_verdict(NumberProblem.SHORT_CODE) if is_short else piece.verdict
    for first, stop in both(spans, ((start + rest, start * 2),)):
        yield Piece(first, stop, problem)
    for first, stop in both(spans, ((start + rest // 10, start + rest),)):
        yield Piece(first, stop, SEE_WORLD_IF_DOUBLE_ZERO, -start)
