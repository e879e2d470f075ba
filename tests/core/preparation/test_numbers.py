"""
Columns of numbers against rows: the same answer in every field, whatever stands in them.

The rows are read by ``to_e164``, which asks the library for each; the examples by
``to_e164_many``, of which ``test_number_quick`` shows that it is the same. Of the examples in
all their forms, 4 % were left to the rows; of the mutations 42 %; of the pieces' edges none.
"""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal

import phonenumbers
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.number import Number, to_e164, to_e164_many
from smsflow_provider.core.preparation.number_home import TEXT_DIGITS, home_pieces, text_start
from smsflow_provider.core.preparation.number_plan import Piece, pieces_of_code
from smsflow_provider.core.preparation.numbers import NUMBERS_SCHEMA, read_numbers
from tests.core.preparation.odd_numbers import (
    COLUMN_MUTATIONS,
    EDGES,
    FORMS,
    FORMS_EACH,
    REGIONS,
    examples_of_no_country,
    forms_of,
    mutations,
)

FRENCH = (33612345678, None, "FR", "mobile")
#: Each of them has a habit of its own.
SOME = [None, "FR", "US", "GB", "IT", "BR", "AR", "CN", "RU", "AU", "DM", "JP", "MX", "SM"]
#: What clothes a number comes in: none of it says anything.
CLOTHES: list[Callable[[str], str]] = [
    lambda text: f"'{text}",
    lambda text: f'="{text}"',
    lambda text: f" {text}\t",
    lambda text: f"{text}  ",
    lambda text: f"tel:{text}",
    lambda text: f"SMS:{text}",
    lambda text: f"tel: {text}",
    lambda text: f"{text}.0  ",
    lambda text: f"{text},00",
    lambda text: text.replace(" ", "\u00a0"),
    lambda text: text.replace(" ", "\u202f").replace("-", "\u2011"),
    lambda text: f"\u202a{text}\u202c",
    lambda text: f"{text[:3]}\u200b{text[3:]}",
    lambda text: text.translate({48 + digit: 0x660 + digit for digit in range(10)}),
    lambda text: text.translate({48 + digit: 0xFF10 + digit for digit in range(10)}),
    lambda text: f"{text}\n",
    lambda text: f"{text}²",
]


def row_of(number: Number) -> tuple[object, ...]:
    """As a row of ``read_numbers``."""
    phone = None if number.e164 is None else int(number.e164)
    return (phone, number.problem, number.region, number.kind)


def differences(
    raws: Iterable[object],
    *,
    region: str | None,
    dtype: pl.DataType | None = None,
    is_quick: bool = False,
) -> list[tuple[object, str]]:
    """What columns and rows do not agree on; the rows read the quick way if *is_quick*."""
    values = list(raws)
    given_type = pl.String() if dtype is None else dtype
    read = read_numbers(pl.Series(values, dtype=given_type), region=region).rows()
    rows = (
        to_e164_many(values, region=region)
        if is_quick
        else [to_e164(raw, region=region) for raw in values]
    )
    expected = map(row_of, rows)
    return [
        (raw, f"{should} is not {row}")
        for raw, should, row in zip(values, expected, read, strict=True)
        if should != row
    ]


def read(raws: Sequence[object], *, region: str | None = "FR") -> list[tuple[object, ...]]:
    return read_numbers(pl.Series(raws), region=region).rows()


def test_examples_in_all_forms_are_read_as_rows_are() -> None:
    rng = random.Random(5)
    for region, forms in FORMS.items():
        raws = rng.sample(forms, min(FORMS_EACH, len(forms)))

        assert [] == differences(raws, region=region, is_quick=True), region


def test_all_examples_are_read_as_rows_are_where_nobody_said_from_which_country() -> None:
    raws = [raw for raws in FORMS.values() for raw in raws]

    assert [] == differences(raws, region=None, is_quick=True)


