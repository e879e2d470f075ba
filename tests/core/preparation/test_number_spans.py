"""Patterns as spans of numbers: what ``re`` says of each text, for every pattern there is."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider.core.preparation.number_patterns import KINDS, metadata_of
from smsflow_provider.core.preparation.number_spans import (
    PatternError,
    Spans,
    both,
    everything,
    joined,
    moved,
    overlaps,
    read_pattern,
    scaled,
    size_of,
    united,
    values,
    without,
)

DIGITS = range(1, 16)
NAMES = ["general_desc", "fixed_line", "mobile", *(name for name, _ in KINDS)]


def metadata() -> Iterator[phonenumbers.PhoneMetadata]:
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        for region in regions:
            yield metadata_of(code, region=region)


def patterns() -> set[str]:
    """All patterns of numbers in the metadata."""
    descriptions = (getattr(one, name) for one in metadata() for name in NAMES)
    found = (one.national_number_pattern for one in descriptions if one is not None)
    return {pattern for pattern in found if pattern}


def prefixes() -> set[str]:
    found = [one.national_prefix_for_parsing for one in metadata()]
    found += [one.international_prefix for one in metadata()]
    return {pattern for pattern in found if pattern}


def edges_of(spans: Spans) -> Iterator[int]:
    for start, stop in spans:
        yield from (start - 1, start, stop - 1, stop)


def matching(pattern: str, digits: int) -> set[int]:
    texts = {at: f"{at:0{digits}d}" if digits else "" for at in range(10**digits)}
    return {at for at, text in texts.items() if re.fullmatch(pattern, text)}


def test_every_pattern_of_the_library_says_what_re_says_at_its_edges_and_within() -> None:
    rng = random.Random(8)
    for pattern in sorted(patterns()):
        matches = re.compile(pattern, re.ASCII).fullmatch
        for digits in DIGITS:
            spans = read_pattern(pattern).spans(digits)
            known = set(values(spans)) if digits < 3 else None
            edges = list(edges_of(spans))
            for at in {*rng.sample(edges, min(len(edges), 12)), rng.randrange(10**digits)}:
                if not 0 <= at < 10**digits:
                    continue
                expected = matches(f"{at:0{digits}d}") is not None
                assert expected == any(start <= at < stop for start, stop in spans), pattern
                assert known is None or expected == (at in known)


def first_way(pattern: str, text: str) -> tuple[int, bool] | None:
    """How many digits the first way that fits takes, and whether in a group."""
    for way in read_pattern(pattern).ways():
        counts = [len(text)] if way.is_whole else range(len(text), -1, -1)
        for count in counts:
            spans = way.pattern.spans(count)
            number = int(text[:count] or "0")
            if any(start <= number < stop for start, stop in spans):
                return count, way.has_group
    return None


def test_the_first_way_that_fits_is_the_one_that_re_takes() -> None:
    rng = random.Random(9)
    for pattern in sorted(prefixes()):
        ways = list(read_pattern(pattern).ways())
        spans = [way.pattern.spans(way.pattern.longest) for way in ways]
        starts = [rng.choice(list(values(some))) for some in spans if 0 < size_of(some) < 10**5]
        for _ in range(60):
            text = "".join(rng.choices("0123456789", k=rng.randrange(1, 13)))
            text = rng.choice([text, f"{rng.choice([0, *starts])}{text}"])
            found = re.match(pattern, text, re.ASCII)
            way = first_way(pattern, text)
            assert (way is None) == (found is None), pattern
            if found and way:
                assert way[1] == (found.lastindex is not None), (pattern, text)
                assert way[1] or way[0] == found.end(), (pattern, text)


PATTERNS = st.recursive(
    st.sampled_from(["0", "7", "[2-5]", "[13-58]", r"\d"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda some: f"(?:{'|'.join(some)})"),
        st.tuples(inner, st.sampled_from(["?", "{2}", "{1,2}", "{0,2}"])).map(
            lambda pair: f"({pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=5,
)


@settings(deadline=None)
@given(PATTERNS, st.integers(0, 3))
def test_any_pattern_says_what_re_says_of_every_text(pattern: str, digits: int) -> None:
    found = set(values(read_pattern(pattern).spans(digits)))

    assert found == matching(pattern, digits)


@pytest.mark.parametrize(
    "pattern",
    [
        "0*", "0+", ".", "[^0]", "(?=0)0", "(?!0)0", "(?P<a>0)", r"\s", r"0\1", "^0", "a",
        "(0", "0)", "?", "{2}", "0??", "0{2,1}", "0{1,}", "[a-z]", "", "0$1", "(0$)1", "[]", "٣",
    ],
)  # fmt: skip
def test_what_is_not_known_is_an_error_and_not_guessed(pattern: str) -> None:
    if not pattern:
        assert ((0, 1),) == read_pattern(pattern).spans(0)
        return
    with pytest.raises(PatternError):
        read_pattern(pattern)


def test_too_many_spans_are_an_error_and_not_a_full_memory() -> None:
    with pytest.raises(PatternError, match="too many"):
        read_pattern(r"\d{9}[1-8]\d[1-8]").spans(12)


def test_an_end_is_one_of_the_text() -> None:
    [whole, other] = read_pattern("5[01]$|6").ways()

    assert whole.is_whole
    assert ((50, 52),) == whole.pattern.spans(2)
    assert not other.is_whole
    assert ((60, 70),) == other.pattern.starts(2)


SPANS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 9)).map(lambda pair: (pair[0], sum(pair)))
).map(united)


@given(SPANS, SPANS)
def test_spans_are_sets(one: Spans, other: Spans) -> None:
    first, second = set(values(one)), set(values(other))

    assert first | second == set(values(united(one, other)))
    assert first & second == set(values(both(one, other)))
    assert first - second == set(values(without(one, other)))
    assert both(one, other) == united(both(one, other))
    assert size_of(one) == len(first)
    assert all(
        other[at][0] <= start < stop <= other[at][1] for start, stop, at in overlaps(one, other)
    )


@given(SPANS, SPANS)
def test_texts_are_put_one_behind_the_other(one: Spans, other: Spans) -> None:
    expected = {first * 100 + second for first in values(one) for second in values(other)}

    assert expected == set(values(joined(one, other, 2)))
    assert scaled(one, 2) == joined(one, everything(2), 2)
    assert {first + 7 for first in values(one)} == set(values(moved(one, 7)))
