"""Columns of texts come out as the functions for one text would have each row."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Final

import gsm0338
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smsflow_provider.core.content.encoding import (
    GSM_CHARACTERS,
    GSM_EXTENSION,
    encoding_of,
    is_cut_inside,
    limits_of,
    measure,
    part_boundaries,
)
from smsflow_provider.core.content.punctuation import FRACTIONS, PUNCTUATION
from smsflow_provider.core.content.render import Renderer
from smsflow_provider.core.content.template import read_template
from smsflow_provider.core.content.transliteration import (
    Transliteration,
    transliterate,
    transliteration_changes,
)
from smsflow_provider.core.gateways.base import Split
from smsflow_provider.core.model import Encoding
from smsflow_provider.core.preparation.texts import (
    ENCODINGS,
    changes_of,
    count_changes,
    measure_many,
    top_changes,
    transliterate_many,
)

GSM, UCS2 = Encoding.GSM7, Encoding.UCS2
FAMILY = "👨\u200d👩\u200d👧"
PIECES = [
    *"ab 019 éàÉ@£Δ\n",
    *sorted(GSM_EXTENSION),
    *"çê\u2019…œ日Ж\u0301\u0302\u200d½¼",
    *"😀🎉\U0001d4b3\ufdd0\ufdd1",
    *(FAMILY, "🇫🇷", "🇫", "👍🏽", "1\ufe0f\u20e3", "\r\n", "e\u0301", "7½", "한\u11a8"),
    *("x" * 60, "x" * 66, "x" * 151, "x" * 152),
]
# No half of a surrogate pair: a column of texts cannot hold one.
ANY = st.characters(exclude_categories=["Cs"])
TEXT = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=60).map("".join),
    st.text(st.sampled_from(sorted(GSM_CHARACTERS)), max_size=500),
    st.text(ANY, max_size=300),
)
TEXTS = st.lists(TEXT, max_size=8)
SPLITS = st.fixed_dictionaries(dict.fromkeys(Encoding, st.sampled_from(list(Split))))
Row = tuple[str, int, int | None, bool]
#: Places at which something of two units, or of several characters, can be cut.
EDGES: Final = [65, 66, 67, 68, 131, 132, 133, 134, 151, 152, 153, 154, 303, 304, 305, 306, 307]


def units_of(text: str, encoding: str) -> int:
    """Count by the octets that the libraries make, not by our own tables."""
    if encoding == GSM.value:
        return len(gsm0338.Codec().encode(text)[0])
    return len(text.encode("utf-16-be")) // 2


def measured(text: str, *, splits: dict[Encoding, Split], bits: int) -> Row:
    """Measure one text by the functions for one text."""
    encoding = encoding_of(text)
    split = splits[encoding]
    try:
        found = measure(text, split=split, reference_bits=bits)
    except ValueError:
        units = len(text) + sum(char in GSM_EXTENSION for char in text)
        return encoding.value, units, None, False
    is_cut = is_cut_inside(text, split=split, reference_bits=bits)
    return encoding.value, found.units, found.parts, is_cut


@settings(deadline=None)
@given(TEXTS, SPLITS, st.sampled_from([8, 16]))
@example(["x" * 66 + "\ufdd1" + "😀" * 40], dict.fromkeys(Encoding, Split.UNIT), 8)
def test_each_row_is_measured_as_it_would_be_alone(
    texts: list[str], splits: dict[Encoding, Split], bits: int
) -> None:
    expected = [measured(text, splits=splits, bits=bits) for text in texts]
    found = measure_many(pl.Series(texts, dtype=pl.String), splits=splits, reference_bits=bits)

    assert expected == found.rows()


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("split", Split)
def test_the_end_of_a_part_is_found_wherever_it_falls(split: Split, bits: int) -> None:
    """Something that can be cut, at and around the end of each part, in texts of 2 to 30."""
    what = ["€", "😀", FAMILY, "e\u0301", "🇫🇷", "\r\n", "€€", "😀😀", "ê€"]
    texts = [
        f"{fill * (at - shift)}{piece}{rest * length}"
        for fill, rest in (("a", "a"), ("ê", "a"), ("a", "😀"))
        for at in EDGES
        for shift in (0, 1)
        for piece in what
        for length in (1, 60, 140, 900)
    ]
    splits = dict.fromkeys(Encoding, split)
    expected = [measured(text, splits=splits, bits=bits) for text in texts]

    assert expected == measure_many(pl.Series(texts), splits=splits, reference_bits=bits).rows()


def test_more_parts_than_the_header_can_count_have_no_number() -> None:
    texts = ["a" * 153 * 255, "a" * (153 * 255 + 1), "€" * 76 * 255, "€" * (76 * 255 + 1)]
    found = measure_many(pl.Series(texts), splits=dict.fromkeys(Encoding, "code_point"))

    assert [255, None, 255, None] == found["parts"].to_list()
    assert [False] * 4 == found["is_cut"].to_list()


def test_the_columns_have_their_types_whatever_they_hold() -> None:
    expected = {"encoding": ENCODINGS, "units": pl.Int32, "parts": pl.Int16, "is_cut": pl.Boolean}
    for texts in (pl.Series([], dtype=pl.Null), pl.Series(["a"]), pl.Series(["😀" * 99])):
        for split in Split:
            found = measure_many(texts, splits=dict.fromkeys(Encoding, split))
            assert expected == dict(found.schema)


def test_what_nobody_could_measure_is_refused() -> None:
    good = dict.fromkeys(Encoding, "unit")
    with pytest.raises(ValueError, match="not one of unit"):
        measure_many(pl.Series(["a"]), splits={GSM: "unit", UCS2: "by_cluster"})
    with pytest.raises(ValueError, match="not 8 or 16"):
        measure_many(pl.Series(["a"]), splits=good, reference_bits=7)
    with pytest.raises(ValueError, match="1 of the texts are null"):
        measure_many(pl.Series(["a", None]), splits=good)
    with pytest.raises(ValueError, match="1 of the texts are null"):
        transliterate_many(pl.Series(["a", None]), Transliteration.FULL)
    with pytest.raises(ValueError, match="not a valid Transliteration"):
        transliterate_many(pl.Series(["a"]), "FULL")  # type: ignore[arg-type]


@settings(deadline=None)
@given(TEXTS, st.sampled_from(list(Transliteration)))
@example(["2½", "½", "e\u0301", "½\u0301", "2½\u0301", "Å", "K"], Transliteration.FULL)
def test_each_row_is_replaced_as_it_would_be_alone(
    texts: list[str], level: Transliteration
) -> None:
    given_texts = pl.Series("body", texts, dtype=pl.String)
    found = transliterate_many(given_texts, level)

    assert [transliterate(text, level) for text in texts] == found.to_list()
    assert texts == given_texts.to_list()
    assert "body" == found.name


def test_every_character_is_replaced_as_it_would_be_alone() -> None:
    """All but a few in 17 of the ideographs; alone, and behind a digit."""
    codes = [*range(0x3400), *range(0x3400, 0xD800, 17), *range(0xE000, 0x110000, 17)]
    texts = [f"{before}{chr(code)}" for code in codes for before in ("", "7")]
    for level in Transliteration:
        expected = [transliterate(text, level) for text in texts]
        assert expected == transliterate_many(pl.Series(texts), level).to_list()


def test_a_column_with_nothing_to_replace_is_given_back() -> None:
    texts = pl.Series(["Été", "", "€"])

    assert texts.equals(transliterate_many(texts, Transliteration.FULL))
    assert [] == transliterate_many(pl.Series([], dtype=pl.Null), Transliteration.FULL).to_list()


@settings(deadline=None)
@given(TEXTS, st.sampled_from(list(Transliteration)))
def test_the_changes_are_those_of_each_row_together(
    texts: list[str], level: Transliteration
) -> None:
    expected = Counter(
        (old, new) for text in texts for _, old, new in transliteration_changes(text, level)
    )
    column = pl.Series(texts, dtype=pl.String)

    assert expected == count_changes(column, level)
    half = len(texts) // 2
    parts = count_changes(column[:half], level) + count_changes(column[half:], level)
    assert top_changes(expected) == top_changes(parts)
    assert len(expected) >= len(changes_of(column, level, most=3)) <= 3


def test_the_most_frequent_changes_come_first() -> None:
    texts = pl.Series(["fête même être…", "2½ – 1…", "Été"])

    assert [
        {"from": "ê", "to": "e", "count": 3},
        {"from": "…", "to": "...", "count": 2},
    ] == changes_of(texts, Transliteration.FULL, most=2)
    assert {"from": "½", "to": " 1/2", "count": 1} in changes_of(texts, Transliteration.FULL)


def test_every_punctuation_mark_is_in_the_table_of_columns() -> None:
    texts = pl.Series(sorted(PUNCTUATION) + list(FRACTIONS))
    found = transliterate_many(texts, Transliteration.PUNCTUATION)

    assert [transliterate(text, "punctuation") for text in texts] == found.to_list()
    assert not (texts == found).any()


@settings(deadline=None)
@given(
    st.lists(TEXT.filter(lambda text: 0 < len(text.strip())), min_size=1, max_size=4),
    st.sampled_from(list(Transliteration)),
    SPLITS,
    st.sampled_from([8, 16]),
)
def test_rendering_measuring_and_splitting_agree(
    values: list[str], level: Transliteration, splits: dict[Encoding, Split], bits: int
) -> None:
    """What leaves is what was rendered, and fits into the parts that were counted."""
    template = read_template("---\n---\nHi {{ value }}, {{ value }}", name="twice")
    rendered = Renderer(template).render_chunk({"value": values}, count=len(values))
    texts = [text for text in rendered if isinstance(text, str)]
    bodies = transliterate_many(pl.Series(texts, dtype=pl.String), level)
    measures = measure_many(bodies, splits=splits, reference_bits=bits)

    for body, (encoding, units, parts, is_cut) in zip(bodies, measures.rows(), strict=True):
        split = splits[Encoding(encoding)]
        cuts = part_boundaries(body, split=split, reference_bits=bits)
        pieces = [body[a:b] for a, b in pairwise([0, *cuts, len(body)])]
        sizes = [units_of(piece, encoding) for piece in pieces]
        single, joined = limits_of(Encoding(encoding), reference_bits=bits)
        assert sum(sizes) == units
        assert len(pieces) == parts
        # By unit, a part may end inside a pair, which then counts with the next one.
        slack = 1 if is_cut and split is Split.UNIT else 0
        assert max(sizes) <= (single if parts == 1 else joined + slack)
