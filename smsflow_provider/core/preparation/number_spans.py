r"""
Patterns of digits as spans of whole numbers: ``06[1-9]`` of three digits is 061 to 069.

A number plan says with regular expressions which digits are given out. Of texts of one length
those are a few ranges, and to look a number up in sorted ranges takes a tenth of the time of
matching it, whatever the number of countries.

Read is what the metadata of phonenumbers use: digits, ``\d``, ``[2-46]``, groups, ``|``,
``?``, ``{2}``, ``{2,4}`` and ``$`` at an end. Anything else is an error, and never read as
something near it.
"""

from __future__ import annotations

import functools
import itertools
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

#: From and up to, the latter not in it; in order, and never touching one another.
Spans = tuple[tuple[int, int], ...]

_SIGN: Final = re.compile(r"\(\?:|[()|?$]|\\d|[0-9]|\[[0-9-]+\]|\{[0-9]+(?:,[0-9]+)?\}")
_MOST: Final = 100_000


class PatternError(ValueError):
    """The pattern holds what is not read here, or comes to too many spans."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One of the ways in which a pattern can begin to match, in the order they are tried."""

    pattern: Pattern
    #: A capturing group takes part.
    has_group: bool
    #: It matches to the end or not at all.
    is_whole: bool


class Pattern(ABC):
    """
    A pattern of digits.

    Example:
        >>> read_pattern("0[67]").spans(2), read_pattern("5|0[67]").spans(1)
        (((6, 8),), ((5, 6),))
    """

    __slots__ = ("_spans", "is_end", "longest", "shortest")

    def __init__(self, *, shortest: int, longest: int, is_end: bool = False) -> None:
        #: How many digits it takes.
        self.shortest = shortest
        self.longest = longest
        #: There is a ``$`` in it.
        self.is_end = is_end
        self._spans: dict[int, Spans] = {}

    def spans(self, digits: int) -> Spans:
        """
        Give all texts of so many digits that match whole, as whole numbers.

        Raises:
            PatternError: There are more than 100,000 spans.
        """
        if not self.shortest <= digits <= self.longest:
            return ()
        if digits not in self._spans:
            self._spans[digits] = self._make(digits)
        return self._spans[digits]

    def starts(self, digits: int) -> Spans:
        """Give all texts of so many digits that begin with one or more that match."""
        return united(*(
            scaled(self.spans(taken), digits - taken)
            for taken in range(max(self.shortest, 1), min(self.longest, digits) + 1)
        ))  # fmt: skip

    def ways(self) -> Iterator[Way]:
        """
        Give the ways to begin to match; the first one that fits is what ``re.match`` takes.

        A capturing group is not gone into: it is one way, of whatever length.
        """
        yield Way(pattern=self, has_group=False, is_whole=False)

    @abstractmethod
    def _make(self, digits: int) -> Spans:
        """Give the spans of a number of digits that it can take."""


class _Digit(Pattern):
    """One digit of a set."""

    __slots__ = ("_digits",)

    def __init__(self, digits: Iterable[int]) -> None:
        super().__init__(shortest=1, longest=1)
        self._digits = frozenset(digits)

    def _make(self, digits: int) -> Spans:
        return united((digit, digit + digits) for digit in self._digits)


class _Choice(Pattern):
    """One of several."""

    __slots__ = ("_parts",)

    def __init__(self, parts: Sequence[Pattern]) -> None:
        super().__init__(
            shortest=min(part.shortest for part in parts),
            longest=max(part.longest for part in parts),
            is_end=any(part.is_end for part in parts),
        )
        self._parts = parts

    def _make(self, digits: int) -> Spans:
        return united(*(part.spans(digits) for part in self._parts))

    def ways(self) -> Iterator[Way]:
        return itertools.chain.from_iterable(part.ways() for part in self._parts)


class _Pair(Pattern):
    """One after the other."""

    __slots__ = ("_first", "_rest")

    def __init__(self, first: Pattern, rest: Pattern) -> None:
        if first.is_end:
            raise PatternError("something comes after the end")
        super().__init__(
            shortest=first.shortest + rest.shortest,
            longest=first.longest + rest.longest,
            is_end=rest.is_end,
        )
        self._first = first
        self._rest = rest

    def _make(self, digits: int) -> Spans:
        return united(*(
            joined(self._first.spans(taken), self._rest.spans(digits - taken), digits - taken)
            for taken in range(self._first.shortest, min(self._first.longest, digits) + 1)
        ))  # fmt: skip

    def ways(self) -> Iterator[Way]:
        for first, rest in itertools.product(self._first.ways(), self._rest.ways()):
            yield Way(
                pattern=_Pair(first.pattern, rest.pattern),
                has_group=first.has_group or rest.has_group,
                is_whole=first.is_whole or rest.is_whole,
            )


class _Nothing(Pattern):
    """No digit at all; the end of the text, if it says so."""

    __slots__ = ()

    def __init__(self, *, is_end: bool = False) -> None:
        super().__init__(shortest=0, longest=0, is_end=is_end)

    def _make(self, digits: int) -> Spans:
        return ((digits, 1),)

    def ways(self) -> Iterator[Way]:
        yield Way(pattern=self, has_group=False, is_whole=self.is_end)


class _Group(Pattern):
    """A capturing group."""

    __slots__ = ("_inner",)

    def __init__(self, inner: Pattern) -> None:
        super().__init__(shortest=inner.shortest, longest=inner.longest, is_end=inner.is_end)
        self._inner = inner

    def _make(self, digits: int) -> Spans:
        return self._inner.spans(digits)

    def ways(self) -> Iterator[Way]:
        yield Way(pattern=self, has_group=True, is_whole=False)


