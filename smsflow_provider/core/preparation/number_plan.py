"""
The number plan of the world as pieces of one long line of whole numbers.

Each piece is a range of E.164 digits with one verdict: a region and a kind, the problem they
have, or "not sure". They are computed from the metadata of phonenumbers, one calling code at
a time, by the rules by which the library parses and judges; a test compares the two.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import phonenumbers
from phonenumbers import PhoneMetadata

from smsflow_provider.core.preparation.number_patterns import (
    KINDS,
    metadata_of,
    pattern_of,
    pattern_of_possible,
    problem_of_length,
)
from smsflow_provider.core.preparation.number_quick import Lengths
from smsflow_provider.core.preparation.number_spans import (
    PatternError,
    Spans,
    Way,
    both,
    everything,
    moved,
    overlaps,
    read_pattern,
    scaled,
    size_of,
    united,
    values,
    without,
)
from smsflow_provider.core.preparation.number_value import Number, NumberKind, NumberProblem

#: Of a whole number, with the calling code. Below and above, the library is asked.
DIGITS: Final = range(5, 18)
# Two digits less: no calling code has more than three.
_NATIONAL_DIGITS: Final = range(2, 17)
_MOST_PREFIXES: Final = 200

PROBLEMS: Final = tuple(NumberProblem)
REGIONS: Final = tuple(sorted(phonenumbers.SUPPORTED_REGIONS))
NUMBER_KINDS: Final = tuple(NumberKind)

#: The library must be asked.
UNSURE: Final = 0
#: It is an international number, which the plan of the world is to judge.
SEE_WORLD: Final = len(PROBLEMS) + 1
#: The same, but a problem that it has there is not sure: the text may be read in another way.
SEE_WORLD_FOR_NUMBER: Final = SEE_WORLD + 1
#: The same, and it is international only if its ``00`` is written as one.
SEE_WORLD_IF_DOUBLE_ZERO: Final = SEE_WORLD + 2
#: This verdict and all that are greater: a number.
FIRST_VALID: Final = SEE_WORLD + 3
VERDICTS: Final = FIRST_VALID + (len(REGIONS) + 1) * len(NUMBER_KINDS)

_PROBLEM_VERDICTS: Final = {problem: at + 1 for at, problem in enumerate(PROBLEMS)}
_REGION_VERDICTS: Final = {
    region: FIRST_VALID + at * len(NUMBER_KINDS)
    for at, region in enumerate([phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY, *REGIONS])
}
_KIND_OFFSETS: Final = {kind: at for at, kind in enumerate(NUMBER_KINDS)}


class Piece(NamedTuple):
    """All numbers from *start* up to *stop*, which is not in it."""

    start: int
    stop: int
    #: A region and a kind (``kind_of_verdict``), a problem, ``UNSURE`` or ``SEE_WORLD``.
    verdict: int
    #: What to add to the number as it is written to get the number meant.
    shift: int = 0


class Cut(NamedTuple):
    """Texts from which the same digits in front are taken away."""

    spans: Spans
    #: How many digits are taken. None: not sure.
    taken: int | None
    #: Which.
    prefix: int = 0


def problem_verdict(problem: NumberProblem) -> int:
    """Give the verdict that is *problem*."""
    return _PROBLEM_VERDICTS[problem]


def problem_of_verdict(verdict: int) -> NumberProblem | None:
    """Give the problem; None: it is a number, or not judged."""
    return PROBLEMS[verdict - 1] if UNSURE < verdict < SEE_WORLD else None


def region_of_verdict(verdict: int) -> str | None:
    """Give the region; None: it is of no country, or no number."""
    at = (verdict - FIRST_VALID) // len(NUMBER_KINDS)
    return REGIONS[at - 1] if at >= 1 else None


def kind_of_verdict(verdict: int) -> NumberKind | None:
    """Give the kind; None: it is no number."""
    if verdict < FIRST_VALID:
        return None
    return NUMBER_KINDS[(verdict - FIRST_VALID) % len(NUMBER_KINDS)]


def verdict_of(number: Number) -> int:
    """Give the verdict that says of a number what *number* says."""
    if number.problem is not None:
        return problem_verdict(number.problem)
    region = number.region or phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY
    return _REGION_VERDICTS[region] + (_KIND_OFFSETS[number.kind] if number.kind else 0)


@functools.cache
def pieces_of_code(code: int) -> tuple[Piece, ...]:
    """
    Give the pieces of all numbers that begin with a calling code, as they come.

    What follows the code may begin with a national prefix, as in +44 (0)20: it is taken away,
    by a *shift*, where the library takes it.

    Args:
        code: One that phonenumbers knows.

    Returns:
        In no order. Numbers in no piece are not sure; all of them are, where a pattern cannot
        be read.
    """
    try:
        return tuple(_pieces_of_code(code))
    except PatternError:
        return ()


def _pieces_of_code(code: int) -> Iterator[Piece]:
    metadata = metadata_of(code)
    for digits in _NATIONAL_DIGITS:
        if digits + len(str(code)) not in DIGITS:
            continue
        start = code * 10**digits
        for cut in cuts(metadata, digits=digits):
            yield from moved_pieces(cut, code=code, digits=digits, start=start)


def moved_pieces(cut: Cut, *, code: int, digits: int, start: int) -> Iterator[Piece]:
    """
    Judge what is left of national numbers when their prefix is taken away.

    Args:
        code: The calling code they have, written or not.
        digits: How many they have with the prefix.
        start: What was added to them, to say where on the line they are.
    """
    if cut.taken is None:
        return
    left = digits - cut.taken
    if left + len(str(code)) not in DIGITS:
        return
    written = start + cut.prefix * 10**left
    spans = moved(cut.spans, -cut.prefix * 10**left)
    pieces = national_pieces(code, digits=left)
    shift = code * 10**left - written
    for first, stop, at in overlaps(spans, tuple(piece[:2] for piece in pieces)):
        yield Piece(written + first, written + stop, pieces[at].verdict, shift)


@functools.cache
def national_pieces(code: int, *, digits: int) -> tuple[Piece, ...]:
    """
    Judge all national numbers of a calling code that have so many digits, and no prefix.

    Raises:
        PatternError: A pattern cannot be read.
    """
    pieces: list[Piece] = []
    left = everything(digits)
    for spans, verdict in _claims(code, digits=digits):
        pieces += [Piece(*span, verdict) for span in both(left, spans)]
        left = without(left, spans)
    problem = problem_verdict(problem_of_length(code, digits=digits))
    return tuple(sorted([*pieces, *(Piece(*span, problem) for span in left)]))


def _claims(code: int, *, digits: int) -> Iterator[tuple[Spans, int]]:
    """What is of which region and kind; the first claim holds."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    problem = problem_verdict(problem_of_length(code, digits=digits))
    for region in regions:
        metadata = metadata_of(code, region=region)
        is_led = len(regions) > 1 and metadata.leading_digits is not None
        leading = read_pattern(metadata.leading_digits).starts(digits) if is_led else ()
        of_region = _REGION_VERDICTS[region]
        for spans, kind in _kinds_of(metadata, digits=digits):
            own = both(spans, leading) if is_led else spans
            yield own, of_region + _KIND_OFFSETS[kind]
        yield leading, problem  # these digits make it this region's, valid or not