def test_numbers_of_no_country_are_read_as_rows_are() -> None:
    raws = [raw for number in examples_of_no_country() for raw in forms_of(number)]

    assert [] == differences(raws, region="FR")
    assert {None} == {row[2] for row in read([raw for raw in raws if raw[0] == "+"])}


def test_mutated_numbers_are_read_as_rows_are() -> None:
    columns: defaultdict[str | None, list[str]] = defaultdict(list)
    for region, raw in mutations(COLUMN_MUTATIONS, seed=20_260_302):
        columns[region].append(raw)

    wrong = {region: differences(raws, region=region) for region, raws in columns.items()}

    assert COLUMN_MUTATIONS == sum(len(raws) for raws in columns.values())
    assert {} == {region: some for region, some in wrong.items() if some}


@pytest.mark.parametrize("place", range(len(CLOTHES)))
def test_what_is_around_a_number_is_undone_as_in_rows(place: int) -> None:
    rng = random.Random(place)
    for region in ("FR", "US", "RU", None):
        raws = [raw for _, raw in mutations(40, seed=place)]
        raws += rng.sample(FORMS[region or "IT"], 40)

        assert [] == differences(map(CLOTHES[place], raws), region=region)


def edges_of(pieces: Iterable[Piece], *, count: int, rng: random.Random) -> set[int]:
    """Where pieces begin and end, and one number in each; of *count* pieces."""
    known = list(pieces)
    some = rng.sample(known, min(count, len(known)))
    return {
        edge
        for piece in some
        for edge in (piece.start, piece.stop - 1, rng.randrange(piece.start, piece.stop))
    }


def test_every_piece_of_the_world_begins_and_ends_where_it_does_for_the_library() -> None:
    rng = random.Random(3)
    codes = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
    edges = set[int]().union(
        *(edges_of(pieces_of_code(code), count=EDGES, rng=rng) for code in codes)
    )

    assert [] == differences([f"+{edge}" for edge in sorted(edges)], region=None)


def test_every_piece_of_a_region_begins_and_ends_where_it_does_for_the_library() -> None:
    rng = random.Random(4)
    for region in [None, *REGIONS]:
        edges = edges_of(home_pieces(region), count=EDGES // 4, rng=rng)

        assert [] == differences([str(edge)[1:] for edge in sorted(edges)], region=region)


def test_no_two_pieces_lie_one_over_the_other() -> None:
    lines = [pieces_of_code(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE]
    lines = [tuple(piece for pieces in lines for piece in pieces), *map(home_pieces, REGIONS)]
    for line in lines:
        ordered = sorted(line)

        assert all(one.stop <= other.start for one, other in itertools.pairwise(ordered))
        assert all(piece.start < piece.stop for piece in ordered)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.text(max_size=30), max_size=5), st.sampled_from(SOME))
@example(["+33612345678\n", "\n+33612345678", "+3361234567\n8", "+\u0663\u0663612345678"], "FR")
def test_any_text_is_read_as_in_rows(raws: list[str], region: str | None) -> None:
    assert [] == differences(raws, region=region)


