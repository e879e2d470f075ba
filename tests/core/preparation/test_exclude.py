from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.model import Exclusion
from smsflow_provider.core.preparation.exclude import Excluded, Excluder, Kept
from smsflow_provider.core.preparation.number import Number, NumberProblem

ONE, TWO, OUT, FAR = 33600000001, 33600000002, 33600000009, 33600000077


def number(phone: int | None, problem: NumberProblem | None = None) -> Number:
    """Make what came of reading a phone: digits, or a problem."""
    if phone is None:
        return Number(problem=problem or NumberProblem.NO_ADDRESS)
    return Number(e164=f"+{phone}", region="FR")


def make_excluder(*, allowed: frozenset[int] | None = None) -> Excluder:
    return Excluder(opted_out={OUT}, allowed=allowed)


def split(
    excluder: Excluder, numbers: Sequence[Number], *, first_row: int = 1
) -> tuple[list[Kept | None], list[Excluded]]:
    ids = [f"r{row}" for row in range(first_row, first_row + len(numbers))]
    return excluder.split(first_row=first_row, recipient_ids=ids, numbers=numbers)


@pytest.mark.parametrize(
    ("given", "reason", "detail"),
    [
        (number(None), Exclusion.NO_ADDRESS, ""),
        (number(None, NumberProblem.TOO_LONG), Exclusion.INVALID_NUMBER, "too_long"),
        (number(None, NumberProblem.LETTERS), Exclusion.INVALID_NUMBER, "letters"),
        (number(OUT), Exclusion.OPTED_OUT, ""),
        (number(ONE), Exclusion.DUPLICATE, "same number as row 1"),
        (number(FAR), Exclusion.FILTERED, "not on the allow-list of this environment"),
    ],
)
def test_a_reason_comes_with_what_it_is_about(
    given: Number, reason: Exclusion, detail: str
) -> None:
    kept, excluded = split(make_excluder(allowed=frozenset({ONE})), [number(ONE), given])

    assert kept[1] is None
    assert [(2, "r2", reason, detail)] == [
        (one.row_number, one.recipient_id, one.reason, one.detail) for one in excluded
    ]


def test_kept_recipients_stand_at_their_row_with_number_and_region() -> None:
    kept, excluded = split(make_excluder(), [number(ONE), number(None), number(TWO)], first_row=7)

    assert [
        Kept(row_number=7, recipient_id="r7", phone=ONE, region="FR"),
        None,
        Kept(row_number=9, recipient_id="r9", phone=TWO, region="FR"),
    ] == kept
    assert [8] == [one.row_number for one in excluded]


def test_a_number_seen_in_an_earlier_batch_is_a_duplicate() -> None:
    excluder = make_excluder()
    split(excluder, [number(ONE), number(TWO)])

    kept, excluded = split(excluder, [number(TWO)], first_row=3)

    assert [None] == kept
    assert "same number as row 2" == excluded[0].detail


def test_every_opted_out_row_is_opted_out_not_a_duplicate() -> None:
    _, excluded = split(make_excluder(), [number(OUT), number(OUT)])

    assert [Exclusion.OPTED_OUT] * 2 == [one.reason for one in excluded]


def test_a_second_row_of_a_filtered_number_is_a_duplicate() -> None:
    """The order is law: duplicates come before filters."""
    _, excluded = split(make_excluder(allowed=frozenset()), [number(FAR), number(FAR)])

    assert [Exclusion.FILTERED, Exclusion.DUPLICATE] == [one.reason for one in excluded]


def test_a_number_of_no_country_is_kept_without_a_region() -> None:
    kept, _ = split(make_excluder(), [Number(e164="+80012345678")])

    assert kept[0] is not None
    assert (80012345678, "") == (kept[0].phone, kept[0].region)


def test_no_phone_shows_in_a_repr() -> None:
    kept, excluded = split(make_excluder(), [number(ONE), number(OUT), number(ONE)])

    assert "336" not in repr((kept, excluded))


@given(
    st.lists(st.sampled_from([None, ONE, TWO, OUT, FAR]), max_size=40),
    st.lists(st.integers(1, 5), min_size=40, max_size=40),
)
def test_cutting_an_audience_into_batches_changes_nothing(
    phones: list[int | None], sizes: list[int]
) -> None:
    numbers = [number(phone) for phone in phones]
    whole = split(make_excluder(allowed=frozenset({ONE, TWO})), numbers)

    excluder = make_excluder(allowed=frozenset({ONE, TWO}))
    kept: list[Kept | None] = []
    excluded: list[Excluded] = []
    for size in sizes:
        start = len(kept)
        some = split(excluder, numbers[start : start + size], first_row=start + 1)
        kept, excluded = kept + some[0], excluded + some[1]

    assert whole == (kept, excluded)
    assert len(numbers) == len(excluded) + sum(one is not None for one in kept)