@functools.cache
def read_pattern(pattern: str) -> Pattern:
    """
    Read a regular expression of digits.

    Raises:
        PatternError: It holds something else.
    """
    signs = _SIGN.findall(pattern)
    if "".join(signs) != pattern:
        raise PatternError("not a pattern of digits only")
    signs.reverse()
    read = _read_choice(signs)
    if signs:
        raise PatternError("a bracket too many")
    return read


def _read_choice(signs: list[str]) -> Pattern:
    """Read up to the bracket that closes it. *signs* are in reverse, and used up."""
    parts = [_read_sequence(signs)]
    while signs and signs[-1] == "|":
        signs.pop()
        parts.append(_read_sequence(signs))
    return parts[0] if len(parts) == 1 else _Choice(parts)


def _read_sequence(signs: list[str]) -> Pattern:
    parts: list[Pattern] = []
    while signs and signs[-1] not in {"|", ")"}:
        parts.append(_repeated(_read_one(signs), signs))
    return _in_a_row(parts)


def _read_one(signs: list[str]) -> Pattern:
    sign = signs.pop()
    if sign in {"(", "(?:"}:
        inner = _read_choice(signs)
        if not signs or signs.pop() != ")":
            raise PatternError("a bracket is missing")
        return _Group(inner) if sign == "(" else inner
    if sign == "$":
        return _Nothing(is_end=True)
    if sign[0] in "?{":
        raise PatternError("nothing is repeated")
    return _Digit(_digits_of(sign))


def _digits_of(sign: str) -> Iterator[int]:
    if sign == r"\d":
        yield from range(10)
        return
    for first, last in re.findall("([0-9])(?:-([0-9]))?", sign):
        yield from range(int(first), int(last or first) + 1)


def _repeated(one: Pattern, signs: list[str]) -> Pattern:
    """As often as the next sign says, and rather more often than less."""
    if not signs or signs[-1][0] not in "?{":
        return one
    counts = re.findall("[0-9]+", signs.pop()) or ["0", "1"]
    least, most = int(counts[0]), int(counts[-1])
    if most < least:
        raise PatternError("repeated less than its least")
    parts = [_in_a_row([one] * count) for count in range(most, least - 1, -1)]
    return parts[0] if len(parts) == 1 else _Choice(parts)


def _in_a_row(parts: Sequence[Pattern]) -> Pattern:
    if not parts:
        return _Nothing()
    *others, last = parts
    for part in reversed(others):
        last = _Pair(part, last)
    return last


def everything(digits: int) -> Spans:
    """Give the span of all texts of so many digits."""
    return ((0, 10**digits),)


def united(*some: Iterable[tuple[int, int]]) -> Spans:
    """
    Give what is in any of *some*.

    Raises:
        PatternError: It is more than 100,000 spans.
    """
    found: list[tuple[int, int]] = []
    for start, stop in sorted(itertools.chain.from_iterable(some)):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(stop, found[-1][1])
        else:
            found.append((start, stop))
    if len(found) > _MOST:
        raise PatternError("too many spans")
    return tuple(found)


def overlaps(one: Spans, other: Spans) -> Iterator[tuple[int, int, int]]:
    """Give what is in *one* and in *other*, and the place of the latter's span, in order."""
    at = 0
    for start, stop in one:
        while at < len(other) and other[at][1] <= start:
            at += 1
        for place in range(at, len(other)):
            first, last = other[place]
            if first >= stop:
                break
            yield max(start, first), min(stop, last), place


def both(one: Spans, other: Spans) -> Spans:
    """Give what is in *one* and in *other*."""
    return tuple((start, stop) for start, stop, _ in overlaps(one, other))


def without(one: Spans, other: Spans) -> Spans:
    """Give what is in *one* and not in *other*."""
    if not one:
        return ()
    bounds = [min(one[0][0], other[0][0]) if other else one[0][0]]
    bounds += itertools.chain.from_iterable(other)
    bounds.append(max(one[-1][1], bounds[-1]))
    gaps = zip(bounds[::2], bounds[1::2], strict=True)
    return both(one, tuple((start, stop) for start, stop in gaps if start < stop))


def scaled(spans: Spans, digits: int) -> Spans:
    """Give the texts that go on behind *spans* with so many digits, whatever they are."""
    return tuple((start * 10**digits, stop * 10**digits) for start, stop in spans)


def moved(spans: Spans, by: int) -> Spans:
    """Give *spans* with *by* added to each number."""
    return tuple((start + by, stop + by) for start, stop in spans)


def values(spans: Spans) -> Iterator[int]:
    """Give each whole number in *spans*."""
    return itertools.chain.from_iterable(itertools.starmap(range, spans))


def size_of(spans: Spans) -> int:
    """Count the whole numbers in *spans*."""
    return sum(stop - start for start, stop in spans)


def joined(first: Spans, rest: Spans, digits: int) -> Spans:
    """
    Give the texts of *first* followed by those of *rest*, which have so many digits.

    Raises:
        PatternError: There are more than 100,000 spans.
    """
    if not first or not rest:
        return ()
    if rest == everything(digits):
        return scaled(first, digits)
    if len(rest) * size_of(first) > _MOST:
        raise PatternError("too many spans")
    return united(*(moved(rest, value * 10**digits) for value in values(first)))