def _kinds_of(metadata: PhoneMetadata, *, digits: int) -> Iterator[tuple[Spans, NumberKind]]:
    """The numbers of each kind in a region, in the library's order."""

    def spans_of(name: str) -> Spans:
        pattern = pattern_of(getattr(metadata, name), digits=digits)
        return both(general, read_pattern(pattern).spans(digits)) if pattern else ()

    general = everything(digits)
    general = spans_of("general_desc")
    yield from ((spans_of(name), kind) for name, kind in KINDS)
    fixed = spans_of("fixed_line")
    if metadata.same_mobile_and_fixed_line_pattern:
        yield fixed, NumberKind.FIXED_LINE_OR_MOBILE
        return
    mobile = spans_of("mobile")
    yield both(fixed, mobile), NumberKind.FIXED_LINE_OR_MOBILE
    yield fixed, NumberKind.FIXED_LINE
    yield mobile, NumberKind.MOBILE


def cuts(metadata: PhoneMetadata, *, digits: int) -> Iterator[Cut]:
    """
    Say what the library takes from national numbers of so many digits, as their prefix.

    Returns:
        Every number is in one of them.

    Raises:
        PatternError: A pattern cannot be read.
    """
    left = everything(digits)
    for way in ways_of(metadata.national_prefix_for_parsing):
        if not way.pattern.shortest and not way.is_whole:
            # Nothing matches, too, and what follows is not tried.
            yield Cut(left, None if way.has_group else 0)
            return
        here = both(left, spans_of_way(way, digits=digits))
        left = without(left, here)
        prefixes = prefixes_of(way)
        if prefixes is None:
            yield Cut(here, None)  # a carrier code, or digits that are to be rewritten
            continue
        size = way.pattern.shortest
        for prefix in prefixes:
            cut = Cut(both(here, block_of(prefix, digits=digits - size)), size, prefix)
            yield from _losing_or_keeping(cut, metadata=metadata, digits=digits)
    yield Cut(left, 0)


