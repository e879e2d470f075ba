"""Encodings, units and parts, against three libraries and a count by hand."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import gsm0338
import pytest
import smsutil
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sms_toolkit.messages.profiling import profile_message

from smsflow_provider.core.content.encoding import (
    GSM_CHARACTERS,
    MAX_PARTS,
    Measure,
    encoding_of,
    has_refused_characters,
    is_cut_inside,
    limits_of,
    measure,
    non_gsm_characters,
    part_boundaries,
    refused_characters,
)
from smsflow_provider.core.gateways.base import Split
from smsflow_provider.core.model import Encoding

GSM, UCS2 = Encoding.GSM7, Encoding.UCS2
EXTENSION = "\f^{}\\[~]|€"
BASIC = "".join(sorted(GSM_CHARACTERS - set(EXTENSION)))
SINGLE = {GSM: 160, UCS2: 70}
JOINED = {(GSM, 8): 153, (GSM, 16): 152, (UCS2, 8): 67, (UCS2, 16): 66}
FAMILY = "👨\u200d👩\u200d👧"
PIECES = [
    *"abc XYZ 019 éèàÉ@£$ΔΩ\n\r",
    *EXTENSION,
    *"ç\u2019êœ日本Ж\u0301",
    *"😀🎉\U0001d4b3",
    FAMILY,
    "🇫🇷",
    "👍🏽",
    "1\ufe0f\u20e3",
    "\r\n",
]


def texts(*, max_size: int) -> st.SearchStrategy[str]:
    """Any text, and texts dense in what is hard to cut."""
    dense = st.lists(st.sampled_from(PIECES), max_size=max_size).map("".join)
    gsm = st.text(st.sampled_from(BASIC + EXTENSION * 5), max_size=max_size)
    return st.one_of(dense, gsm, st.text(max_size=max_size))


def corpus(count: int) -> Iterator[str]:
    """Random texts of 1 to 700 characters, half of them GSM 7-bit."""
    source = random.Random(20261122)
    for index in range(count):
        pool = BASIC + EXTENSION if index % 2 else "".join(PIECES)
        wide = source.choice([0.0, 0.1, 0.5])
        length = source.choice([source.randint(1, 170), source.randint(1, 700)])
        pick = EXTENSION if index % 2 else "😀🎉"
        yield "".join(
            source.choice(pick) if source.random() < wide else source.choice(pool)
            for _ in range(length)
        )


def widths_of(text: str) -> list[int]:
    if encoding_of(text) is GSM:
        return [2 if char in EXTENSION else 1 for char in text]
    return [2 if ord(char) > 0xFFFF else 1 for char in text]


def cuts_by_hand(text: str, *, bits: int) -> list[int]:
    """Walk the characters, the slow and plain way."""
    encoding, widths = encoding_of(text), widths_of(text)
    if sum(widths) <= SINGLE[encoding]:
        return []
    cuts, used = [], 0
    for offset, width in enumerate(widths):
        if used + width > JOINED[encoding, bits]:
            cuts.append(offset)
            used = 0
        used += width
    return cuts


def parts_at(text: str, cuts: list[int]) -> list[str]:
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", GSM, 0, 1),
        ("a" * 160, GSM, 160, 1),
        ("a" * 161, GSM, 161, 2),
        ("a" * 306, GSM, 306, 2),
        ("a" * 307, GSM, 307, 3),
        ("€" * 80, GSM, 160, 1),
        ("€" * 81, GSM, 162, 2),
        ("€" * 152, GSM, 304, 2),
        ("€" * 153, GSM, 306, 3),  # 76 pairs to a part: one septet of each is lost
        ("\f", GSM, 2, 1),
        ("é è à É ß Ç", GSM, 11, 1),
        ("ç", UCS2, 1, 1),
        ("`", UCS2, 1, 1),
        ("\t", UCS2, 1, 1),
        ("\x1b", UCS2, 1, 1),  # an escape is a code, not a character
        ("ê" * 70, UCS2, 70, 1),
        ("ê" * 71, UCS2, 71, 2),
        ("ê" * 134, UCS2, 134, 2),
        ("ê" * 135, UCS2, 135, 3),
        ("😀" * 35, UCS2, 70, 1),
        ("😀" * 36, UCS2, 72, 2),
        ("😀" * 66, UCS2, 132, 2),
        ("😀" * 67, UCS2, 134, 3),  # 33 pairs to a part
        ("\ud800", UCS2, 1, 1),
    ],
)
def test_a_text_costs_what_the_standard_says(
    text: str, encoding: Encoding, units: int, parts: int
) -> None:
    assert Measure(encoding=encoding, units=units, parts=parts) == measure(text)


@pytest.mark.parametrize(
    ("text", "split", "bits", "parts"),
    [
        ("€" * 153, "unit", 8, 2),
        ("€" * 153, "code_point", 8, 3),
        ("€" * 153, "grapheme", 8, 3),
        ("😀" * 67, "unit", 8, 2),
        ("😀" * 67, "code_point", 8, 3),
        ("a" * 304, "code_point", 16, 2),
        ("a" * 305, "code_point", 16, 3),
        ("a" * 305, "code_point", 8, 2),
        ("ê" * 132, "code_point", 16, 2),
        ("ê" * 133, "code_point", 16, 3),
    ],
)
def test_the_way_of_cutting_and_the_reference_decide(
    text: str, split: str, bits: int, parts: int
) -> None:
    assert parts == measure(text, split=split, reference_bits=bits).parts


def test_the_word_of_the_gateway_seam_is_understood() -> None:
    assert [1, 1, 1, 1] == [measure("a", split=split).parts for split in Split]


@pytest.mark.parametrize("wrong", ["codepoint", "", "UNIT"])
def test_an_unknown_way_of_cutting_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="not one of unit, code_point, grapheme"):
        measure("a", split=wrong)


@pytest.mark.parametrize("wrong", [0, 7, 32])
def test_an_unknown_size_of_reference_is_refused(wrong: int) -> None:
    with pytest.raises(ValueError, match="not 8 or 16"):
        measure("a", reference_bits=wrong)


def test_more_parts_than_the_header_can_count_are_refused_without_the_text() -> None:
    fits = "a" * (153 * MAX_PARTS)
    with pytest.raises(ValueError, match="needs 256 parts, the limit is 255") as caught:
        measure(fits + "b")

    assert 255 == measure(fits).parts
    assert "aaa" not in str(caught.value)
    assert 255 == len(part_boundaries(fits + "b"))


def test_the_alphabet_is_the_one_of_the_codec_library_but_for_the_escape() -> None:
    codec = gsm0338.Codec()

    def known(char: str) -> bool:
        try:
            codec.encode(char)
        except UnicodeError:
            return False
        return True

    theirs = {chr(code) for code in range(0x10000) if known(chr(code))}

    assert {"\x1b"} == theirs - GSM_CHARACTERS
    assert set() == GSM_CHARACTERS - theirs
    assert 137 == len(GSM_CHARACTERS)


def test_units_and_parts_agree_with_the_libraries_on_thousands_of_texts() -> None:
    """
    Known differences, not in the corpus: they take the escape for a GSM character, and
    smsutil takes an empty text for UTF-16.
    """
    codec, compared = gsm0338.Codec(), 0
    for text in corpus(4000):
        ours, theirs = measure(text), smsutil.split(text)
        assert len(theirs.parts) == ours.parts
        assert (theirs.encoding.lower() == "gsm0338") == (ours.encoding is GSM)
        octets = codec.encode(text)[0] if ours.encoding is GSM else text.encode("utf-16-be")
        assert len(octets) == ours.units * (1 if ours.encoding is GSM else 2)
        compared += 1

    assert 4000 == compared


def test_a_second_library_cuts_thousands_of_texts_into_the_same_parts() -> None:
    """Known difference, not in the corpus: it takes the escape for a GSM character."""
    compared = 0
    for text in corpus(3000):
        theirs = profile_message(text)
        ours = measure(text)
        assert theirs["num_segments"] == ours.parts
        assert sum(part["total_segment_length"] for part in theirs["segments"]) == ours.units
        assert [part["message"] for part in theirs["segments"]] == parts_at(
            text, part_boundaries(text)
        )
        compared += 1

    assert 3000 == compared


def test_every_part_holds_what_the_library_puts_there() -> None:
    for text in corpus(1500):
        theirs = [part.content for part in smsutil.split(text).parts]
        assert theirs == parts_at(text, part_boundaries(text))


@settings(deadline=None)
@given(texts(max_size=400), st.sampled_from([8, 16]))
@example("a" * 152 + "€" + "b" * 160, 8)
@example("\ud800\udc00" * 40, 8)
def test_cutting_by_code_point_equals_a_walk_by_hand(text: str, bits: int) -> None:
    expected = cuts_by_hand(text, bits=bits)

    assert expected == part_boundaries(text, reference_bits=bits)
    assert len(expected) + 1 == measure(text, reference_bits=bits).parts


@settings(deadline=None)
@given(texts(max_size=400), st.sampled_from([8, 16]))
def test_cutting_by_unit_fills_every_part_but_the_last(text: str, bits: int) -> None:
    made = measure(text, split="unit", reference_bits=bits)
    limit = JOINED[made.encoding, bits]
    expected = 1 if made.units <= SINGLE[made.encoding] else math.ceil(made.units / limit)
    boundaries = part_boundaries(text, split="unit", reference_bits=bits)

    assert expected == made.parts
    assert expected - 1 == len(boundaries)
    assert sum(widths_of(text)) == made.units
    for number, offset in enumerate(boundaries, start=1):
        before = sum(widths_of(text[:offset]))
        assert number * limit in {before, before + 1}


@settings(deadline=None)
@given(texts(max_size=400), st.sampled_from([8, 16]))
def test_where_nobody_knows_how_it_is_cut_the_largest_number_counts(text: str, bits: int) -> None:
    three = ["unit", "code_point", "grapheme"]
    counts = [measure(text, split=split, reference_bits=bits).parts for split in three]

    assert max(counts) == measure(text, split="unknown", reference_bits=bits).parts
    assert max(counts) == len(part_boundaries(text, split="unknown", reference_bits=bits)) + 1


@settings(deadline=None)
@given(texts(max_size=400), st.sampled_from([8, 16]))
def test_a_text_is_cut_inside_where_the_octets_say_so(text: str, bits: int) -> None:
    """Laid out as units: does the second half of a pair stand first in a part?"""
    made = measure(text, reference_bits=bits)
    halves = [half for width in widths_of(text) for half in range(width)]
    starts = halves[:: JOINED[made.encoding, bits]] if made.parts > 1 else []

    assert (1 in starts) == is_cut_inside(text, split="unit", reference_bits=bits)
    assert (1 in starts) == is_cut_inside(text, split="unknown", reference_bits=bits)
    for split in ("code_point", "grapheme"):
        assert not is_cut_inside(text, split=split, reference_bits=bits)


def test_the_limits_are_those_of_the_standard() -> None:
    assert {(160, 153), (160, 152), (70, 67), (70, 66)} == {
        limits_of(encoding, reference_bits=bits) for encoding in Encoding for bits in (8, 16)
    }
    with pytest.raises(ValueError, match="not 8 or 16"):
        limits_of(GSM, reference_bits=9)


@settings(deadline=None)
@given(texts(max_size=400))
def test_a_gsm_text_is_exactly_one_without_foreign_characters(text: str) -> None:
    foreign = non_gsm_characters(text)

    assert (foreign == []) == (measure(text).encoding is GSM)
    assert [(i, c) for i, c in enumerate(text) if c not in GSM_CHARACTERS] == foreign


@pytest.mark.parametrize("text", ["plain", "line\nfeed\r\n", "page\fbreak", "é €", "😀", "\u200b"])
def test_a_text_for_customers_is_not_refused(text: str) -> None:
    assert [] == refused_characters(text)
    assert not has_refused_characters(text)


@pytest.mark.parametrize(
    ("char", "name"),
    [
        ("\x00", "U+0000"),
        ("\t", "U+0009"),
        ("\x0b", "U+000B"),
        ("\x1b", "U+001B"),
        ("\x1e", "U+001E"),
        ("\x7f", "U+007F"),
        ("\x85", "U+0085"),
        ("\ud83d", "U+D83D"),
        ("\udc00", "U+DC00"),
        ("\uffff", "U+FFFF"),
    ],
)
def test_a_control_or_half_a_pair_is_refused_by_place_and_code(char: str, name: str) -> None:
    assert [(2, name), (4, name)] == refused_characters(f"ab{char}c{char}")
    assert has_refused_characters(char)


@settings(deadline=None)
@given(st.text())
def test_what_is_not_refused_can_be_put_on_the_wire(text: str) -> None:
    if not has_refused_characters(text):
        assert text == text.encode("utf-16-be").decode("utf-16-be")
