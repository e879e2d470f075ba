from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.errors import AudienceError, ConfigError
from smsflow_provider.core.model import Exclusion
from smsflow_provider.core.preparation.candidates import CandidateBuilder, Candidates
from smsflow_provider.core.preparation.number_value import NumberKind, NumberProblem
from smsflow_provider.core.preparation.numbers import read_numbers
from smsflow_provider.core.preparation.rule_columns import dense_ranks, thresholds_of
from smsflow_provider.core.preparation.short_texts import MOST_TEXTS, ShortTexts
from tests.core.preparation.exclusions.people import Person, make_candidates, nobody


def rows_of(*places: int) -> np.ndarray[Any, np.dtype[np.intp]]:
    return np.array(places, dtype=np.intp)


PEOPLE = [
    Person(phone=33600000001, sender="ACME"),
    nobody(NumberProblem.LETTERS),
    Person(phone=4915100000001, region="DE", kind=NumberKind.FIXED_LINE),
    Person(phone=80012345678, region=None, sender=""),
]


@pytest.mark.parametrize("frame_rows", [1, 3, 100])
def test_what_went_in_can_be_seen_again(frame_rows: int) -> None:
    candidates = make_candidates(PEOPLE, frame_rows=frame_rows)

    assert [
        (1, 33600000001, None, "mobile", "FR", "ACME", None, "", None),
        (2, None, "letters", None, "", "", None, "", None),
        (3, 4915100000001, None, "fixed_line", "DE", "", None, "", None),
        (4, 80012345678, None, "mobile", "", "", None, "", None),
    ] == candidates.slice(0, 10).rows()
    assert candidates.slice(0, 10).slice(1, 2).rows() == candidates.slice(1, 2).rows()
    assert 0 == len(candidates.slice(4, 10))


def test_numbers_are_taken_as_they_are_read() -> None:
    phones = pl.Series(["06 12 34 56 78", None, "+49 30 123456", "+800 1234 5678", "12"])
    builder = CandidateBuilder(5)
    builder.add(read_numbers(phones, region="FR"))

    seen = builder.finish().slice(0, 5)
    assert [33612345678, None, 4930123456, 80012345678, None] == seen["phone"].to_list()
    assert [None, "no_address", None, None, "too_short"] == seen["problem"].to_list()
    assert ["FR", "", "DE", "", ""] == seen["region"].to_list()


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(Exclusion), st.text(max_size=3))))
def test_the_first_reason_stays(steps: list[tuple[int, Exclusion, str]]) -> None:
    candidates = make_candidates(PEOPLE)
    first: dict[int, tuple[str, str]] = {}
    for place, reason, detail in steps:
        was_in = candidates.leave_out(rows_of(place), reason, detail)
        assert was_in == int(place not in first)
        first.setdefault(place, (reason.value, detail))

    seen = candidates.slice(0, 4)
    for place, (reason_text, detail) in enumerate(seen.select("reason", "detail").rows()):
        assert first.get(place, (None, "")) == (reason_text, detail)
    assert len(first) == sum(candidates.counts().values()) == candidates.details().total()
    assert 4 - len(first) == candidates.waiting_count == candidates.still_in().sum()


def test_details_can_be_told_row_by_row() -> None:
    candidates = make_candidates(PEOPLE)
    candidates.leave_out(rows_of(1), Exclusion.INVALID_NUMBER, "letters")
    candidates.leave_out(rows_of(0, 1, 3), Exclusion.TOO_LONG, ["3 parts", "lost", "4 parts"])

    assert ["3 parts", "letters", "", "4 parts"] == candidates.slice(0, 4)["detail"].to_list()
    assert [1, 2] == [
        candidates.counts()[one] for one in (Exclusion.INVALID_NUMBER, Exclusion.TOO_LONG)
    ]


def test_losers_keep_the_row_of_their_winner() -> None:
    candidates = make_candidates([Person()] * 6)
    candidates.leave_out_losers(rows_of(5, 0, 3), rows_of(1, 2, 2))

    winners = [3, None, None, 3, None, 2]
    assert winners == candidates.slice(0, 6)["winner_row"].to_list()
    assert winners[3:5] == candidates.slice(3, 2)["winner_row"].to_list()
    assert [(1, 3), (4, 3), (6, 2)] == candidates.winner_rows().rows()
    assert {Exclusion.DUPLICATE: 3} == candidates.counts()