def ways_of(pattern: str | None) -> list[Way]:
    """
    Give the ways in which a prefix can begin, in the order they are tried.

    Raises:
        PatternError: It cannot be read.
    """
    return list(read_pattern(pattern).ways()) if pattern else []


def spans_of_prefix(pattern: str | None, *, digits: int) -> Spans:
    """Give all texts of so many digits that begin with a prefix of at least one digit."""
    return united(*(spans_of_way(way, digits=digits) for way in ways_of(pattern)))


def spans_of_way(way: Way, *, digits: int) -> Spans:
    """Give all texts of so many digits that begin in that way, with one digit at least."""
    return way.pattern.spans(digits) if way.is_whole else way.pattern.starts(digits)


def prefixes_of(way: Way) -> list[int] | None:
    """Give the prefixes that are taken away as they are; None: it is not that simple."""
    size = way.pattern.shortest
    if way.has_group or way.pattern.longest != size:
        return None
    found = way.pattern.spans(size)
    return list(values(found)) if size_of(found) <= _MOST_PREFIXES else None


def block_of(prefix: int, *, digits: int) -> Spans:
    """Give all texts in which so many digits follow a prefix; none, if *digits* is negative."""
    return scaled(((prefix, prefix + 1),), digits) if digits >= 0 else ()


def _losing_or_keeping(cut: Cut, *, metadata: PhoneMetadata, digits: int) -> Iterator[Cut]:
    """Split numbers that begin with a prefix into those that lose it and those that keep it."""
    left = digits - (cut.taken or 0)
    if not cut.spans or not Lengths(metadata).allow(left):
        yield Cut(cut.spans, 0)
        return
    # It stays when the whole is a possible number and the rest is not.
    possible = both(cut.spans, possible_spans(metadata, digits=digits))
    rest = moved(possible_spans(metadata, digits=left), cut.prefix * 10**left)
    stays = without(possible, rest)
    yield Cut(stays, 0)
    yield cut._replace(spans=without(cut.spans, stays))


def possible_spans(metadata: PhoneMetadata, *, digits: int) -> Spans:
    """Give all texts of so many digits that might be a national number."""
    if metadata.general_desc is None or not metadata.general_desc.national_number_pattern:
        return ()
    return read_pattern(pattern_of_possible(metadata)).spans(digits)


def in_order(pieces: Iterable[Piece]) -> list[Piece]:
    """
    Give *pieces* as one line from 0 on: gaps are not sure, equal neighbours are one.

    The stop of the last is where the line ends; from there on nothing is sure.
    """
    line = [Piece(0, 0, UNSURE)]
    for piece in sorted(pieces):
        for each in (Piece(line[-1].stop, piece.start, UNSURE), piece):
            if each[2:] == line[-1][2:]:
                line[-1] = line[-1]._replace(stop=each.stop)
            elif each.start < each.stop:
                line.append(each)
    return [*line, Piece(line[-1].stop, line[-1].stop, UNSURE)]