@settings(deadline=None, max_examples=300)
@given(st.text("0123456789+ ()-./,\u00a0", max_size=22), st.sampled_from(SOME))
@example("612345678.0", "FR")
@example("12345678.0  ", "FR")
@example("06123456.78", "FR")
@example("+33 (0)6 12 34 56.78", "FR")
@example("000033612345678", "FR")
@example("0 0 33 6 12 34 56 78", "US")
@example("00 33 6 12 34 56 78", None)
@example("00 (33) 6 12 34 56 78", None)
@example("0039 (0)6 1234 5678", None)
@example("0033(0)612345678", "US")
@example("0033 (0)612345678", None)
@example("+0612345678", "FR")
@example("(+)33612345678", "FR")
@example("00 123", "FR")
@example("001", None)
@example("+000", None)
def test_any_text_of_digits_and_marks_is_read_as_in_rows(raw: str, region: str | None) -> None:
    assert [] == differences([raw], region=region)


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.integers(0, 10**12))),
    st.sampled_from([None, "FR", "US"]),
)
@example([33612345678, 612345678, 10**15, 10**5, 10**15 - 1, 0, -1, None], "FR")
def test_whole_numbers_are_read_as_in_rows(raws: list[int | None], region: str | None) -> None:
    assert [] == differences(raws, region=region, dtype=pl.Int64())


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats(), st.integers(0, 10**12).map(float))))
@example([33612345678.0, 612345678.5, float("nan"), float("inf"), -1.0, 1e300, None])
def test_floats_are_read_as_in_rows(raws: list[float | None]) -> None:
    assert [] == differences(raws, region="FR", dtype=pl.Float64())


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.decimals(0, 10**15, places=2))))
@example([Decimal(33612345678), Decimal("612345678.50"), Decimal(-1), None])
def test_decimals_are_read_as_in_rows(raws: list[Decimal | None]) -> None:
    assert [] == differences(raws, region="FR", dtype=pl.Decimal(20, 2))


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([True, None], pl.Boolean()),
        ([date(2026, 1, 1), None], pl.Date()),
        ([b"0612345678", None], pl.Binary()),
        ([["0612345678"], None], pl.List(pl.String)),
        ([None, None], pl.Null()),
        (["0612345678", "x", None, "x"], pl.Categorical()),
        ([33612345678, 0, None], pl.UInt64()),
        ([2**63 + 1], pl.UInt64()),
        ([2**100], pl.Int128()),
        ([112, None], pl.Int16()),
        (["0612345678", 612345678, 6.5, None, b"", "36111"], pl.Object()),
        ([], pl.String()),
        ([], pl.Int64()),
    ],
)
def test_a_column_of_any_type_is_read_as_in_rows(values: list[object], dtype: pl.DataType) -> None:
    assert [] == differences(values, region="FR", dtype=dtype)


def test_every_row_has_its_place_and_every_column_its_type() -> None:
    raws = ["x", "+33612345678", None, "06 12 34 56 78", "x", "+336123", "33612345678.0"]
    frame = read_numbers(pl.Series("phone", raws), region="fr")

    letters = (None, "letters", None, None)
    assert NUMBERS_SCHEMA == frame.schema
    assert [
        letters,
        FRENCH,
        (None, "no_address", None, None),
        FRENCH,
        letters,
        (None, "too_short", None, None),
        FRENCH,
    ] == frame.rows()


def test_a_column_is_left_as_it_was() -> None:
    raws = ["x", "+33612345678", "06 12 34 56 78"]
    column = pl.Series("phone", raws)
    read_numbers(column, region="FR")

    assert raws == column.to_list()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("6.12E+08", "digits_lost"),
        ("6.12345678E+08", None),
        ("612345678", None),  # the zero is lost
        ("612345678.0", None),
        ("\uff10\uff16\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18", None),
        ("٠٦١٢٣٤٥٦٧٨", None),
        ("0033612345678", None),
        ("00 33 6 12 34 56 78", None),
        ("06 12 34 56 78 ext 12", "extension"),
        ("36111", "short_code"),
        ("+33 (0)6 12 34 56 78", None),
    ],
)
def test_damage_is_mended_or_has_a_name(raw: str, expected: str | None) -> None:
    found = read([raw])[0]

    assert (FRENCH if expected is None else (None, expected, None, None)) == found


def test_an_unknown_region_is_a_mistake_of_the_settings() -> None:
    with pytest.raises(ConfigError, match="not an ISO 3166 country code"):
        read_numbers(pl.Series([], dtype=pl.String), region="XX")


def test_texts_have_a_place_of_their_own_whatever_their_zeros() -> None:
    assert 1_000 == text_start(3)
    assert text_start(TEXT_DIGITS[-1]) * 2 < 2**63