@pytest.mark.parametrize("count", [3, 5])
def test_another_number_of_rows_than_announced_is_an_error(count: int) -> None:
    """An audience that was cut short must not pass for a small one."""
    numbers = read_numbers(pl.Series(["+33612345678"] * 4), region=None)

    with pytest.raises(AudienceError) as caught:
        Candidates.gather([(numbers, None)], count=count)
    assert {"expected": count, "found": 4} == caught.value.facts


def test_a_frame_without_rows_changes_nothing() -> None:
    builder = CandidateBuilder(1)
    empty = pl.Series([], dtype=pl.String)
    builder.add(read_numbers(empty, region=None), pl.DataFrame({"sender": empty, "filter": []}))
    builder.add(
        read_numbers(pl.Series(["+33612345678"]), region=None),
        pl.DataFrame({"sender": ["ACME"], "filter": [2]}),
    )

    candidates = builder.finish()
    assert ["ACME"] == candidates.slice(0, 1)["sender"].to_list()
    assert [2] == candidates.rule_values("filter").tolist()


def test_a_rule_column_that_was_never_added_is_missed() -> None:
    with pytest.raises(ValueError, match="no rule column 'limit_by'"):
        make_candidates_without_rules().rule_values("limit_by")


def make_candidates_without_rules() -> Any:
    builder = CandidateBuilder(1)
    builder.add(read_numbers(pl.Series(["+33612345678"]), region=None))
    return builder.finish()


def test_neither_numbers_nor_senders_show_in_a_repr() -> None:
    assert "Candidates(4 rows)" == repr(make_candidates(PEOPLE))


DAY = dt.date(2026, 3, 1)


@pytest.mark.parametrize(
    ("pieces", "ranks"),
    [
        ([[3, None], [1, 3]], [2, 0, 1, 2]),
        ([[3], [2.5]], [2, 1]),
        ([[None, None], [7, None]], [0, 0, 1, 0]),
        ([[float("nan"), 1.0, float("inf"), float("-inf")]], [0, 2, 3, 1]),
        ([[0.0, -0.0]], [1, 1]),
        ([[True, False, None]], [2, 1, 0]),
        ([[Decimal("1.10"), Decimal("1.9")]], [1, 2]),
        ([[DAY, None, dt.date(2026, 2, 1)]], [2, 0, 1]),
        (
            [[dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2025, 1, 1, tzinfo=dt.UTC)]],
            [2, 1],
        ),
        ([[dt.timedelta(seconds=1), dt.timedelta(0)]], [2, 1]),
        ([[2**53, 2**53 + 1]], [1, 2]),
        ([[None], [None]], [0, 0]),
    ],
)
def test_ranks_are_places_among_the_different_values(
    pieces: list[list[Any]], ranks: list[int]
) -> None:
    found = dense_ranks([pl.Series("limit_by", values) for values in pieces])

    assert ranks == found.tolist()


@pytest.mark.parametrize("values", [["10", "9"], [[1]]])
def test_what_has_no_order_of_its_own_cannot_be_ranked(values: list[Any]) -> None:
    with pytest.raises(ConfigError, match="cannot be ranked") as caught:
        dense_ranks([pl.Series("limit_by", values)])

    assert "limit_by" == caught.value.facts["rule_column"]


@pytest.mark.parametrize(
    ("given", "threshold"),
    [(3, 3), (0, 0), (None, -1), (-5, 0), (10**12, 32_767), (2.5, 3), (float("nan"), -1)],
)
def test_a_threshold_is_a_small_number(given: float | None, threshold: int) -> None:
    assert [threshold] == thresholds_of(pl.Series("most_weekly", [given])).tolist()


def test_a_threshold_that_is_no_number_is_refused() -> None:
    with pytest.raises(ConfigError, match="a threshold is a number"):
        thresholds_of(pl.Series("most_weekly", ["3"]))


@given(st.lists(st.none() | st.sampled_from(["", "FR", "BE", "é", "a b"]), max_size=20))
def test_short_texts_come_back(texts: list[str | None]) -> None:
    short = ShortTexts("regions")
    series = pl.Series(texts, dtype=pl.String)

    assert [text or "" for text in texts] == short.texts_of(short.codes_of(series)).to_list()
    assert [text or "" for text in texts] == short.texts_of(
        short.codes_of(series.cast(pl.Categorical))
    ).to_list()
    assert len(short) == len({*texts, "", None}) - 1


def test_there_is_an_end_to_different_texts() -> None:
    """A sender of its own for each recipient is a mistake, and would not be told by two bytes."""
    short = ShortTexts("senders")
    for number in range(MOST_TEXTS - 1):
        short.code_of(str(number))

    assert 1 == short.code_of("0")
    with pytest.raises(ConfigError, match="too many different senders"):
        short.code_of("one more")
