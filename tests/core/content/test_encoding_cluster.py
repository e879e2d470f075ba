"""Cutting where no cluster is cut: what gateways like Twilio do with emoji."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider.core.content.encoding import STAND_ALONE, measure, part_boundaries
from smsflow_provider.core.model import Encoding

FAMILY = "👨\u200d👩\u200d👧"  # 8 units
FLAG = "🇫🇷"  # 4 units
THUMB = "👍🏽"  # 4 units
KEYCAP = "1\ufe0f\u20e3"  # 3 units
PIECES = [*"ab çé日", "\n", "\r\n", "\u0301", "\u200d", "😀", FAMILY, FLAG, THUMB, KEYCAP]


def units_of(text: str) -> int:
    return len(text.encode("utf-16-be", "surrogatepass")) // 2


@pytest.mark.parametrize(
    ("text", "by_code_point", "by_cluster"),
    [
        (FAMILY * 9, 2, 2),  # 72 units: 8 families to a part of 67
        (FAMILY * 16, 2, 2),
        (FAMILY * 17, 3, 3),  # 136 units
        ("x" * 61 + FAMILY + "y" * 65, 2, 3),
        ("x" * 65 + FLAG + "y" * 65, 2, 3),
        ("x" * 65 + THUMB + "y" * 65, 2, 3),
        ("x" * 66 + KEYCAP + "y" * 65, 2, 3),
        ("x" * 66 + "e\u0301" + "y" * 66, 2, 3),
        ("ç" * 66 + "\r\n" + "ç" * 66, 2, 2),  # CR LF may be cut
        ("a" * 152 + "\r\n" + "b" * 152, 2, 2),
    ],
)
def test_a_cluster_that_does_not_fit_opens_the_next_part(
    text: str, by_code_point: int, by_cluster: int
) -> None:
    assert by_code_point == measure(text, split="code_point").parts
    assert by_cluster == measure(text, split="grapheme").parts


def test_the_cut_is_before_the_cluster() -> None:
    text = "x" * 60 + FAMILY + "y" * 66

    # The family's 5 code points are 8 units, so 59 more fit beside it.
    assert [60, 60 + 5 + 59] == part_boundaries(text, split="grapheme")


def test_a_cluster_longer_than_a_part_is_cut_by_code_point() -> None:
    monster = "😀" + "\u0301" * 140

    assert [66, 133] == part_boundaries(monster, split="grapheme")
    assert part_boundaries(monster) == part_boundaries(monster, split="grapheme")


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=250).map("".join), st.sampled_from([8, 16]))
def test_no_cluster_is_cut_and_no_part_is_too_long(text: str, bits: int) -> None:
    # Here, so that the other tests of this file tell on their own what they find.
    import regex  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415

    made = measure(text, split="grapheme", reference_bits=bits)
    cuts = part_boundaries(text, split="grapheme", reference_bits=bits)
    assert len(cuts) + 1 == made.parts
    if made.encoding is Encoding.GSM7 or made.parts == 1:
        return

    limit = 67 if bits == 8 else 66
    ends = [*cuts, len(text)]
    assert all(units_of(text[a:b]) <= limit for a, b in zip([0, *cuts], ends, strict=True))
    clusters = list(regex.finditer(r"\r|\n|\X", text))
    allowed = {found.start() for found in clusters}
    long = [found for found in clusters if units_of(found[0]) > limit]
    inside = {offset for found in long for offset in range(found.start(), found.end())}
    assert set(cuts) <= allowed | inside


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=250).map("".join))
def test_cutting_by_cluster_never_needs_fewer_parts(text: str) -> None:
    assert measure(text, split="grapheme").parts >= measure(text).parts


def test_a_character_that_stands_alone_joins_with_no_other_of_its_kind() -> None:
    """By Unicode's rules: what joins at all joins with a letter, or with itself."""
    # Here, so that the other tests of this file tell on their own what they find.
    import regex  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415

    alone = [chr(code) for first, last in STAND_ALONE for code in range(first, last + 1)]
    joins = [
        char
        for char in alone
        for pair in (f"a{char}", f"{char}a", f"{char}{char}", f"©{char}", f"{char}©")
        if len(regex.findall(r"\r|\n|\X", pair)) != 2
    ]

    assert [] == joins
    assert all(char <= "\uffff" for char in alone)


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(st.sampled_from(PIECES), st.characters(exclude_categories=["Cs"])), max_size=250
    ).map("".join)
)
def test_cutting_by_cluster_equals_a_walk_over_all_clusters(text: str) -> None:
    import regex  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415

    found = measure(text, split="grapheme")
    if found.encoding is Encoding.GSM7 or found.parts == 1:
        return
    cuts, used, offset = [], 0, 0
    for cluster in regex.findall(r"\r|\n|\X", text):
        pieces = [cluster] if units_of(cluster) <= 67 else list(cluster)
        for piece in pieces:
            if used + units_of(piece) > 67:
                cuts.append(offset)
                used = 0
            used += units_of(piece)
            offset += len(piece)

    assert cuts == part_boundaries(text, split="grapheme")
